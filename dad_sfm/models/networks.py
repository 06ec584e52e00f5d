"""Networks that can be trained and loaded, by name: classes that need no arguments.

``Network()`` is untrained; a detector takes B×3×H×W ImageNet-normalised images, and names the
convolutions that read them in ``reads_image``.  A new one is one file here and one line below, or
a package of your own.
"""

from ..core.registry import Registry

NETWORKS = Registry(
    "network",
    {
        "dad": "dad_sfm.models.dad:DaD",
        "nano": "dad_sfm.models.nano:Nano",
        "traqpoint": "dad_sfm.models.traqpoint:TraqPoint",
        # Descriptors on their features.
        "hypercolumn": "dad_sfm.models.hypercolumn:Hypercolumn",
        "dad-hypercolumn": "dad_sfm.models.hypercolumn:DaDHypercolumn",
        "ripe": "dad_sfm.models.ripe:RIPE",
        "ripe-dad": "dad_sfm.models.ripe:RIPEDaD",
        "ripe-nano": "dad_sfm.models.ripe:RIPENano",
        # Object keypoints of videos.
        "permakey": "dad_sfm.models.permakey:PermaKey",
        "transporter": "dad_sfm.models.transporter:Transporter",
    },
    group="dad_sfm.networks",
)
