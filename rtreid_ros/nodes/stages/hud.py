"""The lines in the corner of an annotated image; no ROS needed."""

from __future__ import annotations

import time

from rtreid_ros.nodes.flow.statistics import Statistics
from rtreid_ros.types import Tracks, TrackState

_REFRESH_S = 0.5
"""Figures that change faster cannot be read."""


class Hud:
    """Counts of this image, and how the graph keeps up."""

    def __init__(self) -> None:
        self._highest = 0
        self._pace: tuple[float, str] | None = None

    def lines(self, tracks: Tracks, statistics: Statistics, age_ms: float | None) -> list[str]:
        """Two lines: who is there, and rate, age of the image and frames dropped.

        Args:
            tracks: of this image.
            statistics: of the node that draws.
            age_ms: since the image's stamp; None where stamps are no time of the day.
        """
        confirmed = tracks.confirmed()
        self._highest = max(self._highest, int(confirmed.ids.max(initial=0)))
        lost = int((tracks.states == TrackState.LOST).sum())
        now = time.monotonic()
        if self._pace is None or now - self._pace[0] >= _REFRESH_S:
            values = statistics.snapshot()
            age = "" if age_ms is None else f"   {age_ms:.0f} ms"
            pace = f"{float(values['rate_hz']):.1f} Hz{age}   {values['dropped']} dropped"
            self._pace = now, pace
        who = f"{len(confirmed)} tracked   {lost} lost   {self._highest} ids so far"
        return [who, self._pace[1]]
