"""The second plug, by name: what a network is trained for.  A new one is one file here and one
line below, or a package of your own."""

from ...core.registry import Registry

OBJECTIVES = Registry(
    "objective",
    {
        "rl": "dad_sfm.train.objectives.rl:RLObjective",
        "descriptor": "dad_sfm.train.objectives.descriptor:DescriptorObjective",
        "distill": "dad_sfm.train.objectives.distill:DistillObjective",
        "permakey": "dad_sfm.train.objectives.permakey:PermaKeyObjective",
        "ripe": "dad_sfm.train.objectives.ripe.objective:RIPEObjective",
        "track": "dad_sfm.train.objectives.track.objective:TrackObjective",
        "track-descriptor": "dad_sfm.train.objectives.track.descriptor:TrackDescriptorObjective",
        "transporter": "dad_sfm.train.objectives.transporter:TransporterObjective",
    },
    group="dad_sfm.objectives",
)
