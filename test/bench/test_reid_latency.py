"""Times of networks: what a row holds, and how it reaches a page."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))

from bench import reid_latency


def test_every_network_gets_a_row_and_those_of_clips_are_left_out(tmp_path, monkeypatch, capsys):
    page = tmp_path / "page.md"
    page.write_text("# Times\n")
    words = ["reid_latency.py", "--models", "resnet18:width=0.125", "resnet3d_10"]
    words += ["--size", "32x16", "--calls", "3", "--output", str(page), "--threads", "1"]
    monkeypatch.setattr(sys, "argv", words)
    assert reid_latency.main() == 0
    printed = capsys.readouterr()
    assert "resnet3d_10: left out: clips" in printed.err
    header, _, row = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.read_text().splitlines()
        if line.startswith("|")
    )
    assert header == list(reid_latency.HEADER)
    assert row[:3] == ["resnet18:width=0.125", "64", "0.18"]
    one, eight, most = (float(text) for text in row[5:8])
    assert min(one, eight, most) > 0
    assert "Crops of 32x16 (height x width), threads: 1." in page.read_text()
