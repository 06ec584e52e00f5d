"""Texts as attributes of an HDF5 file.

Ours have a fixed length, so that they lie in the object that they are about: quick to write, and
nothing that HDF5 has to walk (`raw_file`).  Files of other tools, and ours of format version 1,
have texts of variable length, which lie in heaps.
"""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5s, h5t

VERSION = "format_version"  # attribute of the file itself
FIXED_SINCE = 2  # of `VERSION`: from then on all texts of a file have a fixed length


def write_text(owner: Any, name: str, value: str | list[str]) -> None:
    """Write a text, or a list of texts, as an attribute of an object of h5py's low level."""
    texts = [value] if isinstance(value, str) else value
    encoded = [text.encode("utf-8", "surrogateescape") for text in texts]
    kind = h5t.C_S1.copy()
    kind.set_size(max(1, *map(len, encoded)))
    kind.set_cset(h5t.CSET_UTF8)
    kind.set_strpad(h5t.STR_NULLPAD)
    space = h5s.create(h5s.SCALAR) if isinstance(value, str) else h5s.create_simple((len(texts),))
    if h5a.exists(owner, name.encode()):
        h5a.delete(owner, name.encode())
    attribute = h5a.create(owner, name.encode(), kind, space)
    attribute.write(np.array(encoded, f"S{kind.get_size()}").reshape(space.shape), kind)


def as_read(value: Any) -> Any:
    """What h5py reads of an attribute, with texts of either kind as `str`."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, np.ndarray) and value.dtype.kind == "S":
        decoded = [text.decode("utf-8", "surrogateescape") for text in value.flat]
        return np.array(decoded, object).reshape(value.shape)
    return value


def is_fixed(attribute: h5a.AttrID) -> bool:
    """Whether an attribute lies in its object, so that reading it walks no heap."""
    kind = attribute.get_type()
    if isinstance(kind, h5t.TypeStringID):
        return not kind.is_variable_str()
    return isinstance(kind, h5t.TypeIntegerID | h5t.TypeFloatID | h5t.TypeEnumID)


def has_fixed_texts(file: h5py.File) -> bool:
    """Whether a file says that all its texts have a fixed length."""
    if VERSION not in file.attrs:
        return False
    attribute = file.attrs.get_id(VERSION)
    if attribute.shape != () or not isinstance(attribute.get_type(), h5t.TypeIntegerID):
        return False
    return int(file.attrs[VERSION]) >= FIXED_SINCE
