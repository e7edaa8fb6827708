"""By what a checkpoint knows the pictures it has learnt from again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from rtreid_ros.errors import ModelError
from rtreid_ros.reid.data.resident import ResidentImages

_LOOKED_AT = 64
"""Pictures whose colours are kept, evenly spread."""

_LEVELS = 6
"""By which mean colours may differ, of 255: other sizes and other decoders of JPEG round otherwise."""


def fingerprint(images: ResidentImages, count: int | None = None) -> dict[str, Any]:
    """Plain values that tell the first `count` pictures (None: all) from others.

    Their number, a hash of file names, identities and cameras, and the mean colours of some. Neither the
    place where they lie nor the size they were resized to is in it.
    """
    count = len(images) if count is None else count
    names = "\n".join(name.rsplit("/", 1)[-1] for name in images.names[:count])
    told = hashlib.sha256(names.encode("utf-8", "surrogateescape"))
    for numbers in (images.identities[:count], images.cameras[:count]):
        told.update(np.ascontiguousarray(numbers, "<i8").tobytes())
    rows = np.unique(np.linspace(0, count - 1, min(count, _LOOKED_AT)).round().astype(np.int64))
    colours = [images.images[row].float().mean((1, 2)).round().int().tolist() for row in rows.tolist()]
    return {"count": count, "names": told.hexdigest(), "colours": colours}


def check_same_pictures(saved: Mapping[str, Any] | None, here: Mapping[str, Any]) -> None:
    """Refuse to go on with other pictures than those a checkpoint has learnt from.

    Args:
        saved: their `fingerprint`; None: an older file, which does not say.
        here: that of the pictures to go on with.

    Raises:
        ModelError: they differ; it says in what.
    """
    if saved is None:
        return
    differs = ""
    if saved["count"] != here["count"]:
        differs = f"{saved['count']} there, {here['count']} here"
    elif saved["names"] != here["names"]:
        differs = "as many, of other names, identities or cameras"
    elif np.abs(np.subtract(saved["colours"], here["colours"])).max() > _LEVELS:
        differs = "the same names, with other content"
    if differs:
        raise ModelError(
            f"the checkpoint has learnt from other pictures ({differs}): give data.root, data.split and "
            "whatever else chooses them as they were, or begin anew in another --output"
        )
