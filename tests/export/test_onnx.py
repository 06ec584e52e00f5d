"""ONNX files: the signatures that COLMAP checks, and the same points as in Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dad_sfm import extract_features
from dad_sfm.detectors.dad.detector import DaDDetector
from dad_sfm.execution.extractor import Extractor
from dad_sfm.export.keypoint_graph import KeypointGraph
from dad_sfm.export.onnx_file import ExportError, _write, export_onnx
from dad_sfm.export.onnx_slots import DenseMap
from dad_sfm.io.images import read_image, to_array
from dad_sfm.models.dad import DaD

ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

PHOTOS = [
    ("fountain-P11/images/0003.jpg", (640, 432)),
    ("Herz-Jesus-P8/images/0002.jpg", (512, 352)),
    ("sacre_coeur/images/44120379_8371960244.jpg", (416, 544)),
]


def run(file: Path, **inputs: Any) -> list[np.ndarray]:
    session = ort.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return session.run(None, {name: np.asarray(value) for name, value in inputs.items()})


def signature(values: list[Any]) -> list[tuple[str, list[int], str]]:
    """Names, shapes with -1 for what is free, and types, in the order of the file."""
    return [
        (v.name, [side if isinstance(side, int) else -1 for side in v.shape], v.type)
        for v in values
    ]


def photo(shared: Path, name: str, size: tuple[int, int]) -> np.ndarray:
    pixels = to_array(read_image(shared / "scenes" / name), size)
    return pixels.transpose(2, 0, 1)[None].astype(np.float32) / 255


def python_path(conf: dict[str, Any], image: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Keypoints of the extraction step in pixels of the image, and descriptors."""
    extractor = Extractor(conf["model"])
    images = torch.from_numpy(image)
    (found,) = extractor.detector(images)
    descriptors = None
    if extractor.descriptor is not None:
        descriptors = extractor.descriptor(images[0], found.keypoints_px).numpy()
    return found.keypoints_px.numpy(), descriptors


def nearest(points: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    distance = np.linalg.norm(points[:, None] - others[None], axis=-1)
    return distance.argmin(axis=1), distance.min(axis=1)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    folder, made = tmp_path_factory.mktemp("onnx"), {}

    def file(preset: str, slot: str) -> Path:
        if (preset, slot) not in made:
            made[preset, slot] = folder / f"{preset}-{slot}.onnx"
            export_onnx(made[preset, slot], extract_features.confs[preset], slot)
        return made[preset, slot]

    return file


@pytest.mark.slow
def test_colmaps_loma_slot_takes_the_file(export: Callable) -> None:
    session = ort.InferenceSession(str(export("dad-nano", "colmap-loma")))
    assert signature(session.get_inputs()) == [
        ("image", [1, 3, -1, -1], "tensor(float)"),
        ("num_keypoints", [1], "tensor(int64)"),
    ]
    assert signature(session.get_outputs()) == [
        ("keypoints", [1, -1, 2], "tensor(float)"),
        ("keypoint_probs", [1, -1], "tensor(float)"),
    ]
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["identity"])["detector"]["name"] == "dad-nano"
    assert "--LomaExtraction.detector_model_path" in metadata["usage"]


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(("name", "size"), PHOTOS)
def test_loma_slot_gives_the_points_of_the_python_path(
    export: Callable, shared: Path, name: str, size: tuple[int, int]
) -> None:
    image = photo(shared, name, size)
    conf = extract_features.confs["dad-nano"]
    count = 600
    conf = {**conf, "model": {**conf["model"], "max_keypoints": count}}
    expected, _ = python_path(conf, image)
    keypoints, probs = run(export("dad-nano", "colmap-loma"), image=image, num_keypoints=[count])
    assert keypoints.shape == (1, count, 2)
    assert (probs > 0).all()
    # As COLMAP does, then half a pixel to the pixel-index frame.
    points = (keypoints[0] + 1) / 2 * size - 0.5
    assert nearest(points, expected)[1].max() < 0.05
    assert nearest(expected, points)[1].max() < 0.05


@pytest.mark.slow
def test_loma_slot_fills_up_to_the_number_that_is_asked_for(export: Callable) -> None:
    image = np.full((1, 3, 40, 72), 0.5, np.float32)
    _, probs = run(export("dad-nano", "colmap-loma"), image=image, num_keypoints=[3000])
    assert probs.shape == (1, 3000)
    assert (probs < 0).all()


@pytest.mark.slow
@pytest.mark.shared
def test_aliked_slot_gives_points_and_descriptors_of_the_python_path(
    export: Callable, shared: Path
) -> None:
    file = export("dad-nano+rootsift", "colmap-aliked")
    session = ort.InferenceSession(str(file))
    assert signature(session.get_inputs()) == [
        ("image", [1, 3, -1, -1], "tensor(float)"),
        ("max_keypoints", [], "tensor(int64)"),
        ("min_score", [], "tensor(float)"),
    ]
    # COLMAP takes any number of rows, fixed or free; the descriptor's dimension must be known.
    most = extract_features.confs["dad-nano+rootsift"]["model"]["max_keypoints"]
    assert signature(session.get_outputs()) == [
        ("keypoints", [1, most, 2], "tensor(float)"),
        ("descriptors", [1, most, 128], "tensor(float)"),
        ("scores", [1, most], "tensor(float)"),
    ]
    size = (640, 416)  # multiples of 32, to which COLMAP pads
    image = photo(shared, PHOTOS[0][0], size)
    conf = extract_features.confs["dad-nano+rootsift"]
    conf = {**conf, "model": {**conf["model"], "max_keypoints": 300}}
    expected, expected_descriptors = python_path(conf, image)
    keypoints, descriptors, scores = run(
        file, image=image, max_keypoints=np.int64(300), min_score=np.float32(0)
    )
    assert expected_descriptors is not None
    # As COLMAP does: what is below min_score is left out; -1 and 1 are the centres of the outer
    # pixels.
    wanted = scores[0] >= 0
    assert wanted.sum() == 300
    points = (keypoints[0, wanted] + 1) / 2 * (np.array(size) - 1)
    index, distance = nearest(points, expected)
    assert distance.max() < 0.05
    likeness = (descriptors[0, wanted] * expected_descriptors[index]).sum(axis=1)
    # A patch with two equally strong directions may turn.
    assert np.quantile(likeness, 0.02) > 0.999


@pytest.mark.slow
def test_dense_map_of_the_full_network(tmp_path: Path) -> None:
    torch.manual_seed(0)
    detector = DaDDetector(DaD().eval(), device="cpu")
    file = tmp_path / "dense.onnx"
    _write(DenseMap(KeypointGraph(detector), None, 10).eval(), file, {})
    image = torch.rand(1, 3, 56, 75)
    (scoremap,) = run(file, image=image.numpy())
    with torch.inference_mode():
        expected = KeypointGraph(detector).logits(image)
    assert scoremap.shape == (1, 1, 56, 75)
    np.testing.assert_allclose(scoremap[0, 0], expected, atol=1e-4)


@pytest.mark.parametrize(
    ("preset", "slot", "message"),
    [
        ("dad-nano", "colmap-sift", "there are: colmap-loma, colmap-aliked, dense"),
        ("dad-nano", "colmap-aliked", "dad-nano\\+aliked-n16"),
        ("sift", "dense", "detector sift cannot be exported"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    tmp_path: Path, preset: str, slot: str, message: str
) -> None:
    with pytest.raises(ExportError, match=message):
        export_onnx(tmp_path / "x.onnx", extract_features.confs[preset], slot)
    assert list(tmp_path.iterdir()) == []
