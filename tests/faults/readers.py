"""Every reader of a user's file, with a sound file of its kind and the errors it may raise."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from dad_sfm.core.types import Features, Matches
from dad_sfm.io.store import FeatureReader, FeatureWriter, MatchReader, MatchWriter, StoreError
from dad_sfm.io.store.journal import journal_path


@dataclass
class Target:
    """A reader under test.

    seeds    sound files, by suffix
    read     what is called with the path of a changed one
    refuses  how it may say no
    kind     of the files: HDF5's take longer
    """

    seeds: list[tuple[str, bytes]]
    read: Callable[[Path], object]
    refuses: tuple[type[BaseException], ...] = field(default=(StoreError, FileNotFoundError))
    kind: str = ""


def _features(n: int) -> Features:
    rng = np.random.default_rng(n)
    points = rng.random((n, 2)).astype(np.float32) * 100
    return Features(points, np.ones(n, np.float32), (100, 80), rng.random((n, 8)))


def make_earlier(path: Path) -> Path:
    """A copy of a file of ours in format version 1, whose texts lie in a heap."""
    target = path.with_name("earlier.h5")
    target.write_bytes(path.read_bytes())

    def move_texts(_: str, item: h5py.Group | h5py.Dataset) -> None:
        for name, value in item.attrs.items():
            if np.asarray(value).dtype.kind == "S":
                item.attrs[name] = np.char.decode(value, "utf-8").astype(object)

    with h5py.File(target, "r+", libver="latest") as file:
        move_texts("", file)
        file.visititems(move_texts)
        file.attrs["format_version"] = 1
    return target


def feature_files(folder: Path) -> list[tuple[str, bytes]]:
    """A file of ours, one as we wrote it before, and one in HDF5's oldest format, whose metadata
    have no checksums."""
    with FeatureWriter(folder / "ours.h5", {"made": "here"}, overwrite=True) as writer:
        for name in ("a.jpg", "sub/b.jpg", "sub/c.jpg"):
            writer.write(name, _features(20), source="sha256:1")
    with h5py.File(folder / "foreign.h5", "w", libver="earliest") as file:
        for name in ("a.jpg", "sub/b.jpg"):
            found, group = _features(20), file.create_group(name)
            group["keypoints"] = found.keypoints_px
            group["keypoints"].attrs["uncertainty"] = 1.5
            group["scores"] = found.scores
            group.create_dataset(
                "descriptors", data=found.descriptors.T, chunks=(4, 10), compression="gzip"
            )
            group["image_size"] = [100, 80]
    return _contents(folder / "ours.h5", make_earlier(folder / "ours.h5"), folder / "foreign.h5")


def match_files(folder: Path) -> list[tuple[str, bytes]]:
    matches = Matches(np.array([0, -1, 2], np.int32), np.ones(3, np.float32))
    with MatchWriter(folder / "ours.h5", {"made": "here"}, overwrite=True) as writer:
        writer.write("a.jpg", "b.jpg", matches)
    with h5py.File(folder / "foreign.h5", "w", libver="earliest") as file:
        file["a.jpg/b.jpg/matches0"] = np.array([1, -1, 0], np.int16)
        file["a.jpg/b.jpg/matching_scores0"] = np.ones(3, np.float16)
    return _contents(folder / "ours.h5", make_earlier(folder / "ours.h5"), folder / "foreign.h5")


def _contents(*paths: Path) -> list[tuple[str, bytes]]:
    return [(path.suffix, path.read_bytes()) for path in paths]


def journals(folder: Path) -> list[tuple[str, bytes]]:
    writer = FeatureWriter(folder / "run.h5", {"made": "here"}, overwrite=True)
    writer.write("a.jpg", _features(5))
    writer.record_failure("b.jpg", "cut off")
    writer.remove("c.jpg")
    writer.write("sub/d.jpg", _features(3))
    writer._release()
    return [(".h5.journal", journal_path(folder / "run.h5").read_bytes())]


def read_features(path: Path) -> None:
    with FeatureReader(path) as reader:
        _ = reader.provenance, reader.failures, reader.image_dir
        for name in reader.names():
            with contextlib.suppress(StoreError):
                reader.read(name)
                reader.source(name)
                reader.descriptor_dim(name)


def read_matches(path: Path) -> None:
    with MatchReader(path) as reader:
        _ = reader.failures, reader.keys(), reader.directed
        for names in (("a.jpg", "b.jpg"), ("b.jpg", "a.jpg")):
            if reader.has(*names):
                reader.read(*names)


def read_journal(path: Path) -> None:
    read_features(path.with_name(path.name.removesuffix(".journal")))


def image_files() -> list[tuple[str, bytes]]:
    pixels = np.random.default_rng(0).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    found = []
    for suffix, kind in ((".jpg", "JPEG"), (".png", "PNG"), (".tif", "TIFF"), (".webp", "WEBP")):
        stream, image = io.BytesIO(), Image.fromarray(pixels)
        exif = image.getexif()
        exif[271], exif[272] = "maker", "model"
        image.save(stream, kind, exif=exif)
        found.append((suffix, stream.getvalue()))
    return found


def read_photo(path: Path) -> None:
    from dad_sfm.io.image_header import read_header
    from dad_sfm.io.images import ImageError, read_image

    with contextlib.suppress(ImageError):
        read_header(path)
    read_image(path)


def results(folder: Path) -> list[tuple[str, bytes]]:
    from dad_sfm.benchmarks.results import Result, write_result
    from dad_sfm.evaluation.metric_table import Measure, MetricTable

    measures = (Measure("AUC", "error", 5.0),)
    table = MetricTable("t", ("a", "b"), measures, {512: {"error": np.array([[1.0], [np.inf]])}})
    path = write_result(Result("x", "f", "l", (512,), (table,)), folder / "result.json")
    assert json.loads(path.read_text())
    return [(".json", path.read_bytes())]


def checkpoints(folder: Path) -> list[tuple[str, bytes]]:
    import torch
    from safetensors.torch import save_file

    state = {"layer.weight": torch.ones(3, 4), "layer.bias": torch.zeros(3)}
    torch.save(state, folder / "c.pth")
    save_file(state, folder / "c.safetensors")
    return [(s, (folder / f"c{s}").read_bytes()) for s in (".pth", ".safetensors")]


def archives(folder: Path) -> list[tuple[str, bytes]]:
    path = folder / "a.npz"
    np.savez(path, poses=np.eye(4), names=np.array(["a", "b"], dtype=object))
    return [(".npz", path.read_bytes())]


def models(folder: Path, *, binary: bool) -> list[tuple[str, bytes]]:
    """The three files of a COLMAP model, one after the other with their lengths in front: what is
    changed is any of them."""
    import pycolmap

    from dad_sfm.geometry.cameras import Camera, PosedImage
    from dad_sfm.io.colmap_text import write_text_model

    pose = np.eye(3, 4)
    images = [PosedImage(f"{k}.jpg", 1, pose) for k in range(3)]
    root = write_text_model(
        folder / "model", {1: Camera("PINHOLE", 64, 48, (50.0, 50.0, 32.0, 24.0))}, images
    )
    ending = "txt"
    if binary:
        ending = "bin"
        model = pycolmap.Reconstruction(str(root))
        model.write_binary(str(root))
    parts = [path.read_bytes() for path in sorted(root.glob(f"*.{ending}"))]
    names = [path.name for path in sorted(root.glob(f"*.{ending}"))]
    return [(f".{name}", part) for name, part in zip(names, parts, strict=True)]


def read_ground_truth(path: Path, sound: list[tuple[str, bytes]]) -> None:
    """Read a model of which one file is the given one."""
    from dad_sfm.colmap.model import read_model

    root = path.parent / "model"
    root.mkdir(exist_ok=True)
    for name, data in sound:
        (root / name[1:]).write_bytes(data if not path.name.endswith(name) else path.read_bytes())
    read_model(root)


def make_targets(folder: Path) -> dict[str, Target]:
    """All readers."""
    from dad_sfm.benchmarks.results import ResultError, read_result
    from dad_sfm.io.colmap_text import ModelError
    from dad_sfm.io.images import ImageError
    from dad_sfm.io.npz_archive import ArchiveError, read_npz
    from dad_sfm.io.pairs_file import PairsError, read_pairs
    from dad_sfm.io.text_lists import ListError, read_names
    from dad_sfm.models.checkpoints import CheckpointError, load_state_dict

    folder.mkdir(parents=True, exist_ok=True)
    pairs = "a.jpg b.jpg\nsub/c.jpg\ta b.jpg\nü.jpg 日本.jpg\n".encode()
    listed = "# images\na.jpg\nsub/b.jpg SIMPLE_RADIAL 640 480 500 320 240 0.1\nü.jpg\n".encode()
    lists = (ListError, FileNotFoundError)
    text, binary = models(folder, binary=False), models(folder, binary=True)
    return {
        "ground truth, text": Target(text, lambda p: read_ground_truth(p, text), (ModelError,)),
        "ground truth, binary": Target(
            binary, lambda p: read_ground_truth(p, binary), (ModelError,)
        ),
        "feature files": Target(feature_files(folder), read_features, kind="HDF5"),
        "match files": Target(match_files(folder), read_matches, kind="HDF5"),
        "journals": Target(journals(folder), read_journal),
        "pairs files": Target([(".txt", pairs)], read_pairs, (PairsError, *lists)),
        "image lists": Target([(".txt", listed)], read_names, lists),
        "results": Target(results(folder), read_result, (ResultError,)),
        "checkpoints": Target(checkpoints(folder), load_state_dict, (CheckpointError,)),
        "archives": Target(
            archives(folder), lambda path: read_npz(path, {"poses"}, ("names",)), (ArchiveError,)
        ),
        "photos": Target(image_files(), read_photo, (ImageError,)),
    }
