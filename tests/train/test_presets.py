from dataclasses import replace

import pytest

from dad_sfm.core.config import to_dict
from dad_sfm.models.networks import NETWORKS
from dad_sfm.train.objectives.distill import DistillConf
from dad_sfm.train.presets import PRESETS, distillation


def test_the_preset_paper_is_the_publication():
    """arXiv 2503.07347, each value by its name."""
    paper = PRESETS["paper"]
    assert paper.network == "dad"
    data, objective, loop = (to_dict(each) for each in (paper.data, paper.objective, paper.loop))
    assert {"size": 640, "batch": 8, "rotation_deg": 180, "shift_px": 32}.items() <= data.items()
    assert objective == {
        "sampling": {
            "keypoints": (512, 512),
            "nms_size": 3,
            "balance": 0.5,
            "density_taps": 51,
            "density_reach": 2,
            "density_rate": 1,
            "density_floor": 1e-6,
            "border": 0,
        },
        "hit": "nearest",
        "hit_radius": 0.005,
        "reward_floor": 0.01,
        "polarity": "free",
        "subpixel_temp": 0.5,
        "policy_weight": 1,
        "policy_reduction": "sum",
        "regulariser_weight": 1,
        "regulariser_taps": 51,
        "regulariser_reach": 1,
        "regulariser_rate": 2,
        # What goes beyond the publication is off; its other values do not matter then.
        "window_weight": 0,
        "localisation_weight": 0,
        **{
            name: objective[name]
            for name in ("hit_sigma_px", "window_size", "window_baseline", "localisation_radius_px")
        },
    }
    published = {
        "steps": 100_000,
        "learning_rate": 2e-4,
        "weight_decay": 1e-5,
        "warmup": 0,
        "clip": 0.01,
        "accumulate": 1,
        "ema_decay": 0,
        "bf16": True,
    }
    assert published.items() <= loop.items()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_distilled_with_its_own_network_data_and_loop(name):
    preset = PRESETS[name]
    assert preset.network in NETWORKS.names
    student = distillation(preset, "mean")
    assert isinstance(student.objective, DistillConf)
    assert student.objective.how == "mean"
    assert replace(student, objective=preset.objective) == preset


def test_the_preset_track_is_the_publication():
    track = PRESETS["track"]
    assert (track.data.size, track.data.batch, track.data.frames) == (480, 120, 4)
    assert track.loop.final_rate * track.loop.learning_rate == 5e-6
    assert track.data.curriculum == track.loop.steps == 55_000
    objective = track.objective
    assert (480 // objective.sample_cell_px) ** 2 + objective.extra_points == 256
    assert objective.draws == "policy"
    assert objective.found_weight == objective.window_weight == 0
