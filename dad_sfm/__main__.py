"""``python -m dad_sfm``."""

import sys

from .cli import main

sys.exit(main())
