"""A feature preset as one ONNX file, for programs without Python."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..core.atomic import atomic_write
from ..detectors.dad.plugin import DaDFamilyPlugin
from ..execution.extractor import Extractor
from .keypoint_graph import KeypointGraph
from .onnx_slots import SLOTS, Slot

OPSET = 18
INSTALL = "pip install 'dad_sfm[onnx]'"


class ExportError(ValueError):
    """A preset cannot be exported as asked.  The message says what can."""


def export_onnx(path: Path | str, conf: Mapping[str, Any], slot: str) -> str:
    """Write the detector (and descriptor) of a feature preset; returns how to use the file.

    conf  one of `extract_features.confs`, or a changed copy of one.  Images are not resized: give
          the size of the preset to the program that runs the file
    slot  one of `onnx_slots.SLOTS`

    The file holds the preset, the digests of its weights and the usage as metadata.  Height and
    width are free; so is the number of keypoints, up to the preset's where a slot holds a
    descriptor too.  Raises `ExportError`, and ImportError where onnx is missing.
    """
    if slot not in SLOTS:
        raise ExportError(f"unknown slot {slot!r}; there are: {', '.join(SLOTS)}")
    _require_onnx()
    extractor = Extractor(conf["model"])
    most = conf["model"].get("max_keypoints", 2048)
    graph = _graph(SLOTS[slot], extractor, most)
    path = Path(path)
    usage = graph.usage.format(
        file=path,
        points=most,
        size=conf["preprocessing"].get("resize_max") or -1,
    )
    provenance = {**extractor.provenance, "preprocessing": dict(conf["preprocessing"])}
    with atomic_write(path) as partial:
        _write(graph, partial, {"slot": slot, "usage": usage, **provenance})
    return usage


def _graph(kind: type[Slot], extractor: Extractor, most: int) -> Slot:
    detector, descriptor = extractor.detector, extractor.descriptor
    if not isinstance(detector, DaDFamilyPlugin):
        raise ExportError(
            f"the detector {detector.identity['name']} cannot be exported: take a preset of the "
            "DaD family, such as dad-nano"
        )
    if kind.describes and descriptor is None:
        raise ExportError(
            "this slot holds a detector and a descriptor: take a preset with one, such as "
            "dad-nano+aliked-n16"
        )
    return kind(KeypointGraph(detector.detector), descriptor, most).eval()


def _write(graph: Slot, path: Path, metadata: Mapping[str, Any]) -> None:
    import onnx

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", FutureWarning)  # of the exporter about itself
        traced = torch.export.export(
            graph,
            tuple(value.clone() for value in graph.example),
            dynamic_shapes=graph.dynamic,
            strict=False,
        )
        program = torch.onnx.export(
            traced,
            input_names=graph.inputs,
            output_names=graph.outputs,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
            custom_translation_table=_translations(),
        )
    assert program is not None
    model = program.model_proto
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in metadata.items()}
    onnx.helper.set_model_props(model, texts)
    onnx.save(model, str(path))


def _translations() -> dict[Any, Any]:
    """Operators that torch's exporter does not know."""
    import onnxscript

    op: Any = onnxscript.opset18

    def hypot(x: Any, y: Any) -> Any:
        return op.Sqrt(op.Add(op.Mul(x, x), op.Mul(y, y)))

    def embedding_bag(weight: Any, indices: Any, offsets: Any, *rest: Any, **options: Any) -> Any:
        """Sums over bags of equal size, with a weight for each sample."""
        sample_weights = rest[3] if len(rest) > 3 else options["per_sample_weights"]
        samples = op.Mul(op.Gather(weight, indices), op.Unsqueeze(sample_weights, [1]))
        bags = op.Concat(op.Shape(offsets), [-1], op.Shape(weight, start=1), axis=0)
        sums = op.ReduceSum(op.Reshape(samples, bags), [1], keepdims=0)
        return sums, offsets, offsets, offsets  # nobody asks for the last three

    return {
        torch.ops.prims.hypot.default: hypot,
        torch.ops.aten._embedding_bag_forward_only.default: embedding_bag,
    }


def _require_onnx() -> None:
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(f"export to ONNX needs {error.name}: {INSTALL}") from error
    # Of operators of packages that are not installed, once per run.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
