"""A whole tuning run: search, cross-check, files."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtreid_ros.tracking import TRACKERS
from rtreid_ros.tuning.objective import OBJECTIVES, Objective, Outcome
from rtreid_ros.tuning.record import read_trials, tracker_yaml, versions, write_json, write_text
from rtreid_ros.tuning.search import Trial, best_of, load_optuna, search
from rtreid_ros.tuning.space import Dimension, search_space
from rtreid_ros.tuning.split import Split, fingerprint, splits

if TYPE_CHECKING:
    from rtreid_ros.recordings.recording import Recording

logger = logging.getLogger(__name__)


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


def tune(
    setup: Setup, *, output: Path | None = None, restart: bool = False, progress: bool = False
) -> Tuning:
    """Search, check and, with `output`, write tracker.yaml, tuning.json and tuning.html there.

    Trials of an earlier run in `output` with the same settings are taken over, and the search goes
    on as if it had not ended. Ctrl-C ends the search; what is best so far is checked and written.

    Raises:
        ConfigError: something in `setup` is wrong, or `output` holds a run with other settings.
        SinkError: `output` cannot be written.
        MissingDependencyError: Optuna or TrackEval is not installed.
        KeyboardInterrupt: Ctrl-C before the first trial was finished.
    """
    load_optuna()
    parts = splits(setup.tuned_on, setup.held_out, setup.folds)
    tuning = Tuning(setup, search_space(TRACKERS[setup.tracker].Options, setup.only), {})
    for recordings in (part for split in parts for part in (split.tuned_on, split.held_out) if part):
        _objective(setup, recordings)
    record = None if output is None else output / "tuning.json"
    settings = _settings(setup, tuning.space)
    if record is not None and not restart:
        tuning.trials = read_trials(record, settings)
    try:
        for split in parts:
            for _ in _searched(tuning, split, progress):
                if record is not None:
                    write_json(record, _content(tuning, settings))
    except KeyboardInterrupt:
        if not tuning.trials.get("all"):
            raise
        tuning.interrupted = True
        logger.warning("interrupted: going on with the best so far")
    for split in parts:
        tuning.comparisons += _compared(tuning, split)
    if output is not None and record is not None:
        from rtreid_ros.tuning.page import tuning_page  # noqa: PLC0415 (only where it is wanted)

        write_json(record, _content(tuning, settings))
        write_text(output / "tracker.yaml", tracker_yaml(setup.tracker, tuning.best.options, summary(tuning)))
        write_text(output / "tuning.html", tuning_page(tuning))
    return tuning


def _objective(setup: Setup, recordings: Sequence[Recording]) -> Objective:
    return Objective(setup.tracker, recordings, setup.objective, camera_motion=setup.camera_motion)


def _searched(tuning: Tuning, split: Split, progress: bool) -> Iterator[Trial]:
    """New trials of a split, each noted in `tuning` already."""
    from tqdm import tqdm  # noqa: PLC0415 (slow to import)

    setup = tuning.setup
    trials = tuning.trials.setdefault(split.name, [])
    objective = _objective(setup, split.tuned_on)
    new = search(
        objective,
        tuning.space,
        stages=objective.stages,
        trials=setup.trials,
        seed=setup.seed,
        done=tuple(trials),
    )
    name = setup.tracker if split.name == "all" else f"{setup.tracker}, {split.name}"
    total = max(setup.trials, len(trials))
    silent = None if progress else True  # None: silent where standard error is no terminal
    with tqdm(total=total, initial=len(trials), desc=name, unit="trial", disable=silent) as bar:
        for trial in new:
            trials.append(trial)
            bar.set_postfix_str(_standing(trials, setup.objective), refresh=False)
            bar.update()
            yield trial


def _standing(trials: Sequence[Trial], metric: str) -> str:
    default, best = trials[0].value, best_of(trials)
    return f"{OBJECTIVES[metric]} {best.value:.4f} (trial {best.number}), default {default:.4f}"


def _compared(tuning: Tuning, split: Split) -> Iterator[Comparison]:
    trials = tuning.trials.get(split.name, [])
    if len(trials) < tuning.setup.trials and split.name != "all":
        return  # a fold cut short says nothing about the search as a whole
    options = best_of(trials).options
    for held_out, recordings in ((False, split.tuned_on), (True, split.held_out)):
        if recordings and (held_out or split.name == "all"):
            objective = _objective(tuning.setup, recordings)
            yield Comparison(split.name, held_out, objective.outcome({}), objective.outcome(options))


def _settings(setup: Setup, space: Sequence[Dimension]) -> dict[str, Any]:
    """All that decides which trials are made."""
    return {
        "tracker": setup.tracker,
        "objective": setup.objective,
        "trials": setup.trials,
        "seed": setup.seed,
        "folds": setup.folds,
        "camera_motion": setup.camera_motion,
        "space": [item.as_dict() for item in space],
        "tuned_on": [fingerprint(item) for item in setup.tuned_on],
    }


def _content(tuning: Tuning, settings: Mapping[str, Any]) -> dict[str, Any]:
    best = tuning.best
    return {
        "settings": dict(settings),
        "held_out": [fingerprint(item) for item in tuning.setup.held_out],
        "source": dict(tuning.setup.source),
        "versions": versions(),
        "interrupted": tuning.interrupted,
        "best": {"trial": best.number, "value": best.value, "options": best.options},
        "comparisons": [_figures(item) for item in tuning.comparisons],
        "studies": {name: [trial.as_dict() for trial in trials] for name, trials in tuning.trials.items()},
    }


def _figures(comparison: Comparison) -> dict[str, Any]:
    sides = {"default": comparison.default, "tuned": comparison.tuned}
    return {
        "split": comparison.split,
        "held_out": comparison.held_out,
        **{
            name: {
                "combined": outcome.combined.scores.as_dict(),
                "sequences": {item.name: item.scores.as_dict() for item in outcome.evaluations},
                "milliseconds": outcome.milliseconds,
            }
            for name, outcome in sides.items()
        },
    }


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
