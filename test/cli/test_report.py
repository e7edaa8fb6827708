"""``rtreid report`` and ``rtreid eval --report``."""

from pathlib import Path

import pytest

from rtreid_ros.cli.report import names_of


@pytest.fixture
def figures(shared_data):
    pytest.importorskip("trackeval")
    return shared_data / "metrics" / "motmetrics_TUD"


def test_eval_writes_a_report_of_what_it_prints(rtreid, figures, tmp_path):
    code, out, _ = rtreid("eval", figures, "--gt", figures, "--report", tmp_path / "deep" / "report.html")
    assert code == 0
    page = (tmp_path / "deep" / "report.html").read_text()
    for line in out.splitlines()[1:]:
        name, hota, *_ = line.split()
        assert f"<td>{hota}</td>" in page
        assert name.lower() in page.lower()


def test_report_compares_results(rtreid, figures, tmp_path):
    words = ("--gt", figures, "--names", "first,second & last", "--sequences", "TUD-Campus")
    code, out, _ = rtreid("report", figures, figures, *words, "--output", tmp_path / "report.html")
    assert (code, out) == (0, f"{tmp_path / 'report.html'}\n")
    page = (tmp_path / "report.html").read_text()
    assert "second &amp; last" in page
    assert "Stadtmitte" not in page


def test_wrong_words_are_explained(rtreid, figures, tmp_path):
    code, _, err = rtreid("report", figures, "--gt", figures, "--names", "a,b")
    assert (code, "1 results, but 2 names" in err) == (2, True)
    code, _, err = rtreid("report", tmp_path / "none", "--gt", figures)
    assert (code, "no such file or folder" in err) == (2, True)
    code, _, err = rtreid("report", figures, "--gt", figures, "--output", "/proc/none/x.html")
    assert (code, "cannot be written" in err) == (2, True)


def test_names_tell_results_apart():
    assert names_of([Path("out/bytetrack"), Path("out/ocsort")]) == ["bytetrack", "ocsort"]
    assert names_of([Path("out/a/MOT17"), Path("out/b/MOT17")]) == ["a/MOT17", "b/MOT17"]
    assert names_of([Path("out/a/tracks.txt"), Path("out/b/tracks.txt")]) == ["a", "b"]
    assert names_of([Path("results.txt")]) == ["results"]
