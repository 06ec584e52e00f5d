"""Weights of the DaD family: strictly into the network, never running code, clear when absent."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from dad_sfm import load_DaD, load_DaDDark, load_DaDLight
from dad_sfm.models.checkpoints import CheckpointError
from dad_sfm.models.dad import DaD
from dad_sfm.models.dad_weights import find_weights
from dad_sfm.models.pretrained import load_weights


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 2, 3)
        self.norm = nn.BatchNorm2d(2)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("kind", [torch.float32, torch.float16])
def test_loads_both_formats_and_half_precision(
    tmp_path: Path, suffix: str, kind: torch.dtype
) -> None:
    source, target = Small(), Small()
    state = {
        key: value.to(kind) if value.is_floating_point() else value
        for key, value in source.state_dict().items()
    }
    path = tmp_path / f"small{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    digest = load_weights(target, path)
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert target.first.weight.dtype == torch.float32
    torch.testing.assert_close(target.first.weight, source.first.weight.to(kind).float())


def test_names_what_does_not_fit(tmp_path: Path) -> None:
    state = Small().state_dict()
    del state["norm.bias"]
    state["first.weight"] = torch.zeros(2, 1, 5, 5)
    state["second.weight"] = torch.zeros(1)
    state["first.bias"] = torch.tensor([0.0, float("nan")])
    path = tmp_path / "small.pth"
    torch.save(state, path)
    with pytest.raises(CheckpointError) as error:
        load_weights(Small(), path)
    for part in (
        str(path),
        "missing: norm.bias",
        "unexpected: second.weight",
        "first.weight (2, 1, 5, 5), expected (2, 1, 3, 3)",
        "not finite: first.bias",
    ):
        assert part in str(error.value)


class RunsCode:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


def test_a_pickle_of_objects_is_refused_and_never_run(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"weight": RunsCode(tmp_path / "was run")}, path)
    with pytest.raises(CheckpointError, match="could run code"):
        load_DaD(weights_path=path, device="cpu")
    assert not (tmp_path / "was run").exists()


@pytest.mark.parametrize(
    ("load", "file"),
    [(load_DaD, "dad.pth"), (load_DaDLight, "dad_light.pth"), (load_DaDDark, "dad_dark.pth")],
)
def test_offline_message_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, load: object, file: str
) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr("dad_sfm.models.checkpoints.fetch", no_network)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("DAD_SFM_WEIGHTS", raising=False)
    with pytest.raises(FileNotFoundError) as error:
        load()  # type: ignore[operator]
    for part in (
        f"https://github.com/Parskatt/dad/releases/download/v0.1.0/{file}",
        str(tmp_path / "hub/checkpoints" / file),
        "weights_path=",
        "'weights'",
    ):
        assert part in str(error.value)


def test_published_file_is_found_in_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("DAD_SFM_WEIGHTS", raising=False)
    cached = tmp_path / "hub/checkpoints/dad_dark.pth"
    cached.parent.mkdir(parents=True)
    torch.save(DaD().state_dict(), cached)
    assert find_weights("dark") == cached
    detector = load_DaDDark(device="cpu")
    assert detector.weights_sha256 == hashlib.sha256(cached.read_bytes()).hexdigest()


def test_weights_path_is_a_path_or_a_url(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    path = tmp_path / "mine.pth"
    torch.save(DaD().state_dict(), path)
    digests = {
        load_DaD(weights_path=source, device="cpu").weights_sha256
        for source in (path, str(path), path.as_uri())
    }
    assert digests == {hashlib.sha256(path.read_bytes()).hexdigest()}
    with pytest.raises(FileNotFoundError, match="elsewhere"):
        load_DaD(weights_path=tmp_path / "elsewhere.pth", device="cpu")
