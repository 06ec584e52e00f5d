"""Where a photo was taken: EXIF GPS, in metres."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .images import opened

_GPS_IFD = 34853
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE, _ALTITUDE_REF, _ALTITUDE = range(1, 7)
_SEMI_MAJOR, _ECCENTRICITY_SQUARED = 6378137.0, 6.69437999014e-3  # WGS84


def read_position(path: Path | str) -> np.ndarray | None:
    """(3,) earth-centred metres of a photo by its EXIF tag, or None where it has no usable one.

    A photo without an altitude is put at 0 m above the ellipsoid.  Raises `ImageError`.
    """
    with opened(path) as image:
        try:
            tags = image.getexif().get_ifd(_GPS_IFD)
            latitude = _degrees(tags[_LATITUDE], str(tags.get(_LATITUDE_REF, "N")), "S")
            longitude = _degrees(tags[_LONGITUDE], str(tags.get(_LONGITUDE_REF, "E")), "W")
            altitude = float(tags.get(_ALTITUDE, 0.0))
            below = tags.get(_ALTITUDE_REF) in (1, b"\x01")
        except Exception:  # no tag, or one that Pillow or a camera has damaged
            return None
    position = earth_centred(latitude, longitude, -altitude if below else altitude)
    return position if np.isfinite(position).all() else None


def earth_centred(latitude: float, longitude: float, altitude: float) -> np.ndarray:
    """WGS84 degrees and metres above the ellipsoid -> (3,) earth-centred, earth-fixed metres."""
    phi, lam = np.deg2rad([latitude, longitude])
    normal = _SEMI_MAJOR / np.sqrt(1 - _ECCENTRICITY_SQUARED * np.sin(phi) ** 2)
    horizontal = (normal + altitude) * np.cos(phi)
    vertical = (normal * (1 - _ECCENTRICITY_SQUARED) + altitude) * np.sin(phi)
    return np.array([horizontal * np.cos(lam), horizontal * np.sin(lam), vertical])


def _degrees(value: tuple[float, float, float], reference: str, negative: str) -> float:
    degrees, minutes, seconds = (float(v) for v in value)
    angle = degrees + minutes / 60 + seconds / 3600
    return -angle if reference.upper().startswith(negative) else angle
