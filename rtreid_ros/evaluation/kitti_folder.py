"""Where things lie in KITTI tracking folders.

``label_02/NAME.txt`` and ``det_02/NAME.txt`` (or ``det_02/DETECTOR/NAME.txt``) for all sequences
together, perhaps ``image_02/NAME/`` and ``evaluate_tracking.seqmap.*``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtreid_ros.errors import SourceError
from rtreid_ros.evaluation.kitti_text import read_kitti

if TYPE_CHECKING:
    from pathlib import Path

FRAME_RATE = 10.0
"""Frames per second of every KITTI sequence."""
LABELS = "label_02"
DETECTIONS = "det_02"


def is_kitti(folder: Path) -> bool:
    """Whether the sequences of `folder` lie as in KITTI tracking."""
    return (folder / LABELS).is_dir() or (folder / DETECTIONS).is_dir()


def label_files(folder: Path) -> dict[str, Path]:
    """Ground truth by name of the sequence."""
    return {path.stem: path for path in sorted((folder / LABELS).glob("*.txt"))}


def lengths(folder: Path, names: list[str]) -> dict[str, int]:
    """Frames of each sequence: what a seqmap states, else its pictures, else up to the last label.

    Raises:
        SourceError: a seqmap or label file is not what the format says.
    """
    stated = _seqmap(folder)
    return {name: stated.get(name) or _counted(folder, name) for name in names}


def _seqmap(folder: Path) -> dict[str, int]:
    """``NAME empty FIRST LENGTH`` per line."""
    found = {}
    for path in sorted(folder.glob("evaluate_tracking.seqmap*")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            words = line.split()
            if words and (len(words) < 4 or not words[3].isdigit()):
                raise SourceError(f"{path}, line {number}: expected NAME empty FIRST LENGTH, got {line!r}")
            if words:
                found[words[0]] = int(words[3])
    return found


def _counted(folder: Path, name: str) -> int:
    pictures = folder / "image_02" / name
    if pictures.is_dir():
        return sum(1 for path in pictures.iterdir() if path.suffix in (".png", ".jpg"))
    labels = folder / LABELS / f"{name}.txt"
    return read_kitti(labels).last_frame if labels.is_file() else 0
