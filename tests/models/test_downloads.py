"""Downloads from a server that breaks off, lies, has moved or is not to be asked."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dad_sfm.models import downloads
from dad_sfm.models.downloads import DownloadError, fetch, offline

DATA = bytes(range(256)) * 40
DIGEST = hashlib.sha256(DATA).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `DATA` at ``/net.pth``.

    sent    bytes of the next answers before the connection is closed; all after those
    ranges  what was asked for, request by request
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.sent: list[int] = []
        self.ranges: list[str] = []
        self.resumes = True

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.server.ranges.append(asked)
        if self.path != "/net.pth":
            self.send_error(404)
            return
        start = int(asked[len("bytes=") : -1]) if asked and self.server.resumes else 0
        if start >= len(DATA):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(DATA)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(DATA) - start))
        self.end_headers()
        most = self.server.sent.pop(0) if self.server.sent else len(DATA)
        self.wfile.write(DATA[start : start + most])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in (downloads.OFFLINE_VARIABLE, downloads.MIRROR_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.01,))
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def test_a_file_comes_whole_and_is_checked(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "net.pth"
    fetch(f"{server.address}/net.pth", path, DIGEST)
    assert path.read_bytes() == DATA
    with pytest.raises(DownloadError, match=rf"SHA-256 {DIGEST}, expected 0000"):
        fetch(f"{server.address}/net.pth", tmp_path / "other.pth", "0" * 64)
    assert [p.name for p in tmp_path.iterdir()] == ["cache"]


def test_a_connection_that_breaks_off_resumes(server: Server, tmp_path: Path) -> None:
    server.sent = [1000, 500]
    fetch(f"{server.address}/net.pth", tmp_path / "net.pth", DIGEST)
    assert server.ranges == ["", "bytes=1000-", "bytes=1500-"]
    assert (tmp_path / "net.pth").read_bytes() == DATA


def test_an_attempt_that_failed_resumes_later(server: Server, tmp_path: Path) -> None:
    server.sent = [100, 100, 100]
    with pytest.raises(DownloadError, match="300 of 10240 bytes came"):
        fetch(f"{server.address}/net.pth", tmp_path / "net.pth", DIGEST)
    fetch(f"{server.address}/net.pth", tmp_path / "net.pth", DIGEST)
    assert server.ranges[-1] == "bytes=300-"
    assert [p.name for p in tmp_path.iterdir()] == ["net.pth"]


def test_a_server_that_cannot_resume_begins_again(server: Server, tmp_path: Path) -> None:
    server.resumes, server.sent = False, [1000]
    fetch(f"{server.address}/net.pth", tmp_path / "net.pth", DIGEST)
    assert (tmp_path / "net.pth").read_bytes() == DATA


@pytest.mark.parametrize("left", [DATA, DATA + b"of another file"])
def test_what_was_left_may_be_all_or_too_much(server: Server, tmp_path: Path, left: bytes) -> None:
    (tmp_path / "net.pth.part").write_bytes(left)
    fetch(f"{server.address}/net.pth", tmp_path / "net.pth", DIGEST)
    assert (tmp_path / "net.pth").read_bytes() == DATA


def test_a_mirror_is_asked_first(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(downloads.MIRROR_VARIABLE, server.address + "/")
    fetch("http://127.0.0.1:1/elsewhere/net.pth", tmp_path / "net.pth", DIGEST)
    assert (tmp_path / "net.pth").read_bytes() == DATA
    monkeypatch.setenv(downloads.MIRROR_VARIABLE, f"{server.address}/nothing")
    fetch(f"{server.address}/net.pth", tmp_path / "again" / "net.pth", DIGEST)
    with pytest.raises(DownloadError, match=r"nothing/other\.pth: HTTP Error 404"):
        fetch(f"{server.address}/other.pth", tmp_path / "other.pth")


def test_offline_asks_nobody(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with offline(), pytest.raises(DownloadError, match="offline"):
        fetch(f"{server.address}/net.pth", tmp_path / "net.pth")
    monkeypatch.setenv(downloads.OFFLINE_VARIABLE, "1")
    with pytest.raises(DownloadError, match="offline"):
        fetch(f"{server.address}/net.pth", tmp_path / "net.pth")
    assert server.ranges == []
    monkeypatch.setenv(downloads.OFFLINE_VARIABLE, "0")
    fetch(f"{server.address}/net.pth", tmp_path / "net.pth")
