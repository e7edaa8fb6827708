"""Run every benchmark and write ``docs/benchmarks.md`` from what they print: ``make bench``.

Each section of the document is the output of the command above it, unedited.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from machine import machine

ROOT = Path(__file__).resolve().parents[1]

DOCUMENT = ROOT / "docs" / "benchmarks.md"

SECTIONS = (
    (
        "Latency the node graph adds",
        "Image stamp to TrackArray in a subscriber of another process, minus the time inside the models; "
        "with compressed images, decoding is in it. In one process an image is taken once, as the bytes of "
        "its message, and not copied again (`test/nodes/test_copies.py` counts). Days of running: "
        "[operations](operations.md).",
        ("bench/node_graph.py",),
    ),
    (
        "Several cameras in one process",
        "640x480 at 30 Hz each, one inference thread for each model; CPU time and private memory of the "
        "tracking processes. One process for all has the models once.",
        ("bench/cameras.py",),
    ),
    (
        "One tracker update",
        "By number of detected boxes. Other packages' trackers beside ours: [trackers](trackers.md).",
        ("bench/tracker_update.py",),
    ),
    (
        "Camera motion",
        "What it costs (CPU time, one core) to tell the camera's motion from its images, and how well "
        "each method does.",
        ("bench/camera_motion.py",),
    ),
    ("Inference", "What each step around and inside the built-in models costs.", ("bench/inference.py",)),
    (
        "Rendering the synthetic street",
        "One core, ground truth included.",
        ("bench/synthetic_fps.py",),
    ),
)


def main() -> int:
    """Run them one after the other, so that none disturbs another."""
    parts = [
        "# Benchmarks",
        "`make bench` writes this page. Compare figures of one run only: machines differ and are noisy.",
        f"Measured on {machine('numpy', 'onnxruntime')}.",
    ]
    for title, text, command in SECTIONS:
        print(f"{title} ...", flush=True)
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True
        )
        if done.returncode != 0:
            print(f"{' '.join(command)} ended with exit code {done.returncode}", file=sys.stderr)
            return 1
        output = f"```\n$ python {' '.join(command)}\n{done.stdout.strip()}\n```"
        parts += [f"## {title}", text, output]
    DOCUMENT.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(f"wrote {DOCUMENT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
