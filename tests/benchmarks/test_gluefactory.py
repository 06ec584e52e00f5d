"""The extractor for Glue Factory, against a stand-in for its base class."""

from __future__ import annotations

import importlib.util
import sys
from copy import deepcopy
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import numpy as np
import pytest
import torch
import yaml
from blobs import texture
from kornia_range import needs_kornia
from PIL import Image
from torch import nn

from dad_sfm import extract_features
from dad_sfm.geometry.pixel_frames import colmap_from_px
from dad_sfm.io.store import FeatureReader
from dad_sfm.models.ripe import RIPE

FOLDER = Path(__file__).parents[2] / "pipelines" / "gluefactory"
CONFIGS = sorted((FOLDER / "configs").glob("*.yaml"))


class Conf(dict):
    """A dict whose keys are attributes, nested ones too, as omegaconf's are."""

    def __getattr__(self, key: str) -> object:
        value = self[key]
        return Conf(value) if isinstance(value, dict) else value


class BaseModel(nn.Module):
    """What an extractor may count on, and what it has to provide."""

    default_conf: ClassVar[dict] = {"name": None, "trainable": True, "timeit": False}
    required_data_keys: ClassVar[list[str]] = []
    are_weights_initialized = False

    def __init__(self, conf: dict) -> None:
        super().__init__()
        self.conf = Conf({**BaseModel.default_conf, **deepcopy(self.default_conf), **conf})
        self._init(self.conf)

    def forward(self, data: dict) -> dict:
        for key in self.required_data_keys:
            assert key in data, f"Missing key {key} in data"
        return self._forward(data)

    def set_initialized(self, to: bool = True) -> None:
        self.are_weights_initialized = to


@pytest.fixture
def extractor(monkeypatch: pytest.MonkeyPatch) -> type:
    base = ModuleType("gluefactory.models.base_model")
    base.BaseModel = BaseModel
    for name in ("gluefactory", "gluefactory.models"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, base.__name__, base)
    spec = importlib.util.spec_from_file_location("gluefactory_dad", FOLDER / "dad.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    models = [v for v in vars(module).values() if isinstance(v, type) and v.__module__ == spec.name]
    (model,) = [v for v in models if issubclass(v, BaseModel)]  # Glue Factory wants exactly one
    return model


def make(extractor: type, **options: object):
    return extractor({"preset": "dad-nano+rootsift", "max_num_keypoints": 900, **options})


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """H×W×3 uint8; neither side is a multiple of the stride."""
    image = texture(120, 164, seed=3)[0, :, :117, :163].permute(1, 2, 0)
    return (image * 255).round().byte().numpy()


def as_batch(*images: np.ndarray) -> torch.Tensor:
    """As Glue Factory loads them, padded to a common size on the right and below."""
    H, W = (max(image.shape[k] for image in images) for k in (0, 1))
    batch = torch.zeros(len(images), 3, H, W)
    for slot, image in zip(batch, images, strict=True):
        slot[:, : image.shape[0], : image.shape[1]] = torch.tensor(image / 255.0).permute(2, 0, 1)
    return batch


@pytest.mark.parametrize(
    "preset", ["dad-nano+rootsift", pytest.param("hessian-affine", marks=needs_kornia("0.9"))]
)
def test_points_are_those_of_the_extraction_step(
    extractor: type, pixels: np.ndarray, tmp_path: Path, preset: str
) -> None:
    Image.fromarray(pixels).save(tmp_path / "a.png")
    conf = deepcopy(extract_features.confs[preset])
    conf["model"]["max_keypoints"] = 900
    path = extract_features.main(conf, tmp_path, feature_path=tmp_path / "f.h5", as_half=False)
    with FeatureReader(path) as reader:
        expected = reader.read("a.png")
    found = make(extractor, preset=preset)({"image": as_batch(pixels)})
    n = len(expected)
    assert n > 20
    assert found["keypoints"].shape == (1, n, 2)
    assert found["keypoint_scores"].shape == (1, n)
    assert found["descriptors"].shape == (1, n, 128)
    wanted = torch.from_numpy(colmap_from_px(expected.keypoints_px))
    torch.testing.assert_close(found["keypoints"][0], wanted, atol=0.05, rtol=0)
    torch.testing.assert_close(found["descriptors"][0].norm(dim=1), torch.ones(n))
    alike = (found["descriptors"][0] * torch.from_numpy(expected.descriptors)).sum(dim=1)
    assert alike.min() > 0.99


def test_padding_holds_no_points_and_moves_none(extractor: type, pixels: np.ndarray) -> None:
    model = make(extractor, force_num_keypoints=True)
    small = pixels[:80, :104]
    data = {
        "image": as_batch(pixels, small),
        "image_size": torch.tensor([[163, 117], [104, 80]]),
    }
    found = model(data)
    assert found["keypoints"].shape == (2, 900, 2)
    assert found["descriptors"].shape == (2, 900, 128)
    for k, single in enumerate((pixels, small)):
        alone = make(extractor)({"image": as_batch(single)})
        n = alone["keypoints"].shape[1]
        assert 20 < n < 900
        torch.testing.assert_close(found["keypoints"][k, :n], alone["keypoints"][0])
        torch.testing.assert_close(found["descriptors"][k, :n], alone["descriptors"][0])
        # What fills up lies in the image, and is told apart by its score and its descriptor.
        rest = found["keypoints"][k, n:]
        assert ((rest >= 0) & (rest <= data["image_size"][k])).all()
        assert (found["keypoint_scores"][k, n:] == 0).all()
        assert (found["descriptors"][k, n:] == 0).all()


def test_a_batch_of_different_numbers_says_what_to_do(extractor: type, pixels: np.ndarray) -> None:
    blank = np.full_like(pixels, 128)
    with pytest.raises(ValueError, match="set force_num_keypoints, or take one image at a time"):
        make(extractor)({"image": as_batch(pixels, blank)})
    empty = make(extractor)({"image": as_batch(blank)})
    assert empty["keypoints"].shape == (1, 0, 2)
    assert empty["descriptors"].shape == (1, 0, 128)
    twice = make(extractor)({"image": as_batch(pixels, pixels)})
    torch.testing.assert_close(twice["keypoints"][0], twice["keypoints"][1])


def test_grey_images_are_taken(extractor: type, pixels: np.ndarray) -> None:
    grey = as_batch(pixels)[:, :1]
    found = make(extractor)({"image": grey})
    same = make(extractor)({"image": grey.expand(-1, 3, -1, -1)})
    torch.testing.assert_close(found["keypoints"], same["keypoints"])


def test_options_reach_detector_descriptor_and_resizing(
    extractor: type, pixels: np.ndarray
) -> None:
    image = as_batch(pixels)
    many = make(extractor)({"image": image})["keypoints"].shape[1]
    few = make(extractor, max_num_keypoints=10)({"image": image})["keypoints"].shape[1]
    assert few == 10
    sparse = make(extractor, detector={"nms_size": 21})({"image": image})["keypoints"].shape[1]
    assert sparse < many
    small = make(extractor, resize_max=80)({"image": image})["keypoints"]
    assert small.shape[1] < many
    assert small[..., 0].max() > 81  # in pixels of the image that was given
    model = make(extractor, preset="dad-nano", descriptor={"name": "rootsift"})
    assert model({"image": image})["descriptors"].shape == (1, many, 128)
    assert "descriptors" not in make(extractor, preset="dad-nano")({"image": image})


def test_it_is_an_extractor_with_nothing_to_train(extractor: type) -> None:
    model = make(extractor)
    assert model.are_weights_initialized
    assert not list(model.parameters())
    assert model.conf.trainable is False
    with pytest.raises(NotImplementedError):
        model.loss({}, {})
    with pytest.raises(AssertionError, match="Missing key image"):
        model({})


def test_mistakes_are_named_when_it_is_made(extractor: type) -> None:
    with pytest.raises(ValueError, match="dad: unknown option max_keypoints"):
        make(extractor, max_keypoints=3)
    with pytest.raises(ValueError, match=r"dad: unknown preset 'dada'; there are: .*dad-nano"):
        make(extractor, preset="dada")
    with pytest.raises(ValueError, match=r"unknown key 'nms'; known: .*nms_size"):
        make(extractor, detector={"nms": 3})


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_configurations_are_of_a_form_that_glue_factory_reads(extractor: type, path: Path) -> None:
    conf = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert conf["model"]["name"] == "two_view_pipeline"
    assert conf["benchmarks"].keys() == {"megadepth1500", "hpatches"}
    assert conf["benchmarks"]["megadepth1500"]["data"]["preprocessing"]["resize"] == 1600
    matcher = conf["model"]["matcher"]
    preset = conf["model"]["extractor"]["preset"]
    if matcher["name"] == "matchers.lightglue_pretrained":
        assert matcher["features"] == "aliked"
        assert preset.endswith("+aliked-n16")
    else:
        assert matcher["name"] == "matchers.nearest_neighbor_matcher"
    for benchmark in conf["benchmarks"].values():
        options = {**conf["model"]["extractor"], **benchmark.get("model", {}).get("extractor", {})}
        assert options.pop("name") == "extractors.dad"
        assert options.keys() <= extractor.default_conf.keys()
        assert options["preset"] in extract_features.confs


def test_the_simplest_configuration_runs(extractor: type, pixels: np.ndarray) -> None:
    (path,) = [p for p in CONFIGS if p.stem == "dad-nano+rootsift+NN"]
    conf = yaml.safe_load(path.read_text(encoding="utf-8"))
    found = extractor(conf["model"]["extractor"])({"image": as_batch(pixels)})
    assert set(found) == {"keypoints", "keypoint_scores", "descriptors"}


@pytest.mark.slow
def test_ripes_configuration_runs(extractor: type, pixels: np.ndarray, tmp_path: Path) -> None:
    (path,) = [p for p in CONFIGS if p.stem == "ripe+NN"]
    options = yaml.safe_load(path.read_text(encoding="utf-8"))["model"]["extractor"]
    assert {"threshold", "top_k", "model_path"} <= options.keys()
    torch.manual_seed(0)
    torch.save(RIPE().state_dict(), tmp_path / "ripe_weights.pth")
    options |= {"threshold": -10.0, "top_k": 7, "model_path": str(tmp_path / "ripe_weights.pth")}
    found = extractor(options)({"image": as_batch(pixels)})
    assert found["descriptors"].shape == (1, 7, 256)
    blind = extractor({**options, "threshold": 1e9})({"image": as_batch(pixels)})
    assert blind["keypoints"].shape == (1, 0, 2)
