"""The report of an evaluation."""

import re
from html.parser import HTMLParser

import pytest
from support.walks import walk

from rtreid_ros.cli.main import main
from rtreid_ros.errors import ConfigError
from rtreid_ros.evaluation.mot_folder import find_jobs
from rtreid_ros.reporting.evaluation import evaluation_page
from rtreid_ros.reporting.results import judge_result

VOID = {"meta", "br", "link", "img"}
NAMES = ("one-person", "four-people")


class Checker(HTMLParser):
    """Complains about tags that do not match; collects text and attributes."""

    def __init__(self):
        super().__init__()
        self.open, self.words, self.attributes = [], [], []

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data.strip())


def checked(page):
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return checker


@pytest.fixture
def results(tmp_path):
    """A result with a switch in the first sequence, and a perfect one, of two sequences."""
    pytest.importorskip("trackeval")
    for name, people in zip(NAMES, (1, 4), strict=True):
        folder = walk(tmp_path / "gt", name, people)
        rows = [line.split(",") for line in (folder / "gt" / "gt.txt").read_text().splitlines()]
        for result in ("perfect", "switching"):
            lines = []
            for frame, person, x, y, w, h, *_ in rows:
                late = result == "switching" and name == NAMES[0] and int(frame) > 10
                lines.append(f"{frame},{int(person) + (50 if late else 0)},{x},{y},{w},{h},1,-1,-1,-1\n")
            (tmp_path / result).mkdir(exist_ok=True)
            (tmp_path / result / f"{name}.txt").write_text("".join(lines))
    return tmp_path


def result_of(folder, name, title=None, only=()):
    return judge_result(title or name, find_jobs(folder / name, folder / "gt", only))


def test_it_holds_every_sequence_and_the_figures_of_the_evaluation(results):
    result = result_of(results, "switching")
    words = checked(evaluation_page([result])).words
    for evaluation in (*result.verdicts[0].evaluations, result.verdicts[0].combined):
        figures = evaluation.scores
        row = [f"{100 * figures.hota:.2f}", f"{100 * figures.det_a:.2f}", f"{100 * figures.ass_a:.2f}"]
        name = "combined" if evaluation is result.verdicts[0].combined else evaluation.name
        assert any(words[at : at + 4] == [name, *row] for at in range(len(words)))
    assert result.verdicts[0].combined.scores.id_switches == 1
    assert any(word.startswith("person 1: track 51, frames 11 to 24") for word in words)
    assert "1 switches, HOTA" in " ".join(words)


def test_curves_are_those_of_the_evaluation(results):
    result = result_of(results, "switching")
    page = evaluation_page([result])
    mean = 100 * result.verdicts[0].combined.scores.ass_a
    assert f"switching: mean {mean:.2f}" in page
    for name in NAMES:
        assert page.count(f"<title>{name}</title></polyline>") == 4


def test_results_are_compared_side_by_side(results):
    compared = [result_of(results, name) for name in ("switching", "perfect")]
    page = evaluation_page(compared)
    checker = checked(page)
    assert "Difference to switching:" in checker.words
    best = re.findall(r'<td class="best">([^<]*)', page)
    assert "100.00" in best
    worse = f"{100 * compared[0].verdicts[0].combined.scores.hota:.2f}"
    assert worse not in best
    assert [word for word in checker.words if word in ("switching", "perfect")].count("perfect") >= 5


def test_it_needs_nothing_from_outside(results):
    page = evaluation_page([result_of(results, "perfect")])
    assert re.findall(r"(?:src|href)\s*=|url\(|@import|<script|https?://", page) == []
    assert "prefers-color-scheme:dark" in page
    assert len(page) < 200_000


def test_names_are_escaped(results):
    page = evaluation_page([result_of(results, "perfect", '<script>alert("&")</script>')])
    assert "<script" not in page
    assert '<script>alert("&")</script>' in checked(page).words


def test_results_of_different_sequences_are_not_compared(results):
    with pytest.raises(ConfigError, match="b is of other sequences than a"):
        evaluation_page([result_of(results, "perfect", "a"), result_of(results, "perfect", "b", NAMES[:1])])
    with pytest.raises(ConfigError, match="names of their own, got a, a"):
        evaluation_page([result_of(results, "perfect", "a")] * 2)
    with pytest.raises(ConfigError, match="at least one result"):
        evaluation_page([])


def test_times_are_shown_where_a_run_told_them(results):
    words = ["track", str(results / "gt"), "--detections", "auto", "--tracker", "bytetrack", "--quiet"]
    assert main([*words, "--output", str(results / "run")]) == 0
    result = result_of(results, "run")
    assert result.latency["tracker, per update"].total == 48
    one = result_of(results, "run", only=NAMES[:1])
    assert one.latency["tracker, per update"].total == 24
    page = evaluation_page([result, result_of(results, "perfect")])
    assert "ms p95" in checked(page).words
    assert "tracker, per update: % of frames" in page
    (results / "run" / "summary.json").write_text('{"sequences": 3}')
    assert result_of(results, "run").latency == {}
