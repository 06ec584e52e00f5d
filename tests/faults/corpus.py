"""Photos as strangers upload them: damaged, absurd, and with names that mean something to somebody
(shells, browsers, file systems); and what the commands make of a folder of them."""

from __future__ import annotations

import io
import os
import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from faults.forge import Forge
from faults.workload import FEATURES, Tally, make_photos
from PIL import Image

NAMES = (
    *(
        "new\nline.png",
        "-rf.png",
        "a..b.png",
        "...png",
        "'quote\".png",
        "$(touch x).png",
        "`x`.png",
    ),
    *(
        "<img src=x onerror=alert(1)>.png",
        "&amp;.png",
        "%2e%2e%2fx.png",
        "a b.png",
        "tab\there.png",
    ),
    *("caf\u00e9.png", "cafe\u0301.png", "Case.png", "case.png", "\u202egnp.exe.png", "\u65e5.png"),
    *("x" * 250 + ".png", "deep/" * 20 + "x.png", "a/b.png", "a-b.png", "con.png", "nul\x7f.png"),
)


def _encoded(kind: str, size: tuple[int, int] = (64, 48)) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def _png(width: int, height: int) -> bytes:
    """A PNG whose header claims a size, with hardly any data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b"")


def damaged_files() -> Iterator[tuple[str, bytes]]:
    """Names and contents."""
    rng = random.Random(0)
    for suffix, kind in (("jpg", "JPEG"), ("png", "PNG"), ("tif", "TIFF"), ("webp", "WEBP")):
        data = _encoded(kind)
        for share in (0.0, 0.1, 0.5, 0.9, 0.99):
            yield f"cut{int(share * 100)}.{suffix}", data[: int(share * len(data))]
        for k in range(6):
            flipped = bytearray(data)
            for _ in range(4**k % 97):
                flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            yield f"flipped{k}.{suffix}", bytes(flipped)
    yield "bomb.png", _png(60_000, 60_000)
    yield "beyond.png", _png((1 << 31) - 1, (1 << 31) - 1)
    yield "no width.png", _png(0, 10)
    yield "dot.png", _encoded("PNG", (1, 1))
    yield "line.png", _encoded("PNG", (1, 10_000))
    yield "text.jpg", b"this is no photo\n"
    yield "page.jpg", b"<script>alert(1)</script>"


def make_special(folder: Path) -> None:
    """What is a file only by its name."""
    os.mkfifo(folder / "pipe.jpg")
    (folder / "loop.jpg").symlink_to("loop.jpg")
    (folder / "nowhere.jpg").symlink_to("/nonexistent/photo.jpg")
    (folder / "itself").symlink_to(".", target_is_directory=True)
    (folder / "folder.jpg").mkdir()
    (folder / "device.jpg").symlink_to("/dev/zero")


def upload_damaged(forge: Forge, root: Path) -> Tally:
    """Each damaged file of the corpus alone with two sound photos."""
    tally = Tally()
    for name, data in damaged_files():
        folder = make_photos(root / f"damaged-{name}", 2)
        (folder / name).write_bytes(data)
        _extract(forge, root, folder, tally)
    return tally


def upload_names(forge: Forge, root: Path) -> Tally:
    """A sound photo under each name alone with two others."""
    tally, photo = Tally(), _sound_photo(root)
    for k, name in enumerate(NAMES):
        folder = make_photos(root / f"named-{k}", 2)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(photo)
        _extract(forge, root, folder, tally)
    return tally


def upload_all(forge: Forge, root: Path) -> Tally:
    """All of it in one folder, and what is a file only by its name."""
    tally, photo = Tally(), _sound_photo(root)
    folder = make_photos(root / "all", 4)
    make_special(folder)
    for name, data in (*damaged_files(), *((name, photo) for name in NAMES)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    _extract(forge, root, folder, tally)
    _run(forge, root, tally, "reconstruct", folder, "--features", FEATURES, "--out", "OUT")
    return tally


def _sound_photo(root: Path) -> bytes:
    return (make_photos(root / "sound", 1) / "0.png").read_bytes()


def _extract(forge: Forge, root: Path, folder: Path, tally: Tally) -> None:
    features, pairs = "OUT/features.h5", "OUT/pairs.txt"
    _run(forge, root, tally, "extract", folder, "--features", FEATURES, "--feature-path", features)
    if (root / "out" / "features.h5").exists():
        _run(forge, root, tally, "pairs", pairs, "--feature-file", features)
        _run(forge, root, tally, "verify", features)
    if (root / "out" / "pairs.txt").exists():
        _run(forge, root, tally, "match", pairs, features, "--matches", "OUT/matches.h5")
    for path in (root / "out").glob("*.*"):
        path.unlink()


def _run(forge: Forge, root: Path, tally: Tally, *argv: object) -> None:
    """Run one command: a sentence or a success, and nothing written but in the output folder."""
    out = root / "out"
    out.mkdir(parents=True, exist_ok=True)
    before = _listing(root)
    outcome = forge.run(*(str(a).replace("OUT", str(out)) for a in argv))
    where = " ".join(map(str, argv[:2]))
    tally.add(outcome, where)
    if _listing(root) != before:
        tally.note("wrong", where, "wrote outside of the output folder")
    if outcome.code not in (0, 1, 3):
        tally.note("refused", where, outcome.text)


def _listing(root: Path) -> set[tuple[str, int, float]]:
    """All that is there but the output folder."""
    found = set()
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if Path(folder, name) != root / "out"]
        for name in (*files, *folders):
            about = os.lstat(os.path.join(folder, name))
            found.add((os.path.join(folder, name), about.st_size, about.st_mtime))
    return found
