"""Frames that move against each other, remembered for a while: what TF tells."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rtreid_ros.errors import InputError
from rtreid_ros.types import Float64

_REMEMBERED_NS = 10_000_000_000
_MOST_POSES = 2000
"""Of one frame: ten seconds at 200 per second."""
_MOST_FRAMES = 4096
_PRUNE_FROM = 512
_LATE_NS = 100_000_000
"""The newest pose of a frame serves for stamps this much later, as none can be told from two."""
_DEEPEST = 64


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """A frame in another.

    Attributes:
        rotation: ``(3, 3)``.
        translation: ``(3,)`` metres.
    """

    rotation: Float64
    translation: Float64

    def __matmul__(self, inner: Pose) -> Pose:
        return Pose(self.rotation @ inner.rotation, self.rotation @ inner.translation + self.translation)

    def inverse(self) -> Pose:
        """The other frame in this one."""
        return Pose(self.rotation.T, -self.rotation.T @ self.translation)


@dataclass(slots=True, eq=False)
class _Edge:
    """Poses of a frame in its parent, by stamp: quaternion x, y, z, w and translation."""

    parent: str
    fixed: bool
    poses: deque[tuple[int, Float64, Float64]]


class TransformTree:
    """Poses of frames in their parents over the last ten seconds; safe to use from several threads.

    Memory is bounded: frames of which nothing came for that long are forgotten when there are many.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._edges: dict[str, _Edge] = {}

    def __len__(self) -> int:
        return len(self._edges)

    def add(
        self,
        parent: str,
        child: str,
        stamp_ns: int,
        quaternion: Sequence[float],
        translation: Sequence[float],
        *,
        fixed: bool = False,
    ) -> None:
        """Take in where `child` is in `parent`; if `fixed`, for ever.

        Raises:
            InputError: it is no pose, or there are too many frames.
        """
        turn, place = np.array(quaternion, np.float64), np.array(translation, np.float64)
        length = float(np.linalg.norm(turn))
        if not (np.isfinite(length) and length > 0.5 and np.isfinite(place).all()):
            raise InputError(
                f"transform from {child!r} to {parent!r} is none: {turn.tolist()}, {place.tolist()}"
            )
        with self._lock:
            edge = self._edges.get(child)
            if edge is None or edge.parent != parent or edge.fixed or fixed:
                self._make_room(stamp_ns)
                edge = self._edges[child] = _Edge(parent, fixed, deque(maxlen=_MOST_POSES))
            if edge.poses and stamp_ns < edge.poses[-1][0]:
                if stamp_ns > edge.poses[-1][0] - _REMEMBERED_NS:
                    return  # late, and a later one is known
                edge.poses.clear()  # the clock has been set back
            edge.poses.append((stamp_ns, turn / length, place))
            while edge.poses[0][0] < stamp_ns - _REMEMBERED_NS:
                edge.poses.popleft()

    def find(self, target: str, source: str, stamp_ns: int) -> Pose:
        """Where the frame `source` is in the frame `target` at a time.

        Between two poses, translations are interpolated linearly and rotations along the shortest
        arc at a speed that is even but for the third order of the angle.

        Raises:
            InputError: they are not connected, or not at that time; the message says where it ends.
        """
        with self._lock:
            up_from_source = self._ancestors(source)
            up_from_target = self._ancestors(target)
            common = next((name for name in up_from_source if name in set(up_from_target)), None)
            if common is None:
                raise InputError(
                    f"TF does not connect {source!r} and {target!r}: the one leads up to "
                    f"{up_from_source[-1]!r}, the other to {up_from_target[-1]!r}"
                )
            inner = self._climb(up_from_source[: up_from_source.index(common)], stamp_ns)
            outer = self._climb(up_from_target[: up_from_target.index(common)], stamp_ns)
        return outer.inverse() @ inner

    def _ancestors(self, name: str) -> list[str]:
        """The frame, its parent, and so on."""
        names = [name]
        while names[-1] in self._edges and len(names) < _DEEPEST:
            names.append(self._edges[names[-1]].parent)
        return names

    def _climb(self, names: Sequence[str], stamp_ns: int) -> Pose:
        """The first of `names`, each the parent of the one before, in the parent of the last."""
        pose = Pose(np.eye(3), np.zeros(3))
        for name in names:
            pose = _pose_at(name, self._edges[name], stamp_ns) @ pose
        return pose

    def _make_room(self, stamp_ns: int) -> None:
        if len(self._edges) < _PRUNE_FROM:
            return
        oldest = stamp_ns - _REMEMBERED_NS
        for name in [
            key for key, edge in self._edges.items() if not edge.fixed and edge.poses[-1][0] < oldest
        ]:
            del self._edges[name]
        if len(self._edges) >= _MOST_FRAMES:
            raise InputError(f"more than {_MOST_FRAMES} frames in TF: new ones are left out")


def _pose_at(name: str, edge: _Edge, stamp_ns: int) -> Pose:
    poses = edge.poses
    if edge.fixed:
        return Pose(_matrix(poses[-1][1]), poses[-1][2])
    if not poses[0][0] <= stamp_ns <= poses[-1][0] + _LATE_NS:
        early = stamp_ns < poses[0][0]
        distance = abs(stamp_ns - poses[0 if early else -1][0]) * 1e-9
        side = "before the first" if early else "after the last"
        raise InputError(f"the image is {distance:.3f} s {side} transform of {name!r} in {edge.parent!r}")
    # from the newest on: what is asked for is recent
    after = before = poses[-1]
    for pose in reversed(poses):
        before = pose
        if pose[0] <= stamp_ns:
            break
        after = pose
    share = 0.0 if after[0] <= before[0] else min((stamp_ns - before[0]) / (after[0] - before[0]), 1.0)
    other = after[1] if before[1] @ after[1] >= 0 else -after[1]
    turn = (1 - share) * before[1] + share * other
    return Pose(_matrix(turn / np.linalg.norm(turn)), (1 - share) * before[2] + share * after[2])


def _matrix(quaternion: Float64) -> Float64:
    """Rotation matrix ``(3, 3)`` of a unit quaternion x, y, z, w."""
    x, y, z, w = quaternion.tolist()
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
