"""KITTI tracking text: one box per line, frames from 0, corners in pixels, classes by name.

``frame id type truncated occluded alpha x1 y1 x2 y2 h w l X Y Z rotation [score]`` (Geiger et al.,
"Are We Ready for Autonomous Driving? The KITTI Vision Benchmark Suite", CVPR 2012, development kit
of the tracking benchmark). In a `MotTable` frames count from 1, like everywhere else here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtreid_ros.errors import SourceError
from rtreid_ros.evaluation.mot_text import MotTable
from rtreid_ros.textfile import read_text

if TYPE_CHECKING:
    from rtreid_ros.types import Int64, Tracks

KITTI_CLASSES: tuple[str, ...] = (
    "",  # classes count from 1
    "car",
    "van",
    "truck",
    "pedestrian",
    "person_sitting",
    "cyclist",
    "tram",
    "misc",
    "dontcare",
)
"""Names of the classes, lower-case; ``KITTI_CLASSES[class_id]``."""

KITTI_WRITTEN = ("", "Car", "Van", "Truck", "Pedestrian", "Person", "Cyclist", "Tram", "Misc", "DontCare")
"""The same as they stand in files."""

CAR, VAN, PEDESTRIAN, PERSON_SITTING, DONT_CARE = 1, 2, 4, 5, 9
MAX_OCCLUSION = 2
MAX_TRUNCATION = 0
_BY_NAME = {name: index for index, name in enumerate(KITTI_CLASSES) if name} | {"person": PERSON_SITTING}
_FEWEST_COLUMNS = 10


def looks_like_kitti(path: str | Path) -> bool:
    """Whether the first line of `path` has a class name as its third word."""
    try:
        with Path(path).open(encoding="utf-8") as stream:
            first = next((line for line in stream if line.strip()), "")
    except (OSError, UnicodeDecodeError):
        return False
    words = first.replace(",", " ").split()
    return len(words) > 2 and re.fullmatch(r"[A-Za-z_]+", words[2]) is not None


def read_kitti(path: str | Path) -> MotTable:
    """A KITTI tracking file: labels, detections or results.

    `MotTable.scores` is the score, column 18, where there is one; otherwise "considered": 0 where
    occlusion or truncation are beyond what the benchmark judges, else 1. Rows of class
    ``dontcare`` are kept, their ids are -1.

    Raises:
        SourceError: the file is missing, or a line is not what the format says; the message names
            the line.
    """
    path = Path(path)
    lines = read_text(path).splitlines()
    rows = [_row(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not rows:
        return MotTable.empty()
    table = np.array(rows)
    table = table[np.argsort(table[:, 0], kind="stable")]
    corners = np.ascontiguousarray(table[:, 3:7])
    return MotTable(
        frames=table[:, 0].astype(np.int64) + 1,
        ids=table[:, 1].astype(np.int64),
        boxes=np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1),
        scores=table[:, 7].copy(),
        class_ids=table[:, 2].astype(np.int64),
        visibility=np.ones(len(table), np.float32),
        has_classes=True,
        corners=corners,
    )


def _row(path: Path, number: int, line: str) -> list[float]:
    """Frame, id, class, corners, and score or whether to be considered."""
    words = line.replace(",", " ").split()

    def wrong(complaint: str) -> SourceError:
        return SourceError(f"{path}, line {number}: {complaint}: {line.strip()!r}")

    if len(words) < _FEWEST_COLUMNS:
        raise wrong(
            f"{len(words)} columns, at least {_FEWEST_COLUMNS} expected (frame, id, type, ... x2, y2)"
        )
    class_id = _BY_NAME.get(words[2].lower())
    if class_id is None:
        raise wrong(f"no KITTI class {words[2]!r}, known: {', '.join(KITTI_WRITTEN[1:])}")
    try:
        frame, identity, truncated, occluded, _, x1, y1, x2, y2 = map(float, [*words[:2], *words[3:10]])
        score = float(words[17]) if len(words) > 17 else None
    except ValueError:
        raise wrong("not all numbers") from None
    if not (frame.is_integer() and frame >= 0 and identity.is_integer()):
        raise wrong("frame must be an integer from 0 and id an integer")
    if not np.isfinite([x1, y1, x2, y2]).all() or x2 < x1 or y2 < y1:
        raise wrong("box must be finite corners x1 <= x2, y1 <= y2")
    considered = occluded <= MAX_OCCLUSION and int(truncated) <= MAX_TRUNCATION
    return [frame, identity, class_id, x1, y1, x2, y2, float(considered) if score is None else score]


def kitti_class_ids(class_names: tuple[str, ...]) -> Int64:
    """``(C,)``: the KITTI class of each of a detector's classes, 0 where it has none.

    A detector's "person" stands or walks; in files of KITTI "Person" means one who sits.
    """
    names = ["pedestrian" if name == "person" else name.lower() for name in class_names]
    return np.array([_BY_NAME.get(name, 0) for name in names], np.int64)


def kitti_tracks_text(number: int, tracks: Tracks, class_names: tuple[str, ...]) -> str:
    """Result lines of frame `number` (from 1): the confirmed tracks of classes KITTI knows."""
    kept = tracks.confirmed()
    classes = kitti_class_ids(class_names)[kept.class_ids]
    return "".join(
        f"{number - 1} {identity} {KITTI_WRITTEN[known]} -1 -1 -10 {x1:.3f} {y1:.3f} {x2:.3f} {y2:.3f} "
        f"-1 -1 -1 -1000 -1000 -1000 -10 {score:.4f}\n"
        for identity, known, (x1, y1, x2, y2), score in zip(
            kept.ids, classes, kept.boxes.astype(np.float64), kept.scores, strict=True
        )
        if known
    )
