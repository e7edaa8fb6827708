"""The economy of embeddings where the tracker is another node, whose tracks come back; no ROS needed."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from rtreid_ros.reid.economy import EmbeddingEconomy, EmbeddingPlan

if TYPE_CHECKING:
    from rtreid_ros.nodes.flow.motion import MotionChain
    from rtreid_ros.reid.economy import EconomyOptions
    from rtreid_ros.tracking import Tracker
    from rtreid_ros.types import Detections, Float32, Tracks

_REMEMBERED = 64
"""Frames whose tracks may still come: more than are ever on their way."""
_PATIENCE_S = 5.0


class ReturningTracks:
    """Plans from the newest tracks that have come back, which lag behind by as long as they travel.

    The prediction of places goes by stamps, so a lag of a frame or two costs little. When lossless
    a frame waits for the tracks of the frame before, so that the same is embedded as in one process.
    Plans are made in one thread, tracks come in another.

    Args:
        options: of the economy.
        motions: how the camera moved, as far as messages told.
        lossless: whether to wait.
        tracker: one like that of the other node: what it ignores is not embedded.

    Attributes:
        economy: what plans.
        tracker: as given.
        given_up: times waiting was in vain.
    """

    def __init__(
        self, options: EconomyOptions, motions: MotionChain, lossless: bool, tracker: Tracker
    ) -> None:
        self.economy = EmbeddingEconomy(options)
        self.given_up = 0
        self.tracker = tracker
        self._motions = motions
        self._lossless = lossless
        self._condition = threading.Condition()
        self._planned: deque[tuple[int, EmbeddingPlan, Float32]] = deque(maxlen=_REMEMBERED)
        self._reported: int | None = None
        self._closed = False

    def plan(self, detections: Detections, stamp_ns: int, most: int | None = None) -> EmbeddingPlan:
        """What to embed of the frame of that stamp; see `EmbeddingEconomy.plan`."""
        with self._condition:
            if self._lossless and self._planned and self.economy.options.enabled:
                arrived = self._condition.wait_for(lambda: self._is_reported() or self._closed, _PATIENCE_S)
                self.given_up += not arrived
            motion = None if self._reported is None else self._motions.between(self._reported, stamp_ns)
            return self.economy.plan(
                detections,
                stamp_ns * 1e-9,
                motion,
                least_score=self.tracker.least_score,
                lend=self.tracker.borrows,
                most=most,
            )

    def embedded(self, stamp_ns: int, plan: EmbeddingPlan, embeddings: Float32) -> None:
        """All embeddings of a planned frame, ``(N, D)``; to be told before they are published."""
        with self._condition:
            if self._planned and stamp_ns <= self._planned[-1][0]:  # a recording began again
                self._planned.clear()
                self._reported = None
            self._planned.append((stamp_ns, plan, embeddings))

    def take(self, stamp_ns: int, tracks: Tracks) -> None:
        """Tracks came back; those of a frame not planned here, or older than others, are of no use."""
        with self._condition:
            if self._reported is not None and stamp_ns <= self._reported:
                return
            for planned, plan, embeddings in self._planned:
                if planned == stamp_ns:
                    self.economy.observe(tracks, embeddings, plan, stamp_ns * 1e-9)
                    self._reported = stamp_ns
            while self._planned and self._planned[0][0] < stamp_ns:
                self._planned.popleft()
            self._condition.notify_all()

    def close(self) -> None:
        """Wait for nothing any more."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def _is_reported(self) -> bool:
        return self._reported is not None and self._reported >= self._planned[-1][0]
