"""Which options are tried, and in which order."""

import math
import statistics
import sys

import pytest

from rtreid_ros.errors import ConfigError, MissingDependencyError
from rtreid_ros.tuning.search import COMPLETE, INVALID, PRUNED, Trial, best_of, search
from rtreid_ros.tuning.space import Span, Values

SPACE = (
    Span("x", 0.0, 1.0, integer=False, default=0.95),
    Span("n", 1, 9, integer=True, default=2),
    Values("how", ("good", "bad"), "bad"),
)


def hill(options):
    """Highest at x = 0.3, n = 5, how = good; two sequences of equal weight."""
    value = 1 - (options["x"] - 0.3) ** 2 - 0.02 * abs(options["n"] - 5) - 0.3 * (options["how"] == "bad")
    yield value
    yield value


@pytest.fixture(autouse=True)
def _optuna():
    pytest.importorskip("optuna")


def test_the_defaults_come_first_and_something_better_is_found():
    trials = list(search(hill, SPACE, stages=2, trials=40, seed=1))
    assert [trial.number for trial in trials] == list(range(40))
    assert trials[0].options == {"x": 0.95, "n": 2, "how": "bad"}
    best = best_of(trials)
    assert best.value > 0.95 > trials[0].value
    assert best.options["how"] == "good"


def test_every_value_lies_in_its_range():
    for trial in search(hill, SPACE, stages=2, trials=30):
        assert 0 <= trial.options["x"] <= 1
        assert trial.options["n"] in range(1, 10)
        assert isinstance(trial.options["n"], int)
        assert trial.options["how"] in ("good", "bad")


def _played(trials):
    return [(trial.options, trial.values, trial.state) for trial in trials]


def test_a_seed_gives_the_same_trials_again():
    first, again, other = (_played(search(hill, SPACE, stages=2, trials=15, seed=seed)) for seed in (3, 3, 4))
    assert first == again
    assert first != other


@pytest.mark.parametrize("done", [1, 7, 13])
def test_going_on_after_an_end_gives_the_trials_that_would_have_come(done):
    whole = list(search(hill, SPACE, stages=2, trials=18, seed=5))
    stored = [Trial.from_dict(trial.as_dict()) for trial in whole[:done]]
    rest = list(search(hill, SPACE, stages=2, trials=18, seed=5, done=stored))
    assert _played(rest) == _played(whole[done:])


def test_what_is_worse_than_most_is_given_up_after_a_sequence():
    played = []

    def score(options):
        for value in hill(options):
            played.append(options)
            yield value

    trials = list(search(score, SPACE, stages=2, trials=30))
    pruned = [trial for trial in trials if trial.state == PRUNED]
    assert pruned
    assert all(len(trial.values) == 1 for trial in pruned)
    assert all(trial.value == -math.inf for trial in pruned)
    assert len(played) == 60 - len(pruned)
    for trial in pruned:
        before = [item.values[0] for item in trials[: trial.number] if item.state == COMPLETE]
        assert trial.values[0] < statistics.median(before)
    assert best_of(trials).state == COMPLETE


def test_with_one_sequence_every_trial_is_complete():
    trials = search(lambda options: (value for value in [options["x"]]), SPACE, stages=1, trials=20)
    assert {trial.state for trial in trials} == {COMPLETE}


def test_combinations_the_tracker_refuses_are_noted_and_avoided():
    def score(options):
        if options["x"] < 0.5:
            raise ConfigError("x must not be below 0.5")
        yield options["x"]

    trials = list(search(score, SPACE, stages=1, trials=25))
    assert {trial.state for trial in trials} == {COMPLETE, INVALID}
    assert all((trial.state == INVALID) == (trial.options["x"] < 0.5) for trial in trials)
    refused_late = sum(trial.state == INVALID for trial in trials[15:])
    assert refused_late < sum(trial.state == INVALID for trial in trials[:15])


def test_wrong_numbers_are_refused():
    with pytest.raises(ConfigError, match="at least one trial is needed, got 0"):
        next(search(hill, SPACE, stages=2, trials=0))
    with pytest.raises(ConfigError, match="seed must not be negative, got -1"):
        next(search(hill, SPACE, stages=2, trials=1, seed=-1))


def test_without_optuna_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'rtreid_ros\[tune\]'"):
        next(search(hill, SPACE, stages=2, trials=1))
