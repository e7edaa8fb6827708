"""``tuning.html``: how the search went, which options mattered, and what the gain is worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.reporting.charts import bars
from rtreid_ros.reporting.page import figure, legend, page, panels, paragraph, section, table
from rtreid_ros.reporting.svg import Axis, Plot, number
from rtreid_ros.tuning.objective import OBJECTIVES
from rtreid_ros.tuning.search import COMPLETE, PRUNED, Trial, best_of, load_optuna, make_study
from rtreid_ros.tuning.space import Dimension, Span

if TYPE_CHECKING:
    from rtreid_ros.tuning.result import Comparison, Tuning

_RATIOS = {"HOTA": "hota", "DetA": "det_a", "AssA": "ass_a", "MOTA": "mota", "IDF1": "idf1"}
_FEWEST = 8
"""Complete trials from which importances mean anything."""


def tuning_page(tuning: Tuning) -> str:
    """The whole page."""
    setup, trials = tuning.setup, tuning.trials["all"]
    counts = {state: sum(trial.state == state for trial in trials) for state in (COMPLETE, PRUNED)}
    names = ", ".join(item.name for item in setup.tuned_on)
    remark = (
        f"{len(trials)} trials ({counts[PRUNED]} pruned), seed {setup.seed}, tuned on {names}"
        f"{'; interrupted' if tuning.interrupted else ''}."
    )
    metric, called = setup.objective, OBJECTIVES[setup.objective]
    return page(
        f"{setup.tracker} tuned for {called}",
        remark,
        [
            section("What it is worth", _comparisons(tuning.comparisons)),
            section("Options found", _options(tuning)),
            section("History", figure(history(trials, called), _HISTORY)),
            section("Importance", *_importance(tuning.space, trials)),
            section("Objective by option", panels(slices(tuning.space, trials, called))),
            section("Sequence by sequence", _sequences(tuning.comparisons, metric)),
        ],
    )


_HISTORY = (
    "Filled: complete trials; grey: pruned after some sequences, with the objective so far; the line is the "
    "best so far, broken the defaults. Dots at the lower edge lie below it."
)


def _comparisons(items: Sequence[Comparison]) -> str:
    header = ["frames", "options", *_RATIOS, "IDSW", "FP", "FN", "ms p50"]
    rows = []
    for item in items:
        where = "held out" if item.held_out else "tuned on"
        name = where if item.split == "all" else f"{item.split}, {where}"
        for options, outcome in (("default", item.default), ("tuned", item.tuned)):
            scores = outcome.combined.scores
            rows.append(
                [
                    name if options == "default" else "",
                    options,
                    *(f"{100 * getattr(scores, key):.2f}" for key in _RATIOS.values()),
                    str(scores.id_switches),
                    str(scores.false_positives),
                    str(scores.false_negatives),
                    f"{outcome.milliseconds:.2g}",
                ]
            )
        gains = [f"{100 * item.gain(key):+.2f}" for key in _RATIOS.values()]
        rows.append(["", "gain", *gains, "", "", "", ""])
    note = "Only frames held out tell what to expect elsewhere. " if _checked(items) else _UNCHECKED
    return table(header, rows, text=(1,)) + paragraph(note, "note")


_UNCHECKED = "Nothing was held out: the gain is measured on the very frames it was sought on."


def _checked(items: Sequence[Comparison]) -> bool:
    return any(item.held_out for item in items)


def _options(tuning: Tuning) -> str:
    best = tuning.best
    rows = [
        [item.name, _shown(item.default), _shown(best.options[item.name]), _range(item)]
        for item in tuning.space
    ]
    changed = {(row, 2) for row, item in enumerate(tuning.space) if best.options[item.name] != item.default}
    return table(["option", "default", "tuned", "searched"], rows, best=changed)


def _range(item: Dimension) -> str:
    if isinstance(item, Span):
        return f"{item.low:g} to {item.high:g}"
    return ", ".join(map(_shown, item.values))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def history(trials: Sequence[Trial], called: str) -> str:
    """The objective of every trial, and the best so far."""
    shown = [trial for trial in trials if trial.values]
    values = [trial.values[-1] for trial in shown]
    low, high = _span([trial.value for trial in trials if trial.state == COMPLETE])
    plot = Plot(
        Axis(0, max(len(trials) - 1, 1), "trial", about=10),
        Axis(low, high, show=_percent),
        f"{called}, percent",
        width=1080,
        height=300,
    )
    default = trials[0].value
    plot.rule(y=default, title=f"defaults: {100 * default:.2f}")
    complete = [trial for trial in shown if trial.state == COMPLETE]
    running = np.maximum.accumulate([trial.value for trial in complete]).tolist()
    steps: list[tuple[float, float]] = []
    for trial, value in zip(complete, running, strict=True):
        if steps and steps[-1][1] != value:
            steps.append((trial.number, steps[-1][1]))
        steps.append((trial.number, value))
    plot.line([*steps, (len(trials) - 1, running[-1])], "s0")
    best = best_of(trials).number
    for trial, value in zip(shown, values, strict=True):
        text = f"trial {trial.number}: {100 * value:.2f}"
        if trial.state == PRUNED:
            plot.dot(trial.number, _within(value, low, high), "quiet", f"{text} when pruned")
        else:
            first = trial.number == best
            plot.dot(
                trial.number, _within(value, low, high), "s1" if first else "s0", text, 5 if first else 3
            )
    return plot.render()


def slices(space: Sequence[Dimension], trials: Sequence[Trial], called: str) -> list[str]:
    """The objective over the values of each option, a drawing each."""
    complete = [trial for trial in trials if trial.state == COMPLETE]
    low, high = _span([trial.value for trial in complete])
    best = best_of(trials)
    drawings = []
    for item in space:
        places: list[Any] = []
        if isinstance(item, Span):
            axis = Axis(item.low, item.high, item.name)
        else:
            places = list(item.values)
            axis = Axis(-0.5, len(places) - 0.5, item.name, _namer(places))
        plot = Plot(axis, Axis(low, high, show=_percent), f"{called} by {item.name}", width=330, height=220)
        for trial in sorted(complete, key=lambda trial: trial.number == best.number):  # the best on top
            value = trial.options[item.name]
            x = value if isinstance(item, Span) else places.index(value)
            text = f"trial {trial.number}: {_shown(value)}, {100 * trial.value:.2f}"
            first = trial.number == best.number
            y = _within(trial.value, low, high)
            plot.dot(x, y, "s1" if first else "s0", text, 4.5 if first else 2.5)
        drawings.append(plot.render())
    return drawings


def _namer(values: Sequence[Any]) -> Callable[[float], str]:
    """Names for the places 0, 1, ... on an axis."""
    names = {float(index): _shown(value) for index, value in enumerate(values)}
    return lambda place: names.get(place, "")


def importances(space: Sequence[Dimension], trials: Sequence[Trial]) -> dict[str, float]:
    """How much each option had to do with being among the best trials, from 0 to 1, most first.

    Watanabe et al., "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary
    Subspaces", IJCAI 2023. Empty where there are too few complete trials, or all are equal.
    """
    complete = [trial for trial in trials if trial.state == COMPLETE]
    if len(complete) < _FEWEST or len({trial.value for trial in complete}) < 2:
        return {}
    optuna = load_optuna()
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    found: dict[str, float] = optuna.importance.get_param_importances(
        make_study(space, complete), evaluator=evaluator
    )
    return found


def _importance(space: Sequence[Dimension], trials: Sequence[Trial]) -> list[str]:
    found = importances(space, trials)
    if not found:
        return [paragraph("Too few complete trials that differ to tell.", "note")]
    note = "Share of each option in what sets the best tenth of trials apart (PED-ANOVA)."
    names = list(found)
    drawing = bars("importance, percent", names, ["importance"], [list(found.values())])
    return [panels([drawing]), paragraph(note, "note")]


def _sequences(items: Sequence[Comparison], metric: str) -> str:
    drawings = []
    for item in items:
        where = "held out" if item.held_out else "tuned on"
        split = "" if item.split == "all" else f"{item.split}, "
        title = f"{OBJECTIVES[metric]}, {split}{where}"
        sides = (item.default.evaluations, item.tuned.evaluations)
        values = [[float(getattr(e.scores, metric)) for e in side] for side in sides]
        names = [evaluation.name for evaluation in sides[0]]
        drawings.append(bars(title, names, ["default", "tuned"], values))
    return legend(["default", "tuned"], "fill") + panels(drawings)


def _span(values: Sequence[float]) -> tuple[float, float]:
    """Where the better half of the values lies, with room: one ruinous trial shall not flatten the rest."""
    finite = np.asarray([value for value in values if math.isfinite(value)])
    middle, high = float(np.quantile(finite, 0.5)), float(finite.max())
    low = max(float(finite.min()), high - 6 * max(high - middle, 0.005))
    room = 0.05 * max(high - low, 0.01)
    return low - room, high + room


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _percent(value: float) -> str:
    return number(100 * value)
