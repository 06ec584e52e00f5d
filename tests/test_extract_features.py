"""Step 1, from files to a file."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from dot_pictures import DOTS, SIZE, described, dots, preset, red, save
from fakes import BrightDots
from PIL import Image
from safetensors.torch import save_file

from dad_sfm import extract_features
from dad_sfm.io.images import ImageError
from dad_sfm.io.store import FeatureReader
from dad_sfm.models.dad import DaD

pytestmark = pytest.mark.usefixtures("dot_plugins")


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
