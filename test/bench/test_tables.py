"""What the benchmark of trackers writes: tables between markers, figures that others may add to."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("trackeval")
sys.path.append(str(Path(__file__).resolve().parents[2]))

from bench import tracker_tables
from bench.peers import OURS
from bench.results import ResultsFile
from bench.sections import table, write_section
from bench.tracker_accuracy import Results
from bench.tracker_runs import plan, variants


def test_text_around_a_table_survives_its_regeneration(tmp_path):
    document = tmp_path / "page.md"
    document.write_text("# Title\n")
    write_section(document, "cost", "old \\1")
    document.write_text(document.read_text() + "\nBy hand.\n")
    write_section(document, "cost", "new \\1")
    text = document.read_text()
    assert text.startswith("# Title\n")
    assert text.endswith("\nBy hand.\n")
    assert "new \\1" in text
    assert "old" not in text


def test_two_commands_keep_each_others_figures(tmp_path):
    path = tmp_path / "figures.json"
    first, second = ResultsFile(path), ResultsFile(path)
    first.put("soak", "sort", 1)
    second.put("soak", "ocsort", 2)
    first.save()
    second.save()
    assert ResultsFile(path).content["soak"] == {"sort": 1, "ocsort": 2}


def test_costs_of_different_commands_are_not_compared(tmp_path):
    results = Results(tmp_path / "figures.json", tmp_path)
    results.put("scaled", f"bytetrack/20/{OURS}", {"median_ms": 0.5, "p95_ms": 1.0, "command": "today"})
    results.put("scaled", "bytetrack/20/boxmot", {"median_ms": 5.0, "p95_ms": 9.0, "command": "today"})
    results.put("scaled", "bytetrack/20/roboflow", {"median_ms": 0.1, "p95_ms": 9.0, "command": "yesterday"})
    row = tracker_tables.scaled(results, ["bytetrack"]).splitlines()[-1]
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        *("bytetrack", "20", "0.5", "0.50", "1.00", "5.00", "", "", "10.0 x", "10.0 x"),
    ]


def test_a_tracker_runs_only_with_input_it_can_use():
    runs = {run.key for run in plan(["mot17-val"], variants(0.3), ["sort", "botsort"], [OURS, "roboflow"])}
    assert f"mot17-val/emb05/botsort/{OURS}" in runs
    assert f"mot17-val/emb05/sort/{OURS}" not in runs
    assert "mot17-val/emb05/botsort/roboflow" not in runs
    assert "mot17-val/motion/botsort/roboflow" in runs
    assert "mot17-val/motion/sort/roboflow" not in runs
    assert "mot17-val/report/sort/roboflow" not in runs


def test_a_table_is_markdown_with_numbers_to_the_right():
    assert (
        table(("name", "n"), [["a", "10"]], text_columns=1) == "| name |  n |\n| ---- | -: |\n| a    | 10 |"
    )
