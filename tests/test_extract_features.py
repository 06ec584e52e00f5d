"""Step 1, from files to a file."""

from __future__ import annotations

import copy
import logging
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from fakes import BrightDots
from PIL import Image
from safetensors.torch import save_file

from dad_sfm import extract_features
from dad_sfm.config import ConfigError
from dad_sfm.descriptors import DESCRIPTORS
from dad_sfm.detectors import DETECTORS
from dad_sfm.detectors.dad.network import DaD
from dad_sfm.images import ImageError
from dad_sfm.store import FeatureReader, StoreError

DOTS = np.array([[60.0, 50.0], [301.3, 80.7], [150.25, 222.6]], dtype=np.float32)
SIZE = (403, 301)  # both sides are rounded when resized, each with another scale


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    for registry in (DETECTORS, DESCRIPTORS):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    DETECTORS.add("bright-dots", "fakes:BrightDots")
    DESCRIPTORS.add("position", "fakes:Position")
    monkeypatch.setattr(BrightDots, "seen", 0)


def preset(**model: Any) -> dict[str, Any]:
    return {
        "output": "feats-dots",
        "model": {"name": "bright-dots", **model},
        "preprocessing": {"resize_max": 200},
    }


def described(**model: Any) -> dict[str, Any]:
    return preset(descriptor={"name": "position"}, **model)


def dots(size: tuple[int, int] = SIZE, points: np.ndarray = DOTS, sigma: float = 5.0) -> np.ndarray:
    """H×W×3 uint8 picture of Gaussian dots at pixel-index points, each fainter than the last."""
    W, H = size
    y, x = np.mgrid[:H, :W]
    grey = np.zeros((H, W))
    for i, (u, v) in enumerate(points):
        grey += (0.95 - 0.2 * i) * np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * sigma**2))
    return np.repeat(np.round(255 * grey)[..., None], 3, axis=2).astype(np.uint8)


def save(path: Path, pixels: np.ndarray | None = None, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(dots() if pixels is None else pixels).save(path, **options)
    return path


def red() -> np.ndarray:
    """A picture that the fake detector cannot take."""
    pixels = np.zeros((200, 200, 3), np.uint8)
    pixels[..., 0] = 255
    return pixels


# ------------------------------------------------------------------------------- pixel frames
@pytest.mark.parametrize("preprocessing", [{}, {"resize_max": 200}, {"resize_max": 320}])
def test_points_are_in_the_frame_of_the_file(tmp_path: Path, preprocessing: dict) -> None:
    save(tmp_path / "images/a.png")
    conf = {**preset(radius=20), "preprocessing": preprocessing}
    path = extract_features.main(conf, tmp_path / "images", tmp_path)
    with FeatureReader(path) as reader:
        features = reader.read("a.png")
    assert features.image_size == SIZE
    assert np.linalg.norm(features.keypoints_px - DOTS, axis=1).max() < 0.05
    assert (np.diff(features.scores) <= 0).all()


def test_uncertainty_is_the_noise_at_the_larger_scale(tmp_path: Path) -> None:
    save(tmp_path / "images/a.png")
    path = extract_features.main(preset(), tmp_path / "images", tmp_path)
    with h5py.File(path) as file:
        uncertainty = file["a.png/keypoints"].attrs["uncertainty"]
    assert uncertainty == pytest.approx(0.5 * max(403 / 200, 301 / 144))


def test_small_images_are_enlarged_only_when_forced(tmp_path: Path) -> None:
    save(tmp_path / "images/a.png", dots((96, 80), DOTS[:1] / 2, sigma=4))
    for force, scale in ((False, 1.0), (True, 96 / 200)):
        preprocessing = {"resize_max": 200, "resize_force": force}
        conf = {**preset(radius=20), "preprocessing": preprocessing}
        path = extract_features.main(conf, tmp_path / "images", feature_path=tmp_path / f"{force}")
        with FeatureReader(path) as reader:
            features = reader.read("a.png")
        assert features.uncertainty_px == pytest.approx(0.5 * scale, rel=0.05)
        np.testing.assert_allclose(features.keypoints_px, DOTS[:1] / 2, atol=0.05)


# ----------------------------------------------------------------------------- all kinds of files
def test_kinds_of_images(tmp_path: Path) -> None:
    root, pixels = tmp_path / "images", dots()
    grey = pixels[..., 0]
    save(root / "rgb.jpg", quality=95)
    save(root / "grey.png", grey)
    save(root / "deep.png", grey.astype(np.uint16) * 257)
    save(root / "rgba.png", np.dstack([pixels, np.full_like(grey, 255)]))
    Image.fromarray(pixels).convert("CMYK").save(root / "cmyk.jpg", quality=95)
    path = extract_features.main(preset(), root, tmp_path)
    with FeatureReader(path) as reader:
        assert reader.names() == ["cmyk.jpg", "deep.png", "grey.png", "rgb.jpg", "rgba.png"]
        assert reader.failures == {}
        for name in reader.names():
            np.testing.assert_allclose(reader.read(name).keypoints_px, DOTS, atol=0.1)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_bad_images_are_skipped_logged_and_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, batch_size: int
) -> None:
    root = tmp_path / "images"
    save(root / "a.jpg")
    cut = save(root / "cut.jpg")
    cut.write_bytes(cut.read_bytes()[:2000])
    (root / "empty.png").touch()
    (root / "text.jpg").write_text("not an image")
    save(root / "q.png", dots((200, 200)))
    save(root / "red.png", red())
    save(root / "s.png", dots((200, 200)))
    with caplog.at_level(logging.WARNING):
        path = extract_features.main(preset(), root, tmp_path, batch_size=batch_size)
    bad = ["cut.jpg", "empty.png", "red.png", "text.jpg"]
    with FeatureReader(path) as reader:
        assert reader.names() == ["a.jpg", "q.png", "s.png"]
        assert sorted(reader.failures) == bad
        assert "cannot be decoded" in reader.failures["cut.jpg"]
        assert "not an image" in reader.failures["text.jpg"]
        assert "no red, please" in reader.failures["red.png"]
    assert all(any(name in record.message for record in caplog.records) for name in bad)

    # Mended images are taken up by the next run, and leave the record.
    save(root / "cut.jpg")
    extract_features.main(preset(), root, tmp_path)
    with FeatureReader(path) as reader:
        assert "cut.jpg" in reader
        assert sorted(reader.failures) == ["empty.png", "red.png", "text.jpg"]


def test_error_when_no_image_can_be_used(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_text("not an image")
    with pytest.raises(ImageError, match=r"none of the 2 images .* first: a\.jpg: .*not an image"):
        extract_features.main(preset(), tmp_path, tmp_path)


def test_a_fault_of_the_detector_is_not_taken_for_a_bad_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise AttributeError("a mistake in the code")

    save(tmp_path / "images/a.png")
    monkeypatch.setattr(BrightDots, "__call__", broken)
    with pytest.raises(AttributeError):
        extract_features.main(preset(), tmp_path / "images", tmp_path)


def test_names(tmp_path: Path) -> None:
    root = tmp_path / "my images"
    names = ["left cam/IMG 1.png", "left cam/Müller 東京.png", "right/deep/er/IMG 1.png", "x.png"]
    for name in names:
        save(root / name)
    path = extract_features.main(preset(), root, tmp_path / "out put")
    with FeatureReader(path) as reader:
        assert reader.names() == sorted(names)


def test_blank_image_gives_no_keypoints(tmp_path: Path) -> None:
    root = tmp_path / "images"
    save(root / "blank.png", np.full((80, 96, 3), 128, np.uint8))
    save(root / "noise.png", np.random.RandomState(0).randint(0, 255, (80, 96, 3), np.uint8))
    state = {k: v.contiguous() for k, v in DaD().state_dict().items()}
    weights = tmp_path / "random.safetensors"
    save_file(state, weights)
    conf = {"output": "feats", "model": {"name": "dad", "weights": str(weights)}}
    path = extract_features.main(conf, root, tmp_path, device="cpu")
    with FeatureReader(path) as reader:
        blank, noise = reader.read("blank.png"), reader.read("noise.png")
        assert reader.provenance["identity"]["detector"]["name"] == "dad"
        assert len(reader.provenance["identity"]["detector"]["weights"]) == 64
    assert len(blank) == 0
    assert blank.image_size == (96, 80)
    assert len(noise) > 20
    # The same weights from another place make the same features: the run goes on.
    moved = weights.rename(tmp_path / "moved.safetensors")
    conf["model"]["weights"] = str(moved)  # type: ignore[index]
    extract_features.main(conf, root, tmp_path, device="cpu")


# --------------------------------------------------------------------------- what is in the file
@pytest.mark.parametrize("as_half", [True, False])
def test_as_half_touches_descriptors_only(tmp_path: Path, as_half: bool) -> None:
    save(tmp_path / "images/a.png")
    path = extract_features.main(described(), tmp_path / "images", tmp_path, as_half)
    with h5py.File(path) as file:
        group = file["a.png"]
        assert group["keypoints"].dtype == group["scores"].dtype == np.float32
        assert group["descriptors"].dtype == (np.float16 if as_half else np.float32)
        assert group["descriptors"].shape == (4, len(DOTS))
        assert group["image_size"][()].tolist() == list(SIZE)


def test_descriptors_of_the_detector_stay_unless_others_are_named(tmp_path: Path) -> None:
    save(tmp_path / "images/a.png")
    for conf, dim in ((preset(own_descriptors=True), 3), (described(own_descriptors=True), 4)):
        path = extract_features.main(conf, tmp_path / "images", feature_path=tmp_path / f"{dim}.h5")
        with FeatureReader(path) as reader:
            descriptors = reader.read("a.png").descriptors
        assert descriptors is not None
        assert descriptors.shape == (3, dim)


def test_described_points_are_those_of_the_resized_image(tmp_path: Path) -> None:
    save(tmp_path / "images/a.png")
    path = extract_features.main(described(), tmp_path / "images", tmp_path)
    with FeatureReader(path) as reader:
        features = reader.read("a.png")
    assert features.descriptors is not None
    x = np.arctan2(features.descriptors[:, 1], features.descriptors[:, 0]) * 200
    np.testing.assert_allclose((x + 0.5) * 403 / 200 - 0.5, DOTS[:, 0], atol=0.3)


def test_batches_give_the_same_features(tmp_path: Path) -> None:
    root = tmp_path / "images"
    for i, size in enumerate([SIZE, SIZE, SIZE, (200, 160), SIZE]):
        save(root / f"{i}.png", dots(size, DOTS[: 1 + i % 3] / 2))
    files = [
        extract_features.main(
            described(), root, feature_path=tmp_path / f"{n}.h5", batch_size=n, device="cpu"
        )
        for n in (1, 2, 16)
    ]
    with FeatureReader(files[0]) as reader:
        names = reader.names()
    for name in names:
        features = []
        for file in files:
            with FeatureReader(file) as reader:
                features.append(reader.read(name))
        for other in features[1:]:
            np.testing.assert_array_equal(features[0].keypoints_px, other.keypoints_px)
            np.testing.assert_array_equal(features[0].descriptors, other.descriptors)


# ------------------------------------------------------------------------------ configurations
def test_called_as_hloc_does(tmp_path: Path) -> None:
    root, outputs = tmp_path / "images", tmp_path / "outputs"
    for name in ("db/1.png", "db/2.png", "query/1.png"):
        save(root / name)
    path = extract_features.main(preset(), root, outputs)
    assert path == outputs / "feats-dots.h5"
    references = ["db/1.png", "db/2.png"]
    path = extract_features.main(
        preset(), root, image_list=references, feature_path=outputs / "some.h5"
    )
    assert path == outputs / "some.h5"
    with FeatureReader(path) as reader:
        assert reader.names() == references
    (tmp_path / "list.txt").write_text("query/1.png\n")
    extract_features.main(preset(), root, None, True, tmp_path / "list.txt", path, False)
    with FeatureReader(path) as reader:
        assert reader.names() == [*references, "query/1.png"]
    with pytest.raises(ValueError, match="export_dir or feature_path"):
        extract_features.main(preset(), root)
    with pytest.raises(FileNotFoundError, match=r"query/3\.png"):
        extract_features.main(preset(), root, outputs, image_list=["query/3.png"])


def test_changed_copies_of_a_preset(tmp_path: Path) -> None:
    save(tmp_path / "images/a.png")
    extract_features.confs["dots"] = preset()
    try:
        conf = copy.deepcopy(extract_features.confs["dots"])
        conf["model"]["max_keypoints"] = 2
        conf["output"] = "feats-two"
        path = extract_features.main(conf, tmp_path / "images", tmp_path)
    finally:
        del extract_features.confs["dots"]
    with FeatureReader(path) as reader:
        assert len(reader.read("a.png")) == 2
        assert reader.provenance["detector"]["max_keypoints"] == 2
        assert reader.provenance["detector"]["radius"] == 9  # a default, written out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {"name": "bright-dots", "max_keypoint": 5}}, "'max_keypoint'"),
        ({"model": {"name": "bright-dogs"}}, "unknown detector 'bright-dogs'"),
        ({"model": {"max_keypoints": 5}}, "missing key 'name'"),
        ({"model": {"name": "bright-dots", "descriptor": {"name": "what"}}}, "unknown descriptor"),
        ({"model": {"name": "bright-dots", "descriptor": {"name": "position", "x": 1}}}, "'x'"),
        ({"preprocessing": {"resize": 5}}, "'resize'"),
        ({"preprocess": {}}, "'preprocess'"),
    ],
)
def test_unknown_keys_and_names_are_refused(tmp_path: Path, change: dict, message: str) -> None:
    save(tmp_path / "images/a.png")
    with pytest.raises(ConfigError, match=message):
        extract_features.main({**preset(), **change}, tmp_path / "images", tmp_path)
    assert not (tmp_path / "feats-dots.h5").exists()


@pytest.mark.parametrize("name", sorted(extract_features.confs))
def test_presets_hold_known_options(name: str) -> None:
    conf = copy.deepcopy(extract_features.confs[name])
    descriptor = conf["model"].pop("descriptor", None)
    DETECTORS.conf(conf["model"])
    if descriptor is not None:
        DESCRIPTORS.conf(descriptor)
    assert set(conf) == {"output", "model", "preprocessing"}
    outputs = [c["output"] for c in extract_features.confs.values()]
    assert len(set(outputs)) == len(outputs)


# ------------------------------------------------------------------------------------- resuming
def test_resumes_with_what_is_missing(tmp_path: Path) -> None:
    root = tmp_path / "images"
    save(root / "a.png")
    save(root / "b.png")
    path = extract_features.main(preset(), root, tmp_path)
    assert BrightDots.seen == 2
    save(root / "c.png")
    extract_features.main(preset(), root, tmp_path)
    assert BrightDots.seen == 3
    extract_features.main(preset(), root, tmp_path, overwrite=True)
    assert BrightDots.seen == 6
    with FeatureReader(path) as reader:
        assert reader.names() == ["a.png", "b.png", "c.png"]


@pytest.mark.parametrize(
    "other",
    [
        preset(max_keypoints=2),
        described(),
        {**preset(), "preprocessing": {"resize_max": 201}},
    ],
)
def test_a_file_of_another_configuration_is_refused(tmp_path: Path, other: dict) -> None:
    save(tmp_path / "images/a.png")
    path = extract_features.main(preset(), tmp_path / "images", tmp_path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another configuration"):
        extract_features.main(other, tmp_path / "images", tmp_path)
    assert path.read_bytes() == before
    extract_features.main(other, tmp_path / "images", tmp_path, overwrite=True)


def test_a_killed_run_is_taken_up_where_it_was(tmp_path: Path) -> None:
    root = tmp_path / "images"
    for i in range(5):
        save(root / f"{i}.png")
    program = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from fakes import BrightDots
from dad_sfm import extract_features
from dad_sfm.detectors import DETECTORS
DETECTORS.add("bright-dots", "fakes:BrightDots")
detect = BrightDots.__call__
def dying(self, images):
    if BrightDots.seen == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return detect(self, images)
BrightDots.__call__ = dying
extract_features.main({preset()!r}, {str(root)!r}, {str(tmp_path)!r})
"""
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    path = extract_features.main(preset(), root, tmp_path)
    assert BrightDots.seen == 2
    with FeatureReader(path) as reader:
        assert len(reader.names()) == 5


def test_gradients_are_not_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detect, modes = BrightDots.__call__, []

    def watched(self: BrightDots, images: torch.Tensor) -> Any:
        modes.append(torch.is_inference_mode_enabled())
        return detect(self, images)

    monkeypatch.setattr(BrightDots, "__call__", watched)
    save(tmp_path / "images/a.png")
    extract_features.main(preset(), tmp_path / "images", tmp_path)
    assert modes == [True]
    assert not torch.is_inference_mode_enabled()
