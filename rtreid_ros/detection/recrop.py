"""Loose crops of people cut anew by a detector, as data sets and harvests have them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from tqdm import tqdm

from rtreid_ros.datasets.identities.base import report_unreadable
from rtreid_ros.datasets.identities.store import Store, open_store, read_picture
from rtreid_ros.errors import SinkError, SourceError
from rtreid_ros.types import UInt8

if TYPE_CHECKING:
    from rtreid_ros.detection.base import Detector


@dataclass(frozen=True, slots=True)
class Recropped:
    """What became of a folder of pictures.

    Attributes:
        cut: pictures cut anew.
        kept: pictures in which nobody was found, copied as they were.
        unreadable: pictures left out.
    """

    cut: int
    kept: int
    unreadable: int


def recrop(image: UInt8, detector: Detector, least: float) -> UInt8 | None:
    """The part of a picture that shows the surest detection; None where none has a score of `least`.

    Args:
        image: ``(H, W, 3) uint8`` BGR.
        detector: of people.
        least: score below which a detection does not count.
    """
    found = detector.detect(image)
    found = found[found.is_valid() & (found.scores >= least)]
    if not len(found):
        return None
    box = found.boxes[int(found.scores.argmax())]
    x1, y1, x2, y2 = np.clip(np.rint(box), 0, np.tile(image.shape[1::-1], 2)).astype(int)
    return image[y1:y2, x1:x2] if x2 > x1 and y2 > y1 else None


def recrop_all(
    source: str | Path, output: Path, detector: Detector, least: float, *, progress: bool = True
) -> Recropped:
    """Write every picture below `source`, cut anew where somebody is found, under its name below `output`.

    Raises:
        SourceError: there are no pictures, or none can be read.
        SinkError: a picture cannot be written, or would replace its source.
    """
    reasons: list[str] = []
    store, cut, kept = open_store(source), 0, 0
    paths = store.pictures("")
    if not paths:
        raise SourceError(f"{store.root}: no pictures in it")
    if output.resolve() == store.root.resolve():
        raise SinkError(f"{output}: is where the pictures come from; choose another folder")
    for path in tqdm(paths, desc="recrop", unit="image", disable=None if progress else True):
        image = _read(store, path, reasons)
        if image is None:
            continue
        smaller = recrop(image, detector, least)
        cut, kept = cut + (smaller is not None), kept + (smaller is None)
        _write(output / path, image if smaller is None else smaller)
    report_unreadable(len(paths), reasons)
    return Recropped(cut, kept, len(reasons))


def _read(store: Store, path: str, reasons: list[str]) -> UInt8 | None:
    """A picture, or None and why."""
    try:
        return read_picture(store, path)
    except SourceError as error:
        reasons.append(str(error))
        return None


def _write(path: Path, image: UInt8) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        written = cv2.imwrite(str(path), image)
    except (OSError, cv2.error) as error:
        raise SinkError(f"{path}: cannot be written ({error})") from None
    if not written:
        raise SinkError(f"{path}: cannot be written")
