"""A tracker with given options, played over recordings and judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.errors import ConfigError
from rtreid_ros.evaluation.metrics import combine
from rtreid_ros.evaluation.offline import judge_replay
from rtreid_ros.recordings.replay import replay
from rtreid_ros.registry import suggest
from rtreid_ros.tracking import create_tracker

if TYPE_CHECKING:
    from rtreid_ros.evaluation.metrics import Evaluation
    from rtreid_ros.recordings.recording import Recording

OBJECTIVES: dict[str, str] = {
    "hota": "HOTA",
    "ass_a": "AssA",
    "det_a": "DetA",
    "idf1": "IDF1",
    "mota": "MOTA",
}
"""Fields of `rtreid_ros.evaluation.metrics.Scores` that can be maximised, and what they are called."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a tracker with certain options came to.

    Attributes:
        evaluations: one per sequence.
        combined: all of them as one set.
        milliseconds: median wall clock of an update, over all frames.
    """

    evaluations: tuple[Evaluation, ...]
    combined: Evaluation
    milliseconds: float


class Objective:
    """The figure that is to be made large, over recordings with ground truth."""

    def __init__(
        self,
        tracker: str,
        recordings: Sequence[Recording],
        metric: str = "hota",
        *,
        camera_motion: bool = True,
    ) -> None:
        """Check that everything can be judged.

        Args:
            tracker: one of ``TRACKERS``.
            recordings: what it is played over.
            metric: one of `OBJECTIVES`.
            camera_motion: give the tracker the camera motion, where it is known.

        Raises:
            ConfigError: an unknown metric, no recording, or one without anything to judge.
        """
        if metric not in OBJECTIVES:
            known = list(OBJECTIVES)
            raise ConfigError(f"no objective {metric!r}{suggest(metric, known)}; known: {', '.join(known)}")
        if not recordings:
            raise ConfigError("tuning needs at least one sequence")
        for item in recordings:
            numbers = [frame.number for frame in item.frames]
            if item.truth is None or not (item.truth.considered & np.isin(item.truth.frames, numbers)).any():
                raise ConfigError(
                    f"{item.name}: no ground truth in its {len(numbers)} frames, nothing says what is better"
                )
        self.tracker = tracker
        self.recordings = tuple(recordings)
        self.metric = metric
        self.camera_motion = camera_motion

    @property
    def stages(self) -> int:
        """Values that a call gives."""
        return len(self.recordings)

    def __call__(self, options: Mapping[str, Any]) -> Iterator[float]:
        """The metric over the first, the first two, ... sequences; each is played when asked for.

        Raises:
            ConfigError: the tracker refuses the options.
        """
        judged = []
        for recording in self.recordings:
            judged.append(self._play(recording, options)[0])
            yield float(getattr(combine(judged).scores, self.metric))

    def outcome(self, options: Mapping[str, Any]) -> Outcome:
        """All sequences, with all figures."""
        played = [self._play(recording, options) for recording in self.recordings]
        judged = tuple(evaluation for evaluation, _ in played)
        return Outcome(judged, combine(judged), float(np.median(np.concatenate([ms for _, ms in played]))))

    def _play(self, recording: Recording, options: Mapping[str, Any]) -> tuple[Evaluation, Any]:
        tracker = create_tracker(self.tracker, recording.frame_rate, **options)
        result = replay(recording, tracker, camera_motion=self.camera_motion)
        return judge_replay(result), result.milliseconds
