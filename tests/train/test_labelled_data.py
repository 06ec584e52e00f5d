"""Labelled pairs: every source in its release's layout, and mixtures of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from labelled_folders import photo, write_acdc, write_disk, write_places, write_tokyo
from torch import Tensor

from dad_sfm.core.config import ConfigError
from dad_sfm.train.data.acdc_pairs import ACDCConf
from dad_sfm.train.data.batch import DataConf, warp_points
from dad_sfm.train.data.disk_photo_pairs import DiskPhotoConf
from dad_sfm.train.data.folder_pairs import FolderConf
from dad_sfm.train.data.labelled_batch import LabelledBatch
from dad_sfm.train.data.labelled_views import LabelledHomographyConf, LabelledRenderedConf
from dad_sfm.train.data.mixture import MixtureConf
from dad_sfm.train.data.photo_pairs import other_index
from dad_sfm.train.data.plugs import LABELLED, data_conf, make_data, needs_photos
from dad_sfm.train.data.rendered_pairs import RenderedConf
from dad_sfm.train.presets import PRESETS

CPU = torch.device("cpu")
SMALL = {"size": 64, "batch": 8}


def batches(conf: DataConf, photos: object = (), *, steps: int = 4, seed: int = 0):
    data = make_data(LABELLED, conf, photos, seed)
    return [data.batch(step).to(CPU) for step in range(steps)]


def colours(images: Tensor) -> Tensor:
    """B×3 bytes: the colour in the middle of each image."""
    return (images[:, :, 32, 32] * 255).round().int()


def pairs_of(conf: DataConf, photos: object = ()) -> list[tuple[bool, list[int], list[int]]]:
    """Label and both colours of all pairs of some batches."""
    rows = []
    for batch in batches(conf, photos):
        ones, others = colours(batch.images_a), colours(batch.images_b)
        rows += [
            (bool(label), a.tolist(), b.tolist())
            for label, a, b in zip(batch.positive, ones, others, strict=True)
        ]
    assert {label for label, _, _ in rows} == {True, False}
    return rows


def near(one: int, other: int) -> bool:
    return abs(one - other) <= 4  # JPEG


def test_photos_of_one_folder_show_the_same_place(tmp_path: Path) -> None:
    root = write_places(tmp_path / "places")
    photo(tmp_path / "places" / "alone" / "0.png", (250, 0, 0))  # no pair can be made of it
    for label, a, b in pairs_of(FolderConf(**SMALL, places=str(root))):
        assert (a[0] == b[0]) == label
        assert a != b
        assert a[0] < 250
    assert pairs_of(FolderConf(**SMALL), [root])
    assert pairs_of(FolderConf(**SMALL), sorted(root.rglob("*.png")))
    one = write_places(tmp_path / "one", places=1)
    with pytest.raises(ConfigError, match=r"at least two folders .* there are 1: .*--places"):
        batches(FolderConf(**SMALL), [one])


def test_three_photos_of_tokyo_in_a_row_are_one_place(tmp_path: Path) -> None:
    root = write_tokyo(tmp_path)
    for label, a, b in pairs_of(TOKYO := tokyo(root)):
        assert near(a[0], b[0]) == label
        assert not (label and near(a[1], b[1]))
    (root / "00012.jpg").unlink()  # the last place is not whole any more
    places = make_data(LABELLED, TOKYO, (), 0).places
    assert [path.name for path in places[-1]] == ["00007.jpg", "00008.jpg", "00009.jpg"]
    with pytest.raises(FileNotFoundError, match="datasets/tokyo247"):
        batches(tokyo(tmp_path / "nowhere"))


def tokyo(root: Path) -> DataConf:
    return data_conf(LABELLED, "tokyo", DataConf(**SMALL), tokyo=str(root))


def test_acdc_pairs_a_frame_with_its_reference(tmp_path: Path) -> None:
    conf = ACDCConf(**SMALL, acdc=str(write_acdc(tmp_path)), rows=30)
    for label, a, b in pairs_of(conf):
        assert (a[2], b[2]) == (200, 0)  # fair weather, then adverse
        apart = abs(a[0] - b[0]) // 5
        assert apart == 0 if label else apart >= 20
    (batch,) = batches(conf, steps=1)
    assert batch.inside_a[0].sum() == 60 * 30  # without the bonnet of the car
    with pytest.raises(ConfigError, match="hail"):
        replace(conf, conditions=("fog", "hail"))
    with pytest.raises(FileNotFoundError, match="found 24 frames"):
        batches(replace(conf, conditions=("fog",)))


def test_disks_triplets_show_the_same_place(tmp_path: Path) -> None:
    conf = DiskPhotoConf(**SMALL, megadepth=str(write_disk(tmp_path)))
    for label, a, b in pairs_of(conf):
        assert near(a[0], b[0]) == label
        if label:
            first, last = sorted((round(a[1] / 60), round(b[1] / 60)))
            assert (first, last) in {(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)}
    few = make_data(LABELLED, replace(conf, max_pairs=2), (), 0)
    assert [len(pairs) for pairs in few._pairs] == [2, 2, 2]
    with pytest.raises(FileNotFoundError, match=r"dataset\.json is missing"):
        batches(replace(conf, megadepth=str(tmp_path / "nowhere")))


def test_photos_are_padded_to_a_square_around_them(tmp_path: Path) -> None:
    root = write_places(tmp_path)
    (batch,) = batches(FolderConf(size=32, batch=2, places=str(root)), steps=1)
    assert batch.images_a.shape == (2, 3, 32, 32)
    # 60×40 becomes 32×21: five rows above it and six below.
    rows = batch.inside_a[0].any(dim=1)
    assert rows.nonzero().flatten().tolist() == list(range(5, 26))
    assert (batch.images_a[0] * ~batch.inside_a[0]).abs().max() == 0
    assert batch.b_from_a is None


def test_photos_that_cannot_be_decoded_are_passed_over(tmp_path: Path) -> None:
    root = write_places(tmp_path)
    (root / "place0" / "0.png").write_bytes(b"no image")
    for _ in range(2):
        batches(FolderConf(**SMALL, places=str(root)))


@pytest.fixture(params=["homography", "rendered"])
def views(request: pytest.FixtureRequest, photos: Path, bank: RenderedConf) -> LabelledBatch:
    if request.param == "homography":
        conf: DataConf = LabelledHomographyConf(size=96, batch=12)
    else:
        conf = LabelledRenderedConf(**{**vars(bank), "batch": 12})
    (batch,) = batches(conf, [photos], steps=1)
    return batch


def test_a_negative_pair_is_of_two_subjects_and_a_positive_one_is_warped(
    views: LabelledBatch,
) -> None:
    assert 0 < views.positive.sum() < len(views.positive)
    assert views.inside_a.all()
    assert not views.valid_a[~views.positive].any()
    points = torch.rand(12, 500, 2, generator=torch.Generator().manual_seed(0)) * 95
    there, seen = warp_points(points, views.b_from_a, views.valid_a)
    assert seen[views.positive].any(dim=1).all()
    grid = (2 * there + 1) / 96 - 1
    here = (2 * points + 1) / 96 - 1
    read = [
        torch.nn.functional.grid_sample(images, where[:, None], align_corners=False)[:, :, 0]
        for images, where in ((views.images_a, here), (views.images_b, grid))
    ]
    for number in views.positive.nonzero().flatten().tolist():
        a, b = (each[number][:, seen[number]].mean(dim=0) for each in read)
        # Whatever light there is in each, what is bright here is bright there.
        assert torch.corrcoef(torch.stack([a, b]))[0, 1] > 0.5


def test_a_mixture_is_named_by_its_parts(tmp_path: Path) -> None:
    options = {
        "megadepth": str(write_disk(tmp_path / "disk")),
        "tokyo": str(write_tokyo(tmp_path / "tokyo")),
        "acdc": None,
    }
    conf = data_conf(LABELLED, "megadepth+tokyo", PRESETS["ripe"].data, batch=2, **options)
    assert isinstance(conf, MixtureConf)
    assert conf.names == ("megadepth", "tokyo")
    assert [type(part).name for part in conf.parts] == ["megadepth", "tokyo"]
    assert {part.size for part in conf.parts} == {560}
    assert conf.shares == pytest.approx([0.8, 0.2])
    disk, tokyo = conf.parts
    small = replace(conf, parts=(replace(disk, size=64), replace(tokyo, size=32)))
    data = make_data(LABELLED, small, (), 0)
    sizes = [data.batch(step).size for step in range(200)]
    assert sizes.count(64) + sizes.count(32) == 200
    assert 20 < sizes.count(32) < 60
    assert torch.equal(data.batch(7).positive, data.batch(7).positive)
    with pytest.raises(ConfigError, match="--acdc does not go with --data megadepth"):
        data_conf(LABELLED, "megadepth+tokyo", PRESETS["ripe"].data, acdc="here")
    with pytest.raises(ConfigError, match="no shares of megadepth"):
        replace(conf, weights=(1.0,))
    with pytest.raises(ConfigError, match="unknown data 'oxford'"):
        data_conf(LABELLED, "megadepth+oxford", PRESETS["ripe"].data)


def test_a_mixture_draws_by_its_shares() -> None:
    conf = MixtureConf(names=("a", "b", "c"), parts=(DataConf(),) * 3)
    assert conf.shares == pytest.approx([0.8, 0.1, 0.1])
    assert replace(conf, weights=(1.0, 1.0, 2.0)).shares == [0.25, 0.25, 0.5]


def test_which_data_needs_photos() -> None:
    assert needs_photos(LABELLED, "homography")
    assert needs_photos(LABELLED, "megadepth+homography")
    assert not needs_photos(LABELLED, "megadepth+tokyo")


def test_another_index_keeps_its_distance() -> None:
    rng = np.random.default_rng(0)
    found = {other_index(rng, 10, 4, distance=3) for _ in range(200)}
    assert found == {0, 1, 7, 8, 9}
