"""Feature and match files: the only HDF5 readers and writers of the package.

Feature files (hloc's schema, and a superset that hloc reads), a group per image named by its
path relative to the image root:

=============  =======================  =====================================================
``keypoints``  N×2 float32 always       pixel-index frame of the original image; attribute
                                        ``uncertainty`` in pixels of the original image
``scores``     N float32, descending
``descriptors`` D×N float16 or float32  absent when there are none
``image_size`` (W, H) int               of the original image
``scales``     N float32                absent unless the detector measures them
``oris``       N float32                likewise, in degrees
``covariances`` N×2×2 float32           likewise, in pixels² of the original image
=============  =======================  =====================================================

Match files, a group ``name0/name1`` per pair with every ``/`` inside a name written as ``-``:
``matches0`` N0 int32 (-1 = none) and ``matching_scores0`` N0 float16.

``keypoints`` has the attribute ``source``, the identity of the photo that was looked at, and
``matches0`` the attribute ``sources``, those of its two images: a photo replaced under its old
name is another photo.

The root's attributes hold the format version, what made the file, the image folder, and which
images the latest run could not use; each group its checksum.

A run writes into ``FILE.journal`` (`journal`), which is sealed into the HDF5 file at the end
(`sealing`): the file that hloc reads is never changed in place, so it is whole at any moment, and
a run that was cut off resumes with what its journal holds.  Readers see both (`layers`).
"""

from .errors import StoreError
from .features import FeatureReader, FeatureWriter
from .hdf5 import entry_names, read_arrays
from .integrity import Inspection, inspect, repair
from .matches import MatchReader, MatchWriter
from .merging import Merged, merge
from .names import check_pair_keys, pair_key
from .so_far import names_so_far

__all__ = [
    "FeatureReader",
    "FeatureWriter",
    "Inspection",
    "MatchReader",
    "MatchWriter",
    "Merged",
    "StoreError",
    "check_pair_keys",
    "entry_names",
    "inspect",
    "merge",
    "names_so_far",
    "pair_key",
    "read_arrays",
    "repair",
]
