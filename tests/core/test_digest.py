"""Digests of files."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pycolmap

from dad_sfm.core.digest import sha256_of, sha256_of_content


def test_what_is_no_database_has_its_plain_digest(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(bytes(range(256)) * 5000)
    plain = hashlib.sha256(path.read_bytes()).hexdigest()
    assert sha256_of(path) == sha256_of_content(path) == plain


def test_a_database_that_was_opened_has_the_same_content_and_one_that_was_changed_has_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "database.db"
    pycolmap.Database.open(str(path)).close()
    before, plain = sha256_of_content(path), sha256_of(path)
    pycolmap.Database.open(str(path)).close()
    assert sha256_of(path) != plain  # COLMAP counts up
    assert sha256_of_content(path) == before
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO cameras VALUES (1, 0, 4, 3, x'00', 0)")
    assert sha256_of_content(path) != before
