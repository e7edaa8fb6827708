"""Judging a running system: truth and tracks arrive one by one, each with its image's stamp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtreid_ros.evaluation.judging import PLAIN, Rules
from rtreid_ros.evaluation.metrics import Evaluation, evaluate_frames
from rtreid_ros.types import Tracks

if TYPE_CHECKING:
    from rtreid_ros.types import GroundTruth


class StampedEvaluator:
    """Collects ground truth and tracks in any order, matched by exact stamp.

    A frame with truth but without tracks counts as a frame in which nothing was found: what a
    stage dropped is judged as lost. Tracks without truth cannot be judged and are only counted.
    """

    def __init__(self, rules: Rules = PLAIN, name: str = "sequence") -> None:
        self.rules = rules
        self.name = name
        self._truth: dict[int, GroundTruth] = {}
        self._tracks: dict[int, Tracks] = {}
        self.repeated = 0
        """Stamps that came twice on one side; the later one counts."""

    def add_truth(self, stamp_ns: int, truth: GroundTruth) -> None:
        """Who was where at that stamp."""
        self.repeated += stamp_ns in self._truth
        self._truth[stamp_ns] = truth

    def add_tracks(self, stamp_ns: int, tracks: Tracks) -> None:
        """What was tracked at that stamp."""
        self.repeated += stamp_ns in self._tracks
        self._tracks[stamp_ns] = tracks

    @property
    def judged(self) -> int:
        """Frames with both."""
        return len(self._truth.keys() & self._tracks.keys())

    @property
    def without_tracks(self) -> int:
        """Frames whose truth came but whose tracks did not."""
        return len(self._truth.keys() - self._tracks.keys())

    @property
    def without_truth(self) -> int:
        """Frames whose tracks came but whose truth did not."""
        return len(self._tracks.keys() - self._truth.keys())

    def evaluation(self) -> Evaluation:
        """Scores of everything collected so far.

        Raises:
            SourceError: an id twice in a frame.
            MissingDependencyError: TrackEval is not installed.
        """
        stamps = sorted(self._truth)
        nothing = Tracks.empty()
        return evaluate_frames(
            [self._truth[stamp] for stamp in stamps],
            [self._tracks.get(stamp, nothing) for stamp in stamps],
            name=self.name,
            rules=self.rules,
        )
