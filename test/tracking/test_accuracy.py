"""Accuracy on real detections: no worse than the best known implementation of the same tracker."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("tracker", "extra", "least_hota", "least_idf1"),
    [
        ("bytetrack", [], 69.6, 80.8),
        ("strongsort", ["--oracle-embeddings", "0.05"], 72.28, 85.65),
        ("strongsort", ["--oracle-embeddings", "0.15", "--gmc"], 67.35, 76.6),
    ],
)
def test_accuracy_on_the_mot17_validation_halves(
    tracker, extra, least_hota, least_idf1, shared_data, shared_tools, tmp_path
):
    pytest.importorskip("trackeval")
    command = [
        *(sys.executable, str(shared_tools / "mot_bench.py"), "--data", str(shared_data / "mot" / "MOT17")),
        *("--set", "mot17-val", "--tracker", f"rtreid:{tracker}", "--out", str(tmp_path), *extra),
    ]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)
    figures = json.loads((tmp_path / "results.jsonl").read_text())["groups"]["COMBINED"]
    assert figures["HOTA"] >= least_hota
    assert figures["IDF1"] >= least_idf1
