"""Step 3: file in, file out; everything checked before the first pair is matched."""

from __future__ import annotations

import logging
from pathlib import Path

import h5py
import numpy as np
import pytest

from dad_sfm.core.config import ConfigError
from dad_sfm.core.types import Features, Matches
from dad_sfm.io.pairs_file import write_pairs
from dad_sfm.io.store import FeatureReader, FeatureWriter, MatchReader, StoreError
from dad_sfm.match_features import MatchingError, confs, main
from dad_sfm.matchers import MATCHERS
from dad_sfm.matchers.base import View
from dad_sfm.matchers.nearest import NearestNeighbor, NearestNeighborConf

NAMES = ["a.jpg", "sub dir/b.jpg", "ü.jpg"]
PAIRS = [(NAMES[0], NAMES[1]), (NAMES[2], NAMES[0]), (NAMES[1], NAMES[2])]
MADE = {"identity": {"detector": {"name": "test"}, "descriptor": {"name": "random", "dim": 32}}}


def some_features(seed: int, n: int = 50, dim: int | None = 32) -> Features:
    """Noisy views of the same descriptors, in an order of their own."""
    rng = np.random.default_rng(seed)
    points = rng.random((n, 2)).astype(np.float32) * 100
    descriptors = None
    if dim is not None:
        scene = np.random.default_rng(0).standard_normal((n, dim))
        descriptors = rng.permutation(scene + 0.3 * rng.standard_normal((n, dim)))
        descriptors = descriptors.astype(np.float32)
    return Features(points, np.ones(n, np.float32), (100, 100), descriptors)


def write_features(path: Path, names: list[str] = NAMES, made: dict = MADE, **options) -> Path:
    with FeatureWriter(path, made) as writer:
        for seed, name in enumerate(names, start=1):
            writer.write(name, some_features(seed, **options))
    return path


@pytest.fixture
def features(tmp_path: Path) -> Path:
    return write_features(tmp_path / "feats.h5")


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    write_pairs(tmp_path / "pairs-all.txt", PAIRS)
    return tmp_path / "pairs-all.txt"


# ------------------------------------------------------------------------------- matching
@pytest.mark.parametrize("name", ["NN-mutual", "NN-ratio"])
def test_a_file_holds_what_the_matcher_finds(
    features: Path, pairs: Path, tmp_path: Path, name: str
) -> None:
    path = main(confs[name], pairs, features, matches=tmp_path / "new" / "m.h5")
    options = dict(confs[name]["model"])
    del options["name"]
    matcher = NearestNeighbor(NearestNeighborConf(**options))
    with FeatureReader(features) as read, MatchReader(path) as found:
        for name0, name1 in PAIRS:
            expected = matcher.match(read.read(name0).descriptors, read.read(name1).descriptors)
            stored = found.read(name0, name1)
            assert (expected.matches0 >= 0).sum() > 20
            np.testing.assert_array_equal(stored.matches0, expected.matches0)
            np.testing.assert_allclose(stored.scores0, expected.scores0, atol=1e-3)


def test_files_are_named_as_hloc_names_them(features: Path, pairs: Path, tmp_path: Path) -> None:
    path = main(confs["NN-mutual"], pairs, "feats", tmp_path)
    assert path == tmp_path / "feats_matches-NN-mutual_pairs-all.h5"
    assert path.is_file()
    with h5py.File(path) as file:
        assert set(file["a.jpg/sub dir-b.jpg"]) == {"matches0", "matching_scores0"}


def test_pairs_that_are_done_are_left_in_either_order(
    features: Path, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, str]] = []
    original = NearestNeighbor.__call__

    def counted(self: NearestNeighbor, view0: View, view1: View) -> Matches:
        calls.append((view0.name, view1.name))
        return original(self, view0, view1)

    monkeypatch.setattr(NearestNeighbor, "__call__", counted)
    matches = tmp_path / "m.h5"
    write_pairs(pairs, PAIRS[:1])
    main(confs["NN-mutual"], pairs, features, matches=matches)
    write_pairs(pairs, [PAIRS[0][::-1], *PAIRS[1:]])
    main(confs["NN-mutual"], pairs, features, matches=matches)
    assert sorted(calls) == sorted(PAIRS)  # several at a time, in any order
    main(confs["NN-mutual"], pairs, features, matches=matches, overwrite=True)
    assert sorted(calls) == sorted([*PAIRS, PAIRS[0][::-1], *PAIRS[1:]])
    with MatchReader(matches) as reader:
        assert all(reader.has(*pair) for pair in PAIRS)


def test_resuming_with_something_else_is_refused(
    features: Path, pairs: Path, tmp_path: Path
) -> None:
    matches = main(confs["NN-mutual"], pairs, features, matches=tmp_path / "m.h5")
    with pytest.raises(StoreError, match="made by another configuration"):
        main(confs["NN-ratio"], pairs, features, matches=matches)
    other = write_features(tmp_path / "other.h5", made={"detector": "other"})
    with pytest.raises(StoreError, match="made by another configuration"):
        main(confs["NN-mutual"], pairs, other, matches=matches)
    moved = features.rename(tmp_path / "moved.h5")  # the same features at another place
    main(confs["NN-mutual"], pairs, moved, matches=matches)


def test_a_feature_file_of_hloc_is_matched(pairs: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "hloc.h5", "w", libver="latest") as file:
        for seed, name in enumerate(NAMES):
            given = some_features(seed)
            group = file.create_group(name)
            group["keypoints"] = given.keypoints_px.astype(np.float16)
            group["keypoint_scores"] = given.scores.astype(np.float16)
            group["descriptors"] = given.descriptors.T.astype(np.float16)
            group["image_size"] = np.array([100, 100])
    path = main(confs["NN-mutual"], pairs, tmp_path / "hloc.h5", matches=tmp_path / "m.h5")
    with MatchReader(path) as reader:
        assert (reader.read(*PAIRS[0]).matches0 >= 0).sum() > 20


def test_two_feature_files(features: Path, tmp_path: Path) -> None:
    queries = write_features(tmp_path / "q.h5", ["query.jpg"])
    write_pairs(tmp_path / "p.txt", [("query.jpg", name) for name in NAMES])
    path = main(
        confs["NN-mutual"],
        tmp_path / "p.txt",
        queries,
        matches=tmp_path / "m.h5",
        features_ref=features,
    )
    with MatchReader(path) as reader:
        # The query has the seed of the first image.
        assert (reader.read("query.jpg", NAMES[0]).matches0 == np.arange(50)).all()
        assert reader.has("query.jpg", NAMES[2])


def test_images_without_keypoints(pairs: Path, tmp_path: Path) -> None:
    path = write_features(tmp_path / "f.h5", NAMES[:2])
    with FeatureWriter(path, MADE) as writer:
        writer.write(NAMES[2], some_features(3, n=0, dim=None))
    matches = main(confs["NN-ratio"], pairs, path, matches=tmp_path / "m.h5")
    with MatchReader(matches) as reader:
        assert reader.failures == {}
        assert len(reader.read(NAMES[2], NAMES[0]).matches0) == 0
        assert (reader.read(NAMES[1], NAMES[2]).matches0 == -1).all()


# ------------------------------------------------------------------------- checked up front
@pytest.fixture
def no_matching(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Matches:
        raise AssertionError("a pair was matched")

    monkeypatch.setattr(NearestNeighbor, "__call__", refuse)


@pytest.mark.usefixtures("no_matching")
class TestBeforeTheFirstPair:
    def check(self, error: type, message: str, *args: object, conf: str = "NN-mutual", **options):
        options.setdefault("matches", None)
        with pytest.raises(error, match=message):
            main(confs[conf], *args, **options)

    def test_all_missing_images_are_listed(self, tmp_path: Path, features: Path) -> None:
        write_pairs(tmp_path / "p.txt", [("x.jpg", "a.jpg"), ("a.jpg", "y z.jpg")])
        self.check(
            MatchingError,
            r"feats.h5: no features of 2 of the 3 images in .*p.txt: x.jpg, y z.jpg; extract",
            tmp_path / "p.txt",
            features,
            matches=tmp_path / "m.h5",
        )
        assert not (tmp_path / "m.h5").exists()

    def test_features_without_descriptors(self, tmp_path: Path, pairs: Path) -> None:
        path = write_features(tmp_path / "f.h5", dim=None)
        message = r"f.h5: no descriptors of 3 of 3 images: .*'dad-nano\+rootsift'"
        self.check(MatchingError, message, pairs, path, matches=tmp_path / "m.h5")

    def test_descriptors_of_other_dimensions(self, tmp_path: Path, features: Path) -> None:
        other = write_features(tmp_path / "o.h5", ["o.jpg"], made={}, dim=64)
        write_pairs(tmp_path / "p.txt", [("a.jpg", "o.jpg")])
        self.check(
            MatchingError,
            r"different kinds .*32-D: a.jpg in .*feats.h5; 64-D: o.jpg in .*o.h5",
            tmp_path / "p.txt",
            features,
            matches=tmp_path / "m.h5",
            features_ref=other,
        )

    def test_descriptors_of_other_networks(self, tmp_path: Path, features: Path) -> None:
        made = {"identity": {"detector": {"name": "aliked"}}}
        other = write_features(tmp_path / "o.h5", ["o.jpg"], made=made)
        write_pairs(tmp_path / "p.txt", [("a.jpg", "o.jpg")])
        self.check(
            MatchingError,
            r"feats.h5 holds .*'random'.*o.h5 holds .*'aliked'",
            tmp_path / "p.txt",
            features,
            matches=tmp_path / "m.h5",
            features_ref=other,
        )

    def test_names_that_a_match_file_cannot_tell_apart(self, tmp_path: Path) -> None:
        path = write_features(tmp_path / "f.h5", ["x/a.jpg", "x-a.jpg", "b.jpg"])
        write_pairs(tmp_path / "p.txt", [("x/a.jpg", "b.jpg"), ("b.jpg", "x-a.jpg")])
        matches = tmp_path / "m.h5"
        self.check(StoreError, "apart.*rename", tmp_path / "p.txt", path, matches=matches)

    def test_paths(self, tmp_path: Path, features: Path, pairs: Path) -> None:
        self.check(MatchingError, "say with matches=", pairs, features)
        self.check(MatchingError, "'feats' is no feature file: give export_dir", pairs, "feats")
        self.check(FileNotFoundError, "no such file: .*other.h5", pairs, "other", tmp_path)
        self.check(FileNotFoundError, "no such pairs file", tmp_path / "n.txt", "feats", tmp_path)

    def test_configuration(self, tmp_path: Path, features: Path, pairs: Path) -> None:
        for conf, message in (
            ({"output": "m", "model": {"name": "nearest_neighbor", "ratio": 1}}, "key 'ratio'"),
            ({"output": "m", "model": {"name": "superglue"}}, "unknown matcher 'superglue'"),
            ({"output": "m", "model": {}}, "missing key 'name'"),
            ({"model": {"name": "nearest_neighbor"}}, "missing key 'output'"),
        ):
            with pytest.raises(ConfigError, match=message):
                main(conf, pairs, "feats", tmp_path)


# -------------------------------------------------------------------- when something breaks
def test_images_that_extraction_could_not_use_are_left_out(
    features: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with FeatureWriter(features, MADE) as writer:
        writer.write_failures({"cut.jpg": "cannot be decoded"})
    write_pairs(tmp_path / "p.txt", [("a.jpg", "cut.jpg"), ("cut.jpg", "ü.jpg"), *PAIRS])
    with caplog.at_level(logging.WARNING):
        path = main(confs["NN-mutual"], tmp_path / "p.txt", features, matches=tmp_path / "m.h5")
    assert "could not use them: cut.jpg" in caplog.text
    with MatchReader(path) as reader:
        assert all(reader.has(*pair) for pair in PAIRS)
        assert not reader.has("a.jpg", "cut.jpg")


def test_a_pair_that_fails_is_recorded_and_tried_again(
    features: Path, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = NearestNeighbor.__call__

    def sometimes(self: NearestNeighbor, view0: View, view1: View) -> Matches:
        if (view0.name, view1.name) == PAIRS[1]:
            raise RuntimeError("out of memory")
        return original(self, view0, view1)

    with monkeypatch.context() as patch:
        patch.setattr(NearestNeighbor, "__call__", sometimes)
        path = main(confs["NN-mutual"], pairs, features, matches=tmp_path / "m.h5")
        with MatchReader(path) as reader:
            assert reader.failures == {"ü.jpg a.jpg": "out of memory"}
            assert [reader.has(*pair) for pair in PAIRS] == [True, False, True]
        write_pairs(tmp_path / "one.txt", PAIRS[1:2])
        with pytest.raises(MatchingError, match=r"none of the 1 pairs .*out of memory"):
            main(confs["NN-mutual"], tmp_path / "one.txt", features, matches=path)
    main(confs["NN-mutual"], pairs, features, matches=path)
    with MatchReader(path) as reader:
        assert reader.failures == {}
        assert reader.has(*PAIRS[1])


# ---------------------------------------------------------------------- matchers of one's own
class SameName:
    """A matcher of a user's own, which looks at photos and needs no descriptors."""

    Conf = type("Conf", (NearestNeighborConf,), {})
    needs_descriptors = False
    needs_images = True
    identity = {"name": "same-name"}  # noqa: RUF012

    def __init__(self, conf: object, *, device: str) -> None: ...

    def __call__(self, view0: View, view1: View) -> Matches:
        assert view0.image_path == Path("photos") / view0.name
        n = len(view0.features)
        return Matches(np.arange(n, dtype=np.int32), np.ones(n, np.float32))


def test_a_matcher_of_photos_gets_them_and_needs_no_descriptors(
    tmp_path: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MATCHERS._entries, "mine", f"{__name__}:SameName")
    path = write_features(tmp_path / "f.h5", dim=None)
    conf = {"output": "mine", "model": {"name": "mine"}}
    with pytest.raises(MatchingError, match="matcher mine looks at the photos: give image_dir"):
        main(conf, pairs, path, matches=tmp_path / "m.h5")
    matches = main(conf, pairs, path, matches=tmp_path / "m.h5", image_dir="photos")
    with MatchReader(matches) as reader:
        assert reader.read(*PAIRS[0]).matches0.tolist() == list(range(50))
        assert reader.provenance["identity"]["matcher"] == {"name": "same-name"}
