"""What a tuning run was asked for and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rtreid_ros.tuning.objective import OBJECTIVES, Outcome
from rtreid_ros.tuning.search import Trial, best_of
from rtreid_ros.tuning.space import Dimension

if TYPE_CHECKING:
    from rtreid_ros.recordings.recording import Recording


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """What to tune, on what, and how.

    Attributes:
        tracker: one of ``TRACKERS``.
        tuned_on: recordings with ground truth.
        held_out: others, on which the result is checked and nothing is chosen.
        objective: one of `OBJECTIVES`.
        only: options to search; empty = all that declare something.
        trials: of each search, the defaults among them.
        seed: of all random choices.
        folds: further searches, each checked on the share of `tuned_on` it did not see; 0 = none.
        camera_motion: give the tracker the camera motion, where it is known.
        source: where the recordings come from, for the record.
    """

    tracker: str
    tuned_on: Sequence[Recording]
    held_out: Sequence[Recording] = ()
    objective: str = "hota"
    only: Sequence[str] = ()
    trials: int = 100
    seed: int = 0
    folds: int = 0
    camera_motion: bool = True
    source: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The defaults and the options found, on the same recordings; `held_out`: unseen by the search."""

    split: str
    held_out: bool
    default: Outcome
    tuned: Outcome

    def gain(self, metric: str) -> float:
        """Of the combined figure; negative for a loss."""
        difference: float = getattr(self.tuned.combined.scores, metric) - getattr(
            self.default.combined.scores, metric
        )
        return difference

    def as_dict(self) -> dict[str, Any]:
        """All figures, for JSON."""
        sides = {"default": self.default, "tuned": self.tuned}
        return {
            "split": self.split,
            "held_out": self.held_out,
            **{
                name: {
                    "combined": outcome.combined.scores.as_dict(),
                    "sequences": {item.name: item.scores.as_dict() for item in outcome.evaluations},
                    "milliseconds": outcome.milliseconds,
                }
                for name, outcome in sides.items()
            },
        }


@dataclass(slots=True, eq=False)
class Tuning:
    """A run: the trials of each split so far and, at the end, what they are worth."""

    setup: Setup
    space: list[Dimension]
    trials: dict[str, list[Trial]]
    comparisons: list[Comparison] = field(default_factory=list)
    interrupted: bool = False

    @property
    def best(self) -> Trial:
        """The options found."""
        return best_of(self.trials["all"])

    @property
    def changed(self) -> dict[str, Any]:
        """Those of the options found that are not the defaults."""
        defaults = {item.name: item.default for item in self.space}
        return {name: value for name, value in self.best.options.items() if value != defaults[name]}


def summary(tuning: Tuning) -> str:
    """What came of it, in a few lines."""
    setup, metric = tuning.setup, tuning.setup.objective
    called = OBJECTIVES[metric]
    best = tuning.best
    lines = [
        f"{setup.tracker} tuned for {called}: trial {best.number} of {len(tuning.trials['all'])}, "
        f"seed {setup.seed}"
    ]
    for item in tuning.comparisons:
        where = "held out" if item.held_out else "tuned on"
        names = ", ".join(evaluation.name for evaluation in item.default.evaluations)
        before, after = (
            100 * getattr(outcome.combined.scores, metric) for outcome in (item.default, item.tuned)
        )
        fold = "" if item.split == "all" else f"{item.split}, "
        figures = f"{called} {before:.2f} by default, {after:.2f} tuned ({after - before:+.2f})"
        lines.append(f"{fold}{where}: {figures}; {names}")
    if not any(item.held_out for item in tuning.comparisons):
        lines.append("nothing was held out: on other sequences expect less, or a loss")
    return "\n".join(lines)
