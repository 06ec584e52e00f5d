"""What ``import dad_sfm`` offers."""

import subprocess
import sys

import dad_sfm


def test_every_public_name_is_there_and_documented():
    for name in dad_sfm.__all__:
        value = getattr(dad_sfm, name)
        if name != "__version__":
            assert value.__doc__, name
    assert set(dad_sfm.__all__) <= set(dir(dad_sfm))


def test_steps_are_attributes_without_an_import_of_their_own():
    code = "import dad_sfm; print(dad_sfm.pairs.main.__module__)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "dad_sfm.pairs"
