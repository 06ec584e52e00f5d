"""A database in the schema of COLMAP 3.8, which 3.8 to 3.13 open.

COLMAP opens databases of older versions and brings them up to date; those of 4.x are refused by
anything older.  Rigs, frames and pose priors, which 3.8 does not know, are left out.
"""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

from ..colmap.inputs import InputError
from ..core.atomic import atomic_write

logger = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE cameras (camera_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, model INTEGER NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, params BLOB,
    prior_focal_length INTEGER NOT NULL);
CREATE TABLE images (image_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL UNIQUE,
    camera_id INTEGER NOT NULL, prior_qw REAL, prior_qx REAL, prior_qy REAL, prior_qz REAL,
    prior_tx REAL, prior_ty REAL, prior_tz REAL,
    CONSTRAINT image_id_check CHECK(image_id >= 0 and image_id < 2147483647),
    FOREIGN KEY(camera_id) REFERENCES cameras(camera_id));
CREATE UNIQUE INDEX index_name ON images(name);
CREATE TABLE keypoints (image_id INTEGER PRIMARY KEY NOT NULL, rows INTEGER NOT NULL,
    cols INTEGER NOT NULL, data BLOB,
    FOREIGN KEY(image_id) REFERENCES images(image_id) ON DELETE CASCADE);
CREATE TABLE descriptors (image_id INTEGER PRIMARY KEY NOT NULL, rows INTEGER NOT NULL,
    cols INTEGER NOT NULL, data BLOB,
    FOREIGN KEY(image_id) REFERENCES images(image_id) ON DELETE CASCADE);
CREATE TABLE matches (pair_id INTEGER PRIMARY KEY NOT NULL, rows INTEGER NOT NULL,
    cols INTEGER NOT NULL, data BLOB);
CREATE TABLE two_view_geometries (pair_id INTEGER PRIMARY KEY NOT NULL, rows INTEGER NOT NULL,
    cols INTEGER NOT NULL, data BLOB, config INTEGER NOT NULL, F BLOB, E BLOB, H BLOB,
    qvec BLOB, tvec BLOB);
PRAGMA user_version = 3800;
"""

# Columns that both schemas have, under the same names and with the same contents.
COLUMNS = {
    "cameras": "camera_id, model, width, height, params, prior_focal_length",
    "images": "image_id, name, camera_id",
    "keypoints": "image_id, rows, cols, data",
    "descriptors": "image_id, rows, cols, data",
    "matches": "pair_id, rows, cols, data",
    "two_view_geometries": "pair_id, rows, cols, data, config, F, E, H, qvec, tvec",
}
LAST_MODEL = 10  # THIN_PRISM_FISHEYE
CALIBRATED, LAST_KIND = 2, 8  # of two-view geometries; later kinds are calibrated ones of rigs


def export_for_older(source: Path | str, target: Path | str) -> Path:
    """Write the database ``source`` of COLMAP 4 to ``target``, for COLMAP 3.8 to 3.13.

    Raises FileNotFoundError, and `InputError` for camera models that 3.8 does not have, rigs of
    several cameras, and a file that is no database of COLMAP.
    """
    source, target = Path(source), Path(target)
    if not source.is_file():
        raise FileNotFoundError(f"no such database: {source}")
    if target.exists() and target.samefile(source):
        raise InputError(f"{source} would be overwritten by its own export; give another path")
    with atomic_write(target) as partial:
        database = sqlite3.connect(partial, isolation_level=None)
        try:
            database.executescript(SCHEMA)
            database.execute("ATTACH ? AS source", (str(source),))
            _check(database, source)
            for table, columns in COLUMNS.items():
                database.execute(
                    f"INSERT INTO {table} ({columns}) SELECT {columns} FROM source.{table}"
                )
            database.execute(
                "UPDATE two_view_geometries SET config = ? WHERE config > ?",
                (CALIBRATED, LAST_KIND),
            )
        except sqlite3.DatabaseError as error:
            raise InputError(f"{source}: not a database of COLMAP 4 ({error})") from error
        finally:
            database.close()
    return target


def _check(database: sqlite3.Connection, source: Path) -> None:
    def count(query: str) -> int:
        return database.execute(f"SELECT COUNT(*) FROM source.{query}").fetchone()[0]

    if unknown := count(f"cameras WHERE model > {LAST_MODEL}"):
        raise InputError(
            f"{source}: {unknown} cameras have models that COLMAP 3.8 does not know; choose one of "
            "its models, such as SIMPLE_RADIAL or OPENCV, when the database is made"
        )
    if count("rig_sensors"):
        raise InputError(f"{source} holds rigs of several cameras, which COLMAP 3.8 has not")
    if priors := count("pose_priors"):
        logger.warning("%s: %d positions of photos (GPS) are left out", source, priors)
