"""Tables of `bench/trackers.py` and `bench/soak.py`, and where they stand in the document."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path
from typing import Any

from bench import tracker_timing
from bench.peers import OURS, PEERS
from bench.tracker_accuracy import SETS, Results, Run

_PERCENT = ("hota", "det_a", "ass_a", "mota", "idf1")
_HEADER = (
    *("tracker", "given", "implementation", "HOTA", "DetA", "AssA", "MOTA", "IDF1", "IDSW"),
    *("ms median", "p95", "HOTA to best peer", "IDF1 to best peer"),
)


def accuracy(results: Results, runs: list[Run], set_name: str) -> str:
    """Every tracker on one set: figures, cost, and how ours compares with the best peer."""
    rows = []
    chosen = sorted(
        (run for run in runs if run.set_name == set_name),
        key=lambda run: (run.tracker, list(_order(runs)).index(run.variant_name)),
    )
    for _, group in groupby(chosen, key=lambda run: (run.tracker, run.variant_name)):
        together = [run for run in group if results.get(run) is not None]
        for run in together:
            scores = _scores(results, run)
            spent = results.content["timing"].get(run.key, {})
            against = [_scores(results, other) for other in together if other.implementation != OURS]
            rows.append(
                [
                    run.tracker,
                    run.variant.title,
                    run.implementation,
                    *(f"{100 * scores[name]:.2f}" for name in _PERCENT),
                    str(scores["id_switches"]),
                    *(f"{spent[name]:.2f}" if spent else "" for name in ("median_ms", "p95_ms")),
                    *(
                        _difference(scores[name], [peer[name] for peer in against])
                        if run.implementation == OURS
                        else ""
                        for name in ("hota", "idf1")
                    ),
                ]
            )
    return table(_HEADER, rows, text_columns=3) if rows else "nothing measured"


def scaled(results: Results, trackers: list[str]) -> str:
    """Cost on scenes of growing size, ours and the peers', with the ratios."""
    header = ["tracker", "boxes", "goal", OURS, "p95", *PEERS, "fastest peer", "boxmot"]
    rows = []
    for tracker in trackers:
        for boxes, goal in tracker_timing.goals(tracker).items():
            spent = {
                name: results.content["scaled"].get(f"{tracker}/{boxes}/{name}") for name in (OURS, *PEERS)
            }
            own = spent[OURS]
            if own is None:
                continue
            theirs = {name: item["median_ms"] for name in PEERS if (item := spent[name]) is not None}
            ratios = [min(theirs.values()) / own["median_ms"]] if theirs else []
            rows.append(
                [
                    tracker,
                    str(boxes),
                    f"{goal:g}",
                    f"{own['median_ms']:.2f}",
                    f"{own['p95_ms']:.2f}",
                    *(f"{theirs[name]:.2f}" if name in theirs else "" for name in PEERS),
                    *([f"{ratios[0]:.1f} x"] if ratios else [""]),
                    f"{theirs['boxmot'] / own['median_ms']:.1f} x" if "boxmot" in theirs else "",
                ]
            )
    return table(header, rows, text_columns=1) if rows else "nothing measured"


def summary(results: Results, runs: list[Run]) -> str:
    """For the terminal: one line per set, variant and tracker, worst difference first to be seen."""
    rows = []
    for (set_name, _, tracker), group in groupby(runs, key=lambda r: (r.set_name, r.variant_name, r.tracker)):
        together = [run for run in group if results.get(run) is not None]
        own = next((run for run in together if run.implementation == OURS), None)
        others = [run for run in together if run.implementation != OURS]
        if own is None:
            continue
        line = [set_name, own.variant.title, tracker]
        for name in ("hota", "idf1"):
            mine = _scores(results, own)[name]
            line.append(f"{100 * mine:.2f}")
            if others:
                best = max(others, key=lambda run: _scores(results, run)[name])
                value = _scores(results, best)[name]
                line += [f"{100 * value:.2f}", best.implementation, f"{100 * (mine - value):+.2f}"]
            else:
                line += ["", "", ""]
        rows.append(line)
    header = ("set", "given", "tracker", "HOTA", "best", "peer", "diff", "IDF1", "best", "peer", "diff")
    return columns(header, rows)


def _order(runs: list[Run]) -> dict[str, None]:
    return dict.fromkeys(run.variant_name for run in runs)


def _scores(results: Results, run: Run) -> dict[str, Any]:
    row = results.get(run)
    assert row is not None
    scores: dict[str, Any] = row["scores"]
    return scores


def _difference(value: float, against: list[float]) -> str:
    return f"{100 * (value - max(against)):+.2f}" if against else ""


def table(header: Any, rows: list[list[str]], *, text_columns: int) -> str:
    """Markdown; columns after the first `text_columns` are numbers."""
    widths = [max(len(row[column]) for row in [list(header), *rows]) for column in range(len(header))]
    rule = [
        "-" * width if column < text_columns else "-" * (width - 1) + ":"
        for column, width in enumerate(widths)
    ]

    def line(cells: Any) -> str:
        padded = (
            cell.ljust(width) if column < text_columns else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join(padded)} |"

    return "\n".join(line(cells) for cells in (header, rule, *rows))


def columns(header: Any, rows: list[list[str]]) -> str:
    """The same without rules, for the terminal."""
    widths = [max(len(row[column]) for row in [list(header), *rows]) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (header, *rows)
    )


def write_section(document: Path, name: str, text: str) -> None:
    """Put `text` between the markers of section `name`; everything else stays as it is.

    A section that the document does not have yet goes to its end.
    """
    begin, end = f"<!-- begin {name}: written by a command, do not edit -->", f"<!-- end {name} -->"
    block = f"{begin}\n{text}\n{end}"
    content = document.read_text(encoding="utf-8") if document.is_file() else ""
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if pattern.search(content):
        content = pattern.sub(lambda _: block, content)
    else:
        content = f"{content.rstrip()}\n\n{block}\n".lstrip()
    document.parent.mkdir(parents=True, exist_ok=True)
    document.write_text(content, encoding="utf-8")


def sections(results: Results, runs: list[Run], sets: list[str], trackers: list[str]) -> dict[str, str]:
    """Name and text of each section of the document that these runs fill."""
    found = {}
    for set_name in sets:
        crowd = {
            item["detections_per_frame"]
            for key, item in results.content["timing"].items()
            if key.startswith(f"{set_name}/")
        }
        title = f"### {SETS[set_name].title}"
        if crowd:
            title += f" ({', '.join(f'{value:g}' for value in sorted(crowd))} detections per frame)"
        found[f"accuracy {set_name}"] = f"{title}\n\n{accuracy(results, runs, set_name)}"
    looks = f"embeddings of {tracker_timing.EMBEDDING} for those that use them"
    title = f"Median milliseconds of one update; {looks}."
    found["cost"] = f"{title}\n\n{scaled(results, trackers)}"
    versions = {
        row["version"] and f"{run.implementation} {row['version']}"
        for run in runs
        if run.implementation != OURS and (row := results.get(run)) is not None
    }
    found["conditions"] = (
        f"Measured on {results.content['made'].get('timed_on', 'a machine not noted')}; "
        f"peers: {', '.join(sorted(versions)) or 'none'}."
    )
    return found
