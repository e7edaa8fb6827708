"""Local tracks of all cameras: a table with a row for each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtreid_ros.gallery.exemplars import Exemplars
from rtreid_ros.gallery.looks import Looks
from rtreid_ros.types import Bool, Float32, Float64, Int64, Tracks

GRACE_NS = 2_000_000_000
"""A track may be missing from its camera's messages for this long and still be the same one."""
_AGE_ERROR, _AGE_ERROR_NS = 1e-6, 1_000_000
"""Ages are float32 seconds."""
NOBODY = -1
_FREE = -1


class Tracklets:
    """A table that grows with the most tracks that ever lived at once.

    Attributes:
        camera: ``(L,) int64``, -1 where a row is free.
        ids: ``(L,) int64`` local ids.
        reported: ``(L,) int64`` when it was last among its camera's tracks, nanoseconds.
        sampled: ``(L,) int64`` when the last look was taken.
        samples: ``(L,) int64`` looks taken.
        strange: ``(L,) int64`` looks in a row that do not fit those before.
        slot: ``(L,) int64`` of the identity it is given, `NOBODY` if none.
        decision: ``(L,) int64`` which decision, counted from 1, gave it.
        confidence: ``(L,) float32`` of that.
        begun: ``(L,) int64`` when it was first reported, nanoseconds.
        together: ``(L, L) bool``: seen in one frame of one camera, so certainly different people.
        barred: ``(L, K) bool``: certainly not this identity.
        metres2: ``(L, K)`` sum of squared distances to an identity that another camera saw meanwhile.
        meetings: ``(L, K)`` how many are in the sum.
        halves: ``(2, L, D)`` sums of its first looks, and of those after.
        looks: exemplars, by row.
    """

    def __init__(self, exemplars: int) -> None:
        self.looks = Exemplars(exemplars)
        self.reset(0)

    def reset(self, dim: int) -> None:
        """Forget all; looks have length `dim` from now on."""
        self._dim = dim
        self._allocate(0, 0)
        self.looks = Exemplars(self.looks.size, dim)

    def _allocate(self, rows: int, slots: int) -> None:
        def zeros(*shape: int, dtype: Any = np.int64) -> Any:
            return np.zeros(shape, dtype)

        self.camera: Int64 = np.full(rows, _FREE)
        self.ids: Int64 = zeros(rows)
        self.reported: Int64 = zeros(rows)
        self.begun: Int64 = zeros(rows)
        self.sampled: Int64 = zeros(rows)
        self.samples: Int64 = zeros(rows)
        self.strange: Int64 = zeros(rows)
        self.slot: Int64 = np.full(rows, NOBODY)
        self.decision: Int64 = zeros(rows)
        self.confidence: Float32 = zeros(rows, dtype=np.float32)
        self.together: Bool = zeros(rows, rows, dtype=bool)
        self.barred: Bool = zeros(rows, slots, dtype=bool)
        self.metres2: Float64 = zeros(rows, slots, dtype=np.float64)
        self.meetings: Float64 = zeros(rows, slots, dtype=np.float64)
        self.halves: Float32 = zeros(2, rows, self._dim, dtype=np.float32)

    def __len__(self) -> int:
        """Local tracks alive."""
        return int(np.count_nonzero(self.camera != _FREE))

    def widen(self, slots: int) -> None:
        """Know of so many slots of identities."""
        for name in ("barred", "metres2", "meetings"):
            setattr(self, name, _padded(getattr(self, name), (len(self.ids), slots)))

    def of_camera(self, camera: int) -> Int64:
        """Rows of a camera's tracks."""
        return np.flatnonzero(self.camera == camera)

    def bound(self) -> Int64:
        """Slots of identities that live tracks are given."""
        return np.unique(self.slot[self.slot != NOBODY])

    def find(self, camera: int, now: int, tracks: Tracks) -> Int64:
        """``(N,)`` row of each track, new ones where it is unknown; those gone for long are dropped.

        A known id that, by its age, was born after its last report is another track (the tracker was
        reset, and counts anew).
        """
        rows = self.of_camera(camera)
        self.close(rows[self.reported[rows] < now - GRACE_NS])
        row_of = {int(self.ids[row]): int(row) for row in self.of_camera(camera)}
        ages = np.clip(np.nan_to_num(tracks.ages.astype(np.float64)), 0, 1e9) * 1e9
        born = now - (ages * (1 + _AGE_ERROR)).astype(np.int64) - _AGE_ERROR_NS
        found = np.empty(len(tracks), np.int64)
        for index, id_ in enumerate(tracks.ids.tolist()):
            row = row_of.get(id_)
            if row is not None and born[index] > self.reported[row]:
                self.close(np.array([row]))
                row = None
            found[index] = self._open(camera, id_, now) if row is None else row
        self.reported[found] = now
        return found

    def close(self, rows: Int64) -> None:
        """Forget some tracks."""
        self.camera[rows] = _FREE
        self.slot[rows] = NOBODY
        self.together[rows] = self.together[:, rows] = False
        self.barred[rows] = False
        self.metres2[rows] = self.meetings[rows] = 0
        for row in rows.tolist():
            self.forget_looks(row)

    def forget_looks(self, row: int) -> None:
        """Begin to look at a track anew."""
        self.samples[row] = self.strange[row] = 0
        self.halves[:, row] = 0
        self.looks.clear(row)

    def forget_identity(self, slot: int, instead: int | None = None) -> None:
        """An identity is gone, or has become another."""
        if instead is not None:
            self.slot[self.slot == slot] = instead
            self.barred[:, instead] |= self.barred[:, slot]
        else:
            self.slot[self.slot == slot] = NOBODY
        self.barred[:, slot] = False
        self.metres2[:, slot] = self.meetings[:, slot] = 0

    def add_look(self, row: int, vector: Float32, now: int, first: int) -> None:
        """One more look; the `first` ones and as many after them are also summed apart."""
        count = int(self.samples[row])
        if count < 2 * first:
            self.halves[count // first, row] += vector
        self.samples[row] += 1
        self.sampled[row] = now
        self.looks.add(row, vector, int(self.camera[row]))

    def mean_looks(self, rows: Int64, cameras: int) -> Looks:
        """What the tracks look like."""
        return Looks(*self.looks.sums(rows, cameras))

    def half_looks(self, row: int, cameras: int) -> tuple[Looks, Looks]:
        """What it looked like at first, and then."""
        share = np.zeros((1, cameras), np.float32)
        share[0, self.camera[row]] = 1
        first, then = self.halves[:, row : row + 1]
        count = self.samples[row] / 2
        return Looks(first / count, share), Looks(then / count, share)

    def _open(self, camera: int, id_: int, now: int) -> int:
        free = np.flatnonzero(self.camera == _FREE)
        if not len(free):
            free = np.array([len(self.ids)])
            self._grow(max(2 * len(self.ids), 16))
        row = int(free[0])
        self.camera[row], self.ids[row], self.begun[row] = camera, id_, now
        self.sampled[row] = -GRACE_NS * 1000
        return row

    def _grow(self, rows: int) -> None:
        before, slots = dict(vars(self)), self.barred.shape[1]
        self._allocate(rows, slots)
        for name, array in vars(self).items():
            old = before[name]
            if isinstance(array, np.ndarray) and old.size:
                array[tuple(slice(0, length) for length in old.shape)] = old
        self.looks.reserve(rows)


def _padded(array: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    if array.shape == shape:
        return array
    wide = np.zeros(shape, array.dtype)
    wide[: array.shape[0], : array.shape[1]] = array
    return wide
