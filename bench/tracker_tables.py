"""Tables of `bench/trackers.py`."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from bench import tracker_timing
from bench.peers import IMPLEMENTATIONS, OURS, PEERS, Ours
from bench.sections import columns, table
from bench.tracker_accuracy import Results
from bench.tracker_runs import SETS, Run

_PERCENT = ("hota", "det_a", "ass_a", "mota", "idf1")
_HEADER = (
    *("tracker", "given", "implementation", "HOTA", "DetA", "AssA", "MOTA", "IDF1", "IDSW"),
    *("ms median", "p95", "HOTA to best peer", "IDF1 to best peer"),
)


def accuracy(results: Results, runs: list[Run], set_name: str) -> str:
    """Every tracker on one set: figures, cost, and how ours compares with the best peer."""
    rows = []
    order = list(dict.fromkeys(run.variant_name for run in runs))
    chosen = sorted(
        (run for run in _found(results, runs, set_name) if run.variant.is_plain),
        key=lambda run: (run.tracker, order.index(run.variant_name)),
    )
    for _, group in groupby(chosen, key=lambda run: (run.tracker, run.variant_name)):
        together = list(group)
        others = [_scores(results, run) for run in together if run.implementation != OURS]
        spent = _comparable({run.implementation: results.content["timing"].get(run.key) for run in together})
        for run in together:
            scores, cost = _scores(results, run), spent.get(run.implementation)
            ours = run.implementation == OURS
            rows.append(
                [
                    run.tracker,
                    run.variant.title,
                    run.implementation,
                    *(f"{100 * scores[name]:.2f}" for name in _PERCENT),
                    str(scores["id_switches"]),
                    *(f"{cost[name]:.2f}" if cost else "" for name in ("median_ms", "p95_ms")),
                    *(
                        f"{100 * (scores[name] - max(peer[name] for peer in others)):+.2f}"
                        if ours and others
                        else ""
                        for name in ("hota", "idf1")
                    ),
                ]
            )
    return table(_HEADER, rows, text_columns=3) if rows else "nothing measured"


def dropped(results: Results, runs: list[Run], set_name: str) -> str:
    """What it is worth to be told the time where frames are missing."""
    chosen = [run for run in _found(results, runs, set_name) if run.variant.drop]
    rows = []
    for key in sorted(
        {(run.tracker, run.variant.camera_motion, run.implementation) for run in chosen},
        key=lambda key: (key[0], key[1], list(IMPLEMENTATIONS).index(key[2])),
    ):
        group = [run for run in chosen if (run.tracker, run.variant.camera_motion, run.implementation) == key]
        by_told = {run.variant.told: _scores(results, run) for run in group}
        if False not in by_told:
            continue
        cells = [key[0], "camera motion" if key[1] else "boxes alone", key[2]]
        for name in ("hota", "idf1"):
            values = [by_told[told][name] for told in (False, True) if told in by_told]
            gain = f"{100 * (values[1] - values[0]):+.2f}" if len(values) == 2 else ""
            cells += [*(f"{100 * value:.2f}" for value in values), *[""] * (2 - len(values)), gain]
        cells.append(_mean_gain(results, {run.variant.told: run for run in group}))
        rows.append(cells)
    header = [*_HEADER[:3], "HOTA", "told", "gain", "IDF1", "told", "gain", "HOTA, mean gain of sequences"]
    return table(header, rows, text_columns=3) if rows else ""


def _mean_gain(results: Results, by_told: dict[bool, Run]) -> str:
    """Of being told, every sequence counting the same."""
    if len(by_told) < 2:
        return ""
    untold, told = (results.content["runs"][by_told[key].key]["sequences"] for key in (False, True))
    gains = [told[name]["hota"] - untold[name]["hota"] for name in untold]
    return f"{100 * sum(gains) / len(gains):+.2f}"


def reported(results: Results, runs: list[Run], set_name: str) -> str:
    """The box of the matched detection, or the Kalman filter's."""
    chosen = {
        (run.tracker, run.variant.embeddings, run.variant.camera_motion, run.variant.other_report): run
        for run in _found(results, runs, set_name)
        if run.implementation == OURS and not run.variant.drop
    }
    rows = []
    for key, other in sorted(chosen.items(), key=str):
        usual = chosen.get((*key[:3], False))
        if not key[3] or usual is None:
            continue
        boxes = (Ours.report(other.tracker), Ours.other_report(other.tracker))
        rows.append([other.tracker, usual.variant.title])
        for name in ("hota", "det_a", "idf1"):
            by_box = dict(zip(boxes, (_scores(results, run)[name] for run in (usual, other)), strict=True))
            rows[-1] += [f"{100 * by_box[box]:.2f}" for box in ("detection", "filter")]
        rows[-1].insert(2, boxes[0])
    header = ("tracker", "given", "default", "HOTA detection", "filter", "DetA detection", "filter")
    header += ("IDF1 detection", "filter")
    return table(header, rows, text_columns=3) if rows else ""


def scaled(results: Results, trackers: list[str]) -> str:
    """Cost on scenes of growing size, ours and the peers', with the ratios."""
    header = ["tracker", "boxes", "goal", OURS, "p95", *PEERS, "fastest peer", "boxmot"]
    rows = []
    for tracker in trackers:
        for boxes, goal in tracker_timing.goals(tracker).items():
            spent = _comparable(
                {name: results.content["scaled"].get(f"{tracker}/{boxes}/{name}") for name in (OURS, *PEERS)}
            )
            if OURS not in spent:
                continue
            own = spent[OURS]["median_ms"]
            theirs = {name: spent[name]["median_ms"] for name in PEERS if name in spent}
            rows.append(
                [
                    *(tracker, str(boxes), f"{goal:g}", f"{own:.2f}", f"{spent[OURS]['p95_ms']:.2f}"),
                    *(f"{theirs[name]:.2f}" if name in theirs else "" for name in PEERS),
                    f"{min(theirs.values()) / own:.1f} x" if theirs else "",
                    f"{theirs['boxmot'] / own:.1f} x" if "boxmot" in theirs else "",
                ]
            )
    return table(header, rows, text_columns=1) if rows else "nothing measured"


def _comparable(spent: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Costs that were measured by the command that measured ours."""
    own = spent.get(OURS)
    return {
        name: item
        for name, item in spent.items()
        if own is not None and item is not None and item.get("command") == own.get("command")
    }


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


def _found(results: Results, runs: list[Run], set_name: str) -> list[Run]:
    return [run for run in runs if run.set_name == set_name and results.get(run) is not None]


def _scores(results: Results, run: Run) -> dict[str, Any]:
    row = results.get(run)
    assert row is not None
    scores: dict[str, Any] = row["scores"]
    return scores


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
        title = f"### {SETS[set_name].title}"
        for name, make in (("dropped", dropped), ("reported", reported)):
            text = make(results, runs, set_name)
            if text:
                found[f"{name} {set_name}"] = f"{title}\n\n{text}"
    looks = f"embeddings of {tracker_timing.EMBEDDING} for those that use them"
    title = f"Median milliseconds of one update (CPU time, one thread); {looks}."
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
