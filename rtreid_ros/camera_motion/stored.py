"""Camera motion computed before, from ``gmc.txt``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from rtreid_ros.affine import compose, identity
from rtreid_ros.camera_motion.base import CameraMotion
from rtreid_ros.errors import SourceError
from rtreid_ros.textfile import read_text
from rtreid_ros.types import Float64, UInt8

_COLUMNS = 7


def read_motions(path: str | Path) -> dict[int, Float64]:
    """The motions of a ``gmc.txt`` by frame.

    Each line is ``frame a b tx c d ty``, separated by blanks, tabs or commas: the affine
    ``[[a, b, tx], [c, d, ty]]`` in pixels from the frame before to this one; frames count from 0.

    Raises:
        SourceError: the file is missing, or a line is not what the format says; the message names
            the line.
    """
    path = Path(path)
    lines = read_text(path).splitlines()
    motions: dict[int, Float64] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            frame, affine = _parse(line)
            if frame in motions:
                raise ValueError(f"frame {frame} stands there twice")
        except ValueError as error:
            raise SourceError(f"{path}: line {number}: {error}") from None
        motions[frame] = affine
    return motions


def _parse(line: str) -> tuple[int, Float64]:
    words = line.replace(",", " ").split()
    if len(words) != _COLUMNS:
        raise ValueError(f"expected frame a b tx c d ty, {_COLUMNS} numbers, got {len(words)}")
    values = np.array([float(word) for word in words])
    affine = values[1:].reshape(2, 3)
    if values[0] < 0 or values[0] != np.floor(values[0]):
        raise ValueError(f"frames are whole numbers from 0, got {words[0]}")
    if not np.isfinite(affine).all() or np.linalg.det(affine[:, :2]) == 0:
        raise ValueError("not an invertible affine")
    return int(values[0]), affine


class StoredMotion(CameraMotion):
    """Motions known beforehand; frames left out in between are bridged.

    Args:
        motions: ``(2, 3)`` affine from the frame before, by frame index from 0; see `read_motions`.
    """

    def __init__(self, motions: Mapping[int, Float64]) -> None:
        super().__init__()
        self._motions = dict(motions)
        self._last: int | None = None

    def between(self, earlier: int, later: int) -> Float64 | None:
        """The motion from frame `earlier` to `later`, composed; None where one of its steps is not known."""
        motion = identity()
        for index in range(earlier + 1, later + 1):
            step = self._motions.get(index)
            if step is None:
                return None
            motion = compose(step, motion)
        return motion

    def estimate(
        self,
        image: UInt8,
        boxes: ArrayLike | None = None,
        *,
        index: int | None = None,
        stamp_ns: int | None = None,
    ) -> Float64:
        """The motion to frame `index`, or to the one after the last where it is None."""
        last = self._last
        self._last = (0 if last is None else last + 1) if index is None else index
        if last is None:
            return identity()
        motion = self.between(last, self._last) if self._last > last else None
        if motion is None:
            self.failures += 1
            return identity()
        return motion

    def reset(self) -> None:
        """Forget which frame was the last."""
        self._last = None
