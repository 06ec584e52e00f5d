"""Checkpoints: found where the user put them, whole, the right ones, and never run as code."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file

from dad_sfm.models import checkpoints
from dad_sfm.models.checkpoints import CheckpointError, load_state_dict, resolve, sha256_of

URL = "https://example.invalid/models/net.pth"


@pytest.fixture(autouse=True)
def _no_weights_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, no folder of the user's, and a network that is not there."""

    def refuse(url: str, *_: object, **__: object) -> None:
        raise URLError("no network")

    monkeypatch.delenv(checkpoints.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr("dad_sfm.models.checkpoints.fetch", refuse)
    monkeypatch.setattr(checkpoints, "PACKAGED", tmp_path / "packaged")


def put(folder: Path, content: bytes = b"weights", name: str = "net.pth") -> tuple[Path, str]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    path, _ = put(tmp_path, name="mine.pth")
    assert resolve(path, url=URL, sha256="0" * 64) == path
    assert resolve(str(path), url=URL) == path
    with pytest.raises(CheckpointError, match=r"no such checkpoint: .*other.pth"):
        resolve(str(tmp_path / "other.pth"), url=URL)


def test_places_are_searched_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(checkpoints.FOLDER_VARIABLE, str(tmp_path / "mine"))
    for folder in ("hub/checkpoints", "packaged", "mine"):
        path, digest = put(tmp_path / folder, folder.encode())
        assert resolve(None, url=URL, sha256=digest) == path
        assert sha256_of(path) == digest


def test_another_file_of_that_name_is_refused_not_passed_over(tmp_path: Path) -> None:
    path, _ = put(tmp_path / "hub" / "checkpoints")
    with pytest.raises(CheckpointError, match=rf"{path} is not the published file .*delete it"):
        resolve(None, url=URL, sha256="0" * 64)


def test_without_a_network_the_message_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        resolve(None, url=URL)
    for hint in (URL, "no network", checkpoints.FOLDER_VARIABLE, "'weights'"):
        assert hint in str(caught.value)
    with pytest.raises(CheckpointError, match=r"no checkpoint net.pth in .*'weights'"):
        resolve(None, filename="net.pth")
    with pytest.raises(CheckpointError, match=r"cannot download https://example.invalid/a.pth"):
        resolve("https://example.invalid/a.pth", url=URL)


def test_downloads_are_checked_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # our own downloader, on a file:// address
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(checkpoints, "PACKAGED", tmp_path / "packaged")
    monkeypatch.delenv(checkpoints.FOLDER_VARIABLE, raising=False)
    source, digest = put(tmp_path / "server")
    url = source.as_uri()
    with pytest.raises(CheckpointError, match="cannot download"):
        resolve(None, url=url, sha256="0" * 64)
    kept = resolve(None, url=url, sha256=digest)
    assert kept == tmp_path / "hub" / "checkpoints" / "net.pth"
    source.unlink()
    assert resolve(None, url=url, sha256=digest) == kept


def test_two_addresses_that_end_alike_are_two_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy(url: str, target: Path, *_: object) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(url)

    monkeypatch.setattr("dad_sfm.models.checkpoints.fetch", copy)
    urls = [f"https://example.invalid/{k}/net.pth" for k in range(2)]
    assert [resolve(url).read_text() for url in urls] == urls
    assert resolve(None, url=URL).read_text() == URL


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_state_dicts_round_trip(tmp_path: Path, name: str) -> None:
    state = {"a.weight": torch.rand(3, 2), "b": torch.tensor(4)}
    (save_file if name.endswith("s") else torch.save)(state, tmp_path / name)
    loaded = load_state_dict(tmp_path / name)
    assert loaded.keys() == state.keys()
    for key, value in state.items():
        torch.testing.assert_close(loaded[key], value)


class Evil:
    """A pickle that would leave a trace if it ran."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.trace),)


def test_a_checkpoint_never_runs_code(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    torch.save({"a": Evil(trace)}, tmp_path / "evil.pth")
    with pytest.raises(CheckpointError, match=r"evil.pth: .* could run code"):
        load_state_dict(tmp_path / "evil.pth")
    assert not trace.exists()


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
@pytest.mark.parametrize("content", [b"", b"<html>Not found</html>", b"PK\x03\x04cut off"])
def test_damaged_files_are_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"{name}: not a checkpoint"):
        load_state_dict(tmp_path / name)


def test_what_is_no_state_dict_is_named(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "state": {"a": torch.rand(2)}}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="not a state dict"):
        load_state_dict(tmp_path / "a.pth")
