"""``rtreid tune``."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtreid_ros.options import as_items

if TYPE_CHECKING:
    from rtreid_ros.recordings.recording import Recording

EXAMPLES = """\
DATA is a folder of sequences with ground truth and stored detections: MOTChallenge, DanceTrack or KITTI
tracking. What is searched, and where, stands with the tracker's options; trial 0 is their defaults.

--output (default: out/tune/TRACKER) gets tracker.yaml, for `rtreid track --config`; tuning.json, with the
data, split, seed, versions and every trial; and tuning.html, with plots. The same command again goes on
where it ended, or, with more --trials, further; the same seed gives the same trials. Ctrl-C keeps the best.

Options always fit the frames they were sought on. Hold some back to see what the gain is worth:
--validate-sequences or --validate-part, or --folds for further searches that each leave sequences out.

examples:
  rtreid tune MOT17 --tracker bytetrack --detections det/det.txt --validate-sequences MOT17-11,MOT17-13
  rtreid tune MOT17 --tracker ocsort --part first-half --validate-part second-half --trials 200
  rtreid tune DanceTrack/val --tracker strongsort --simulated-embeddings 0.05 --folds 3 --objective ass_a
  rtreid tune MOT17 --tracker bytetrack --only track_threshold,first_limit"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("data", metavar="DATA", help="folder of sequences, or one sequence; see below")
    parser.add_argument("--tracker", required=True, metavar="NAME", help="whose options are searched")
    data = parser.add_argument_group("data")
    data.add_argument(
        "--detections", metavar="PATH", help="file in each sequence, or folder; see `rtreid track`"
    )
    data.add_argument("--embeddings", metavar="PATH", help=".npz file in each sequence, or folder of them")
    data.add_argument(
        "--min-score",
        type=float,
        metavar="S",
        help="leave out lower scores; default: the option detector.score_threshold, as `rtreid track` does",
    )
    data.add_argument(
        "--sequences", default="", metavar="A,B", help="tune on these; default: all not held out"
    )
    data.add_argument("--part", default="all", help="all (default), first-half or second-half of each")
    data.add_argument("--validate-sequences", default="", metavar="A,B", help="hold these out")
    data.add_argument("--validate-part", metavar="PART", help="hold this part out (default: as --part)")
    data.add_argument("--folds", type=int, default=0, metavar="K", help="cross-validate over sequences")
    data.add_argument(
        "--simulated-embeddings",
        type=float,
        metavar="SIGMA",
        help="make embeddings up from the ground truth, with this much noise",
    )
    data.add_argument(
        "--camera-motion",
        choices=("auto", "stored", "none"),
        default="auto",
        help="stored: that of gmc.txt, where there is one; auto (default): if the tracker's paper has any",
    )
    search = parser.add_argument_group("search")
    search.add_argument(
        "--objective", default="hota", metavar="METRIC", help="hota (default), ass_a, det_a, idf1 or mota"
    )
    search.add_argument("--only", default="", metavar="A,B", help="search these options alone")
    search.add_argument("--trials", type=int, default=100, metavar="N", help="default: 100")
    search.add_argument("--seed", type=int, default=0, metavar="S", help="of all random choices; default: 0")
    search.add_argument("--restart", action="store_true", help="forget the trials of an earlier run")
    parser.add_argument("--output", type=Path, metavar="DIR", help="default: out/tune/TRACKER")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no summary")


def run(arguments: argparse.Namespace) -> int:
    """Search, check, write, say what came of it."""
    from rtreid_ros.tracking import TRACKERS  # noqa: PLC0415
    from rtreid_ros.tuning.result import Setup, summary  # noqa: PLC0415
    from rtreid_ros.tuning.search import load_optuna  # noqa: PLC0415
    from rtreid_ros.tuning.space import search_space  # noqa: PLC0415
    from rtreid_ros.tuning.tuner import tune  # noqa: PLC0415

    only = as_items(arguments.only)
    load_optuna()  # what is missing or misspelt shall not wait for the data
    tracker, method = TRACKERS[arguments.tracker], arguments.camera_motion
    search_space(tracker.Options, only)
    tuned_on, held_out = _recordings(arguments)
    setup = Setup(
        arguments.tracker,
        tuned_on,
        held_out,
        objective=arguments.objective,
        only=only,
        trials=arguments.trials,
        seed=arguments.seed,
        folds=arguments.folds,
        camera_motion=method == "stored" or (method == "auto" and tracker.camera_motion != "none"),
        source=_source(arguments),
    )
    # `timeout 3600 rtreid tune ...` must keep the best, as Ctrl-C does
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    output = arguments.output or Path("out", "tune", arguments.tracker)
    tuning = tune(setup, output=output, restart=arguments.restart, progress=not arguments.quiet)
    if not arguments.quiet:
        print(summary(tuning))
        for name, value in tuning.changed.items():
            print(f"  {name}: {value}")
        for name in ("tracker.yaml", "tuning.json", "tuning.html"):
            print(f"  {output / name}")
    return 0


def _recordings(arguments: argparse.Namespace) -> tuple[list[Recording], list[Recording]]:
    """What is tuned on, and what is held out."""
    from rtreid_ros.errors import ConfigError  # noqa: PLC0415
    from rtreid_ros.recordings.layout import find_sequences  # noqa: PLC0415

    sequences, validated = as_items(arguments.sequences), as_items(arguments.validate_sequences)
    part, other = arguments.part, arguments.validate_part or arguments.part
    if not sequences and validated and other == part:
        held = {item.name for item in find_sequences(arguments.data, validated)}
        everything = [item.name for item in find_sequences(arguments.data)]
        sequences = tuple(name for name in everything if name not in held)
        if not sequences:
            raise ConfigError("all sequences are held out: nothing is left to tune on")
    tuned_on = _opened(arguments, sequences, part)
    if not (validated or arguments.validate_part):
        return tuned_on, []
    return tuned_on, _opened(arguments, validated or sequences, other)


def _opened(arguments: argparse.Namespace, sequences: tuple[str, ...], part: str) -> list[Recording]:
    from rtreid_ros.recordings import open_recordings  # noqa: PLC0415
    from rtreid_ros.recordings.variation import with_simulated_embeddings  # noqa: PLC0415

    recordings = open_recordings(
        arguments.data,
        detections=None if arguments.detections == "auto" else arguments.detections,
        embeddings=arguments.embeddings,
        sequences=sequences,
        part=part,
        min_score=_min_score(arguments),
    )
    if arguments.simulated_embeddings is None:
        return recordings
    return [with_simulated_embeddings(item, arguments.simulated_embeddings) for item in recordings]


def _min_score(arguments: argparse.Namespace) -> float:
    from rtreid_ros.detection.base import DetectorOptions  # noqa: PLC0415

    given: float | None = arguments.min_score
    return DetectorOptions().score_threshold if given is None else given


def _source(arguments: argparse.Namespace) -> dict[str, Any]:
    """How the recordings were chosen, for the record."""
    return {
        "data": str(arguments.data),
        "detections": arguments.detections,
        "embeddings": arguments.embeddings,
        "min_score": _min_score(arguments),
        "part": arguments.part,
        "validate_part": arguments.validate_part,
        "simulated_embeddings": arguments.simulated_embeddings,
    }
