# ruff: noqa: E402 (thread limits must be set before numpy is imported)
"""Accuracy and cost of every tracker, and of other packages' where they are installed.

    python bench/trackers.py                                  # everything, printed
    python bench/trackers.py --output docs/trackers.md        # and written into the document
    python bench/trackers.py --quick --sets mot17-val --trackers ocsort   # while working on one

All of them get the same stored detections (score >= 0.1), one update per frame, no picture, no
interpolation, and run on the defaults their packages ship. Peers (`pip install '.[peers]'`) run in
the same command; figures of peers are kept in --results and measured again when their version, the
adapters or the data change, or with --again. Ours are always measured anew.

Needs TrackEval (`pip install '.[eval]'`) and the data (see --data).
"""

from __future__ import annotations

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import argparse
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if not __package__:
    sys.path[0] = str(ROOT)  # not bench/, where `trackers` would be this file and not the peer

from bench import tracker_accuracy, tracker_runs, tracker_tables, tracker_timing
from bench.machine import machine
from bench.peers import IMPLEMENTATIONS, OURS, PEERS
from bench.sections import write_section
from bench.tracker_accuracy import Results
from bench.tracker_runs import SETS

QUICK = ("boxes", "emb05")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = ROOT.parent / "shared" / "data" / "mot"
    known = list(tracker_runs.variants(0.3))
    trackers = sorted({name for item in IMPLEMENTATIONS.values() for name in item.trackers})
    add = parser.add_argument
    add("--data", type=Path, default=data, help="folder with MOT17 and DanceTrack-val (../shared/data/mot)")
    add("--trackers", type=_names, default=trackers, help=f"of {', '.join(trackers)} (all)")
    add("--peers", type=_names, default=list(PEERS), help=f"of {', '.join(PEERS)}, or none (all)")
    add("--sets", type=_names, default=list(SETS), help=f"of {', '.join(SETS)} (all)")
    add("--variants", type=_names, default=known, help=f"of {', '.join(known)} (all)")
    add("--sequences", type=_names, default=[], help="only these; nothing is kept or written then")
    add("--drop", type=float, default=0.3, help="share of frames dropped where some are (0.3)")
    add("--quick", action="store_true", help=f"accuracy alone, variants {' and '.join(QUICK)}")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--accuracy-only", action="store_true", help="measure no time")
    only.add_argument("--timing-only", action="store_true", help="measure no accuracy")
    only.add_argument("--kept", action="store_true", help="measure nothing; tables of what is kept")
    add("--processes", type=int, default=2, help="for accuracy; time is measured in one (2)")
    add("--peers-only", action="store_true", help="bring the kept figures of peers up to date, no more")
    add("--again", action="store_true", help="measure peers again, also where their figures are kept")
    add("--results", type=Path, default=ROOT / "out/bench/trackers.json", help="where figures are kept")
    add("--output", type=Path, help="document whose tables are written, docs/trackers.md")
    args = parser.parse_args()
    args.peers = [] if args.peers == ["none"] else args.peers
    for what, given, allowed in (
        ("--trackers", args.trackers, trackers),
        ("--peers", args.peers, list(PEERS)),
        ("--sets", args.sets, list(SETS)),
        ("--variants", args.variants, known),
    ):
        for name in given:
            if name not in allowed:
                parser.error(f"{what}: {name!r} is none of {', '.join(allowed)}")
    if not args.data.is_dir():
        parser.error(f"--data: no folder {args.data}")
    if args.quick or args.peers_only:
        args.accuracy_only = True
    if args.quick:
        args.variants = [name for name in args.variants if name in QUICK]
    if args.output and (args.peers_only or args.sequences or set(args.trackers) != set(trackers)):
        parser.error("--output needs all trackers and sequences: the document shows them side by side")
    return args


def main() -> int:
    """Run it."""
    args = _arguments()
    begin = time.perf_counter()
    results = Results(args.results, args.data)
    chosen = {name: item for name, item in tracker_runs.variants(args.drop).items() if name in args.variants}
    implementations = args.peers if args.peers_only else [OURS, *args.peers]
    runs = tracker_runs.plan(args.sets, chosen, args.trackers, implementations)
    failed = []
    if not (args.timing_only or args.kept):
        failed = tracker_accuracy.measure(
            args.data, runs, results, args.processes, tuple(args.sequences), args.again
        )
        print(tracker_tables.summary(results, runs))
        print(f"accuracy: {time.perf_counter() - begin:.0f} s", file=sys.stderr)
    if not (args.accuracy_only or args.kept or args.sequences):
        command = datetime.now(timezone.utc).isoformat(timespec="seconds")
        tracker_timing.time_runs(args.data, runs, results, command, _say)
        tracker_timing.time_scenes(args.trackers, implementations, results, command, _say)
        results.put("made", "timed_on", machine("numpy", "scipy"))
        results.save()
    sections = tracker_tables.sections(results, runs, args.sets, args.trackers)
    for name, text in sections.items():
        if args.output:
            write_section(args.output, name, text)
        elif not (args.quick or args.peers_only):
            print(f"\n{text}")
    for key, reason in failed:
        print(f"failed: {key}: {reason}", file=sys.stderr)
    return 1 if failed else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
