"""Loose crops of people cut anew by a detector, as data sets and harvests have them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from tqdm import tqdm

from rtreid_ros.datasets.identities.base import report_unreadable
from rtreid_ros.datasets.identities.store import Store, open_store, read_picture
from rtreid_ros.datasets.identities.tracklets import INDEX
from rtreid_ros.errors import SinkError, SourceError
from rtreid_ros.types import UInt8

if TYPE_CHECKING:
    from rtreid_ros.detection.base import Detector

_ROOM = 2
"""Times the picture that a detector gets to see: those for scenes miss people who fill the image."""
_WIDE = 4 / 3
"""Its width by its height, as cameras have it."""
_TIGHT = 0.95
"""Share of a picture that shows the person, from which on there is nothing to cut."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Recropped:
    """What became of a folder of pictures.

    Attributes:
        cut: pictures cut anew.
        tight: pictures that show little but the person, copied as they were.
        missed: pictures in which nobody was found, copied as they were.
        unreadable: pictures left out.
    """

    cut: int
    tight: int
    missed: int
    unreadable: int


def find_person(image: UInt8, detector: Detector, least: float) -> Box | None:
    """Corners of the surest detection in a picture; None where none has a score of `least`.

    The detector sees the picture in the middle of a larger one, of the shape of a camera's, whose border
    repeats that of the picture.

    Args:
        image: ``(H, W, 3) uint8`` BGR.
        detector: of people.
        least: score below which a detection does not count.
    """
    height, width = image.shape[:2]
    tall = max(_ROOM * height, round(_ROOM * width / _WIDE))
    top, left = (tall - height) // 2, (round(tall * _WIDE) - width) // 2
    found = detector.detect(
        np.asarray(cv2.copyMakeBorder(image, top, top, left, left, cv2.BORDER_REPLICATE), np.uint8)
    )
    found = found[found.is_valid() & (found.scores >= least)]
    if not len(found):
        return None
    box = found.boxes[int(found.scores.argmax())] - np.tile([left, top], 2)
    x1, y1, x2, y2 = np.clip(np.rint(box), 0, np.tile([width, height], 2)).astype(int).tolist()
    return (x1, y1, x2, y2) if x2 > x1 and y2 > y1 else None


def recrop_all(
    source: str | Path, output: Path, detector: Detector, least: float, *, progress: bool = True
) -> Recropped:
    """Write every picture below `source`, cut anew where somebody is found, under its name below `output`.

    What is not cut is copied byte by byte. The index of a harvest goes with them, its boxes cut likewise.

    Raises:
        SourceError: there are no pictures, or none can be read, or the index is none.
        SinkError: `output` has something in it, or lies where the pictures do, or cannot be written to.
    """
    reasons: list[str] = []
    store, counts = open_store(source), {"cut": 0, "tight": 0, "missed": 0}
    paths = store.pictures("")
    if not paths:
        raise SourceError(f"{store.root}: no pictures in it")
    _check_place(store, output)
    shares: dict[str, tuple[float, ...]] = {}
    for path in tqdm(paths, desc="recrop", unit="image", disable=None if progress else True):
        try:
            image = read_picture(store, path)
        except SourceError as error:
            reasons.append(str(error))
            continue
        height, width = image.shape[:2]
        x1, y1, x2, y2 = box = find_person(image, detector, least) or (0, 0, 0, 0)
        share = (x2 - x1) * (y2 - y1) / (height * width)
        kind = "cut" if 0 < share < _TIGHT else "tight" if share else "missed"
        counts[kind] += 1
        if kind == "cut":
            content = _encoded(path, image[y1:y2, x1:x2])
            shares[path] = tuple(np.divide(box, (width, height, width, height)).tolist())
        else:
            content = store.read(path)
            shares[path] = (0.0, 0.0, 1.0, 1.0)
        _write(output / path, content)
    report_unreadable(len(paths), reasons)
    if store.has(INDEX):
        _write(output / INDEX, _cut_index(store, shares).encode())
    return Recropped(**counts, unreadable=len(reasons))


def _check_place(store: Store, output: Path) -> None:
    place, root = output.resolve(), store.root.resolve()
    if place == root or root in place.parents:
        raise SinkError(f"{output}: is where the pictures come from; choose a folder outside {store.root}")
    if place.is_dir() and any(place.iterdir()):
        raise SinkError(f"{output}: is not empty; choose another folder, or remove it")


def _cut_index(store: Store, shares: dict[str, tuple[float, ...]]) -> str:
    """The index of the pictures in `shares`, each with the part of its box that is left.

    Raises:
        SourceError: the index is none.
    """
    lines = []
    try:
        for text in store.read(INDEX).decode("utf-8", "replace").splitlines():
            line = json.loads(text)
            line["crops"] = [_cut_crop(crop, shares) for crop in line["crops"] if crop["file"] in shares]
            if line["crops"]:
                lines.append(json.dumps(line) + "\n")
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{store.root}: {INDEX} is not that of a harvest ({error!r})") from None
    return "".join(lines)


def _cut_crop(crop: dict[str, Any], shares: dict[str, tuple[float, ...]]) -> dict[str, Any]:
    x1, y1, x2, y2 = crop["box"]
    left, top, right, bottom = shares[crop["file"]]
    across, down = x2 - x1, y2 - y1
    box = (x1 + left * across, y1 + top * down, x1 + right * across, y1 + bottom * down)
    return {**crop, "box": [round(value, 1) for value in box]}


def _encoded(path: str, image: UInt8) -> bytes:
    return cv2.imencode(Path(path).suffix.lower(), image)[1].tobytes()


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error})") from None
