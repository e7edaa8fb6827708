"""A whole tuning run: search, cross-check, files."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtreid_ros.tracking import TRACKERS
from rtreid_ros.tuning.objective import OBJECTIVES, Objective
from rtreid_ros.tuning.record import read_trials, tracker_yaml, versions, write_json, write_text
from rtreid_ros.tuning.result import Comparison, Setup, Tuning, summary
from rtreid_ros.tuning.search import Trial, best_of, load_optuna, search
from rtreid_ros.tuning.space import Dimension, search_space
from rtreid_ros.tuning.split import Split, fingerprint, splits

if TYPE_CHECKING:
    from rtreid_ros.recordings.recording import Recording

logger = logging.getLogger(__name__)


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
    _warn_of_missing_embeddings(setup)
    with _quiet_trackers():
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


def _warn_of_missing_embeddings(setup: Setup) -> None:
    frames = [frame for item in setup.tuned_on for frame in item.frames]
    if TRACKERS[setup.tracker].uses_embeddings and all(item.detections.embeddings is None for item in frames):
        logger.warning(
            "%s uses embeddings, and there are none: options of appearance do nothing", setup.tracker
        )


@contextmanager
def _quiet_trackers() -> Iterator[None]:
    """Thousands of trackers are made, and each would warn of the same."""
    trackers = logging.getLogger("rtreid_ros.tracking")
    before = trackers.level
    trackers.setLevel(logging.ERROR)
    try:
        yield
    finally:
        trackers.setLevel(before)


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
        "comparisons": [item.as_dict() for item in tuning.comparisons],
        "studies": {name: [trial.as_dict() for trial in trials] for name, trials in tuning.trials.items()},
    }
