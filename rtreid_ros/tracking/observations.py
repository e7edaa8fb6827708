"""Where tracks were seen lately, for directions of motion."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rtreid_ros.tracking.rows import Rows
from rtreid_ros.types import Float32, Float64, Int64


@dataclass(slots=True)
class Observations(Rows):
    """The last few observed centres of every track, newest first."""

    centers: Float32
    """``(N, K, 2)`` pixels."""
    times: Float64
    """``(N, K)`` in nominal frames; -inf where there is none."""

    @classmethod
    def of(cls, centers: Float32, now: float, window: float) -> Observations:
        """One observation of each track, with room for those of `window` nominal frames."""
        room = math.ceil(window) + 2
        observed = cls(np.repeat(centers[:, None], room, axis=1), np.full((len(centers), room), -np.inf))
        observed.times[:, 0] = now
        return observed

    def add(self, rows: Int64, centers: Float32, now: float) -> None:
        """One more observation of each of `rows`; their oldest is forgotten.

        At rates above the nominal one, observations less than a nominal frame apart replace each
        other, so that those kept reach back as far as at any rate.
        """
        apart = (self.times[rows, 0] - self.times[rows, 1] > 1 - 1e-6)[:, None]
        for column, new in ((self.centers, centers), (self.times, now)):
            moved = column[rows]
            wide = apart[..., None] if moved.ndim == 3 else apart
            moved[:, 1:] = np.where(wide, moved[:, :-1], moved[:, 1:])
            moved[:, 0] = new
            column[rows] = moved

    def since(self, time: float) -> Float32:
        """``(N, 2)``: the oldest centre kept that was seen at `time` or later, else the newest."""
        recent = (self.times >= time - 0.5).sum(axis=1)
        chosen: Float32 = self.centers[np.arange(len(self)), np.maximum(recent - 1, 0)]
        return chosen

    def warp(self, affine: Float64) -> None:
        """Carry all centres from the camera's last frame into this one."""
        self.centers = (self.centers @ affine[:, :2].T + affine[:, 2]).astype(np.float32)


def direction(start: Float32, end: Float32) -> Float32:
    """``(P, 2)`` unit vectors from `start` to `end`; zeros where they coincide."""
    step = end - start
    length = np.sqrt(np.einsum("pi,pi->p", step, step))[:, None]
    unit: Float32 = np.divide(step, length, out=np.zeros_like(step), where=length > 0)
    return unit
