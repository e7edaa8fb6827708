"""Which options to try next: Optuna's tree-structured Parzen estimator, one trial after another.

Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NIPS 2011; Akiba et al., "Optuna: A
Next-generation Hyperparameter Optimization Framework", KDD 2019.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.errors import ConfigError, MissingDependencyError
from rtreid_ros.tuning.space import Dimension, Span

if TYPE_CHECKING:
    import optuna

_RANDOM_TRIALS = 10
"""Trials before the estimator has anything to go by."""
_UNPRUNED_TRIALS = 5
"""Complete trials before one can be called worse than usual."""

COMPLETE, PRUNED, INVALID = "complete", "pruned", "invalid"

Scorer = Callable[[Mapping[str, Any]], Iterator[float]]
"""Options to the objective (higher is better) over the first, the first two, ... sequences."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One set of options, tried.

    Attributes:
        number: from 0, which is the defaults.
        proposed: what the search proposed, by option.
        options: what the tracker was given.
        values: the objective over the first, the first two, ... sequences.
        state: `COMPLETE`; `PRUNED`: given up, being worse than most so far; or `INVALID`: the
            tracker refuses the combination.
        seconds: wall clock.
    """

    number: int
    proposed: dict[str, Any]
    options: dict[str, Any]
    values: tuple[float, ...]
    state: str
    seconds: float

    @property
    def value(self) -> float:
        """The objective over all sequences; nothing where not all were played."""
        return self.values[-1] if self.state == COMPLETE else float("-inf")

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Trial:
        """The inverse of `as_dict`."""
        return cls(**{**content, "values": tuple(content["values"])})


def best_of(trials: Sequence[Trial]) -> Trial:
    """The complete trial with the highest objective, the earliest of equals.

    Raises:
        ConfigError: none is complete.
    """
    complete = [trial for trial in trials if trial.state == COMPLETE]
    if not complete:
        raise ConfigError("no trial is complete: there is nothing to choose from")
    return max(complete, key=lambda trial: trial.value)


def search(
    score: Scorer,
    space: Sequence[Dimension],
    *,
    stages: int,
    trials: int,
    seed: int = 0,
    done: Sequence[Trial] = (),
) -> Iterator[Trial]:
    """The trials after those `done`, each as soon as it is finished, until there are `trials`.

    Trial 0 is the defaults. Every trial draws from a random generator of its own, made from `seed`
    and its number: going on after an interruption gives the trials that would have come anyway.

    Args:
        score: what is to be made large; gives `stages` values.
        space: where to look.
        stages: sequences, after each of which but the last a poor trial is given up.
        trials: how many there are to be, those done included.
        seed: of all random choices.
        done: trials of an earlier run.

    Raises:
        ConfigError: `trials` or `seed` is out of range.
        MissingDependencyError: Optuna is not installed.
    """
    if trials < 1:
        raise ConfigError(f"at least one trial is needed, got {trials}")
    if seed < 0:
        raise ConfigError(f"the seed must not be negative, got {seed}")
    optuna = load_optuna()
    distributions = {item.name: _distribution(item) for item in space}
    study = make_study(space, done)
    for number in range(len(done), trials):
        study.sampler = optuna.samplers.TPESampler(
            seed=int(np.random.SeedSequence([seed, number]).generate_state(1)[0]),
            n_startup_trials=_RANDOM_TRIALS,
            constant_liar=False,
        )
        if number == 0:
            study.enqueue_trial({item.name: item.default for item in space})
        asked = study.ask(distributions)
        trial = _play(asked, score, space, stages)
        if trial.state == COMPLETE:
            study.tell(asked, trial.value)
        else:
            study.tell(asked, state=optuna.trial.TrialState.PRUNED)
        yield trial


def _play(asked: optuna.Trial, score: Scorer, space: Sequence[Dimension], stages: int) -> Trial:
    proposed = {item.name: asked.params[item.name] for item in space}
    options = {item.name: item.settle(proposed[item.name]) for item in space}
    start = time.perf_counter()
    values: list[float] = []
    state = COMPLETE
    try:
        for value in score(options):
            asked.report(value, len(values))
            values.append(value)
            if len(values) < stages and asked.should_prune():
                state = PRUNED
                break
    except ConfigError:
        state, values = INVALID, []
    return Trial(asked.number, proposed, options, tuple(values), state, time.perf_counter() - start)


def make_study(space: Sequence[Dimension], trials: Sequence[Trial]) -> Any:
    """An Optuna study in memory that holds `trials`."""
    optuna = load_optuna()
    study = optuna.create_study(
        direction="maximize", pruner=optuna.pruners.MedianPruner(n_startup_trials=_UNPRUNED_TRIALS)
    )
    distributions = {item.name: _distribution(item) for item in space}
    states = optuna.trial.TrialState
    for trial in trials:
        complete = trial.state == COMPLETE
        study.add_trial(
            optuna.trial.create_trial(
                state=states.COMPLETE if complete else states.PRUNED,
                value=trial.value if complete else None,
                params=trial.proposed,
                distributions=distributions,
                intermediate_values=dict(enumerate(trial.values)),
            )
        )
    return study


def load_optuna() -> Any:
    """Optuna, silent but for warnings.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import optuna  # noqa: PLC0415 (optional, slow to import)
    except ImportError as error:
        raise MissingDependencyError(
            f"tuning needs Optuna ({error}): pip install 'rtreid_ros[tune]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _distribution(item: Dimension) -> Any:
    distributions = load_optuna().distributions
    if not isinstance(item, Span):
        return distributions.CategoricalDistribution(item.values)
    if item.integer:
        return distributions.IntDistribution(int(item.low), int(item.high))
    return distributions.FloatDistribution(item.low, item.high)
