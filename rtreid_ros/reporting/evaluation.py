"""The report of an evaluation: one result, or several beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from rtreid_ros.errors import ConfigError
from rtreid_ros.reporting.charts import hota_curves, hota_differences, latencies, sequence_bars
from rtreid_ros.reporting.page import details, figure, legend, page, panels, paragraph, section, table
from rtreid_ros.reporting.results import STAGES, Result
from rtreid_ros.reporting.timeline import timeline

if TYPE_CHECKING:
    from rtreid_ros.evaluation.batch import Verdict
    from rtreid_ros.evaluation.metrics import Evaluation
    from rtreid_ros.reporting.courses import Course

_RATIOS = {
    "HOTA": "hota",
    "DetA": "det_a",
    "AssA": "ass_a",
    "LocA": "loc_a",
    "MOTA": "mota",
    "IDF1": "idf1",
    "Rcll": "recall",
    "Prcn": "precision",
}
_COUNTS = {"IDSW": "id_switches", "Frag": "fragmentations", "FP": "false_positives", "FN": "false_negatives"}
_ROWS_OF_A_REPORT = 1500
_MOST_ROWS, _FEWEST_ROWS = 60, 8
"""Rows of an id timeline: as many as keep the file at a few megabytes."""


def evaluation_page(results: Sequence[Result], remark: str = "") -> str:
    """The whole page.

    Args:
        results: of the same sequences.
        remark: a line below the title.

    Raises:
        ConfigError: no result, two of one name, or results of different sequences.
    """
    if not results:
        raise ConfigError("a report needs at least one result")
    names = [item.name for item in results]
    if len(set(names)) < len(names):
        raise ConfigError(f"results need names of their own, got {', '.join(names)}")
    covered = [_covered(item) for item in results]
    for name, item in zip(names, covered, strict=True):
        if item != covered[0]:
            raise ConfigError(f"{name} is of other sequences than {names[0]}: they cannot be compared")
    rows = _ROWS_OF_A_REPORT // sum(len(courses) for item in results for courses in item.courses.values())
    sections = []
    for index, verdict in enumerate(results[0].verdicts):
        of_class = verdict.class_name
        verdicts = [item.verdicts[index] for item in results]
        courses = [item.courses[of_class] for item in results]
        prefix = f"{of_class.capitalize()}: " if of_class else ""
        sections += [
            section(f"{prefix}Scores" if prefix else "Scores", _scores(results, verdicts)),
            section(f"{prefix}HOTA over the localisation threshold", *_curves(names, verdicts)),
            section(f"{prefix}By sequence", *_by_sequence(names, verdicts)),
            section(
                f"{prefix}Who was followed by which track",
                *_timelines(names, verdicts, courses, max(_FEWEST_ROWS, min(rows, _MOST_ROWS))),
            ),
        ]
    sections.append(_latency(results))
    title = "Tracking evaluation" if len(results) > 1 else f"Tracking evaluation: {names[0]}"
    return page(title, remark, sections)


def _covered(result: Result) -> list[tuple[str, list[tuple[str, int]]]]:
    return [
        (verdict.class_name, [(item.name, item.scores.frames) for item in verdict.evaluations])
        for verdict in result.verdicts
    ]


def _cells(item: Evaluation) -> list[str]:
    figures = item.scores.as_dict()
    ratios = [f"{100 * figures[key]:.2f}" for key in _RATIOS.values()]
    return [*ratios, *(str(figures[key]) for key in _COUNTS.values())]


def _scores(results: Sequence[Result], verdicts: Sequence[Verdict]) -> str:
    times = [item.latency.get(next(iter(STAGES))) for item in results]
    timed = any(times)
    rows = []
    for result, verdict, time in zip(results, verdicts, times, strict=True):
        row = [result.name, *_cells(verdict.combined)]
        if timed:
            row += ["", ""] if time is None else [f"{time.quantile(share):.2g}" for share in (0.5, 0.95)]
        rows.append(row)
    header = ["result", *_RATIOS, *_COUNTS, *(("ms p50", "ms p95") if timed else ())]
    scores = verdicts[0].combined.scores
    note = (
        f"{len(verdicts[0].evaluations)} sequences, {scores.frames} frames, {scores.truth_ids} people, "
        f"{scores.truth_boxes} boxes of ground truth. Ratios in percent; all sequences judged as one set."
    )
    return table(header, rows, best=_best([verdict.combined for verdict in verdicts])) + paragraph(
        note, "note"
    )


def _best(items: Sequence[Evaluation], first_row: int = 0) -> list[tuple[int, int]]:
    """Cells of `_cells`, with a name before them, that hold the best of several rows."""
    if len(items) < 2:
        return []
    best = []
    for column, key in enumerate((*_RATIOS.values(), *_COUNTS.values()), start=1):
        values = [getattr(item.scores, key) for item in items]
        wanted = max(values) if key in _RATIOS.values() else min(values)
        best += [(first_row + row, column) for row, value in enumerate(values) if value == wanted]
    return best


def _curves(names: Sequence[str], verdicts: Sequence[Verdict]) -> list[str]:
    single = len(names) == 1 and len(verdicts[0].evaluations) > 1
    drawings = hota_curves(
        names,
        [verdict.combined for verdict in verdicts],
        verdicts[0].evaluations if single else (),
    )
    blocks = [legend(names), panels(drawings, "grid small")]
    if len(names) > 1:
        differences = hota_differences(names, [verdict.combined for verdict in verdicts])
        blocks += [paragraph(f"Difference to {names[0]}:", "note"), panels(differences, "grid small")]
    return [*blocks, paragraph("Thin lines are the single sequences." if single else "", "note")]


def _by_sequence(names: Sequence[str], verdicts: Sequence[Verdict]) -> list[str]:
    drawings = panels(sequence_bars(names, [verdict.evaluations for verdict in verdicts]))
    blocks = [legend(names, "fill"), drawings]
    header = ["sequence", *_RATIOS, *_COUNTS]
    if len(names) == 1:
        rows = [[item.name, *_cells(item)] for item in verdicts[0].evaluations]
        total = None
        if len(rows) > 1:
            total = len(rows)
            rows.append(["combined", *_cells(verdicts[0].combined)])
        return [*blocks, table(header, rows, total=total)]
    rows, best = [], []
    for index, first in enumerate(verdicts[0].evaluations):
        items = [verdict.evaluations[index] for verdict in verdicts]
        best += [(row, column + 1) for row, column in _best(items, len(rows))]
        rows += [
            [first.name if name == names[0] else "", name, *_cells(item)]
            for name, item in zip(names, items, strict=True)
        ]
    return [*blocks, table(["sequence", "result", *header[1:]], rows, best=best, text=(1,))]


def _timelines(
    names: Sequence[str], verdicts: Sequence[Verdict], courses: Sequence[Sequence[Course]], rows: int
) -> list[str]:
    blocks = []
    for index, first in enumerate(verdicts[0].evaluations):
        drawings, remarks = [], []
        for name, verdict, of_result in zip(names, verdicts, courses, strict=True):
            drawing, caption = timeline(of_result[index], rows)
            heading = f"<h3>{escape(name)}</h3>" if len(names) > 1 else ""
            drawings.append(heading + figure(drawing, caption))
            scores = verdict.evaluations[index].scores
            told = f"{scores.id_switches} switches, HOTA {100 * scores.hota:.1f}"
            remarks.append(f"{name}: {told}" if len(names) > 1 else told)
        blocks.append(details(first.name, "; ".join(remarks), "".join(drawings), unfolded=index == 0))
    return blocks


def _latency(results: Sequence[Result]) -> str:
    names = [item.name for item in results]
    drawings = [
        drawing
        for stage in STAGES
        if (drawing := latencies(stage, names, [item.latency.get(stage) for item in results]))
    ]
    if not drawings:
        return ""
    note = "Wall clock, as the runs' summary.json tell. Broken lines are medians."
    return section("Latency", legend(names), panels(drawings), paragraph(note, "note"))
