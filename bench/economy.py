# ruff: noqa: E402 (thread limits must be set before numpy is imported)
"""What the economy of embeddings saves, and what it costs in accuracy.

    python bench/economy.py                               # everything, printed
    python bench/economy.py --output docs/economy.md      # and written into the document
    python bench/economy.py --sets street --seeds 4       # while working on it
    python bench/economy.py --set refresh=0.5             # with other options

Each sequence is tracked three times from the same detections and embeddings: with all of them; with
those that the economy would have made; and, to see what chance does, with all of them and a little
noise. What models make of pictures is kept in --cache.

Needs TrackEval (`pip install '.[eval]'`) and, but for the street, the data (see --data).
"""

from __future__ import annotations

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if not __package__:
    sys.path[0] = str(ROOT)

from bench.sections import columns, table, write_section
from rtreid_ros.camera_motion import create_camera_motion
from rtreid_ros.detection import DetectorOptions
from rtreid_ros.evaluation.mot_text import PEDESTRIAN, MotTable, read_mot
from rtreid_ros.evaluation.offline import judge_replay
from rtreid_ros.options import build_from_text
from rtreid_ros.recordings import RecordedFrame, Recording, Replay, open_recordings
from rtreid_ros.recordings.cached_pipeline import CachedPipeline
from rtreid_ros.recordings.variation import with_simulated_embeddings
from rtreid_ros.reid import EmbedderOptions
from rtreid_ros.reid.economy import EconomyOptions, EmbeddingEconomy
from rtreid_ros.sources import open_source
from rtreid_ros.tracking import TRACKERS, create_tracker
from rtreid_ros.types import Float64, GroundTruth

FIRST_SEED, FIRST_SHAKEN = 301, 401
"""Of streets that nothing was chosen by."""
JITTER = 0.2
"""Length of the noise that is added to unit embeddings, to see what chance does; their cosine is 0.98."""
APPEARANCE = tuple(name for name in TRACKERS if TRACKERS[name].uses_embeddings)


# ---------------------------------------------------------------------- sequences


def street(cache: Path, seed: int, shake: int) -> Recording:
    """A synthetic street, with the built-in models."""
    return _seen(cache, street_source(seed, shake), DetectorOptions(), EmbedderOptions(), moving=shake > 0)


def street_source(seed: int, shake: int) -> str:
    """What is rendered; `shake` in pixels."""
    return f"synthetic:seed={seed},people=20,camera_motion={shake}"


def stadtmitte(cache: Path, data: Path) -> Recording:
    """TUD-Stadtmitte, with published weights."""
    folder, weights = data / "mot" / "MOT15" / "TUD-Stadtmitte", data / "weights"
    detector = DetectorOptions(model=str(weights / "det" / "yolox_nano_coco416.onnx"))
    model = str(weights / "reid" / "osnet_x0_25_msmt17.onnx")
    embedder = EmbedderOptions(model=model, preprocessing="imagenet")
    return _seen(cache, str(folder), detector, embedder, truth=folder / "gt" / "gt.txt")


def simulated(folder: Path, detections: str, part: str, name: str, sigma: float) -> Recording:
    """Stored detections with embeddings made up from the ground truth, and stored camera motion."""
    (recording,) = open_recordings(folder, detections=detections, sequences=(name,), part=part, min_score=0.1)
    return with_simulated_embeddings(recording, sigma)


def _seen(
    cache: Path,
    source: str,
    detector: DetectorOptions,
    embedder: EmbedderOptions,
    *,
    moving: bool = False,
    truth: Path | None = None,
) -> Recording:
    """What models make of every frame of a source."""
    motion = create_camera_motion("sparse_flow") if moving else None
    frames, seen = [], []
    with open_source(source) as opened:
        tracker = create_tracker("strongsort", opened.frame_rate)
        pipeline = CachedPipeline(cache, opened, detector, embedder, tracker, motion)
        for frame in opened:
            result = pipeline.process(frame)
            frames.append(
                RecordedFrame(frame.index + 1, frame.stamp, result.detections, result.camera_motion)
            )
            seen.append(frame.truth)
        pipeline.save()
        return Recording(
            name=opened.name,
            frame_rate=opened.frame_rate,
            width=opened.size[0],
            height=opened.size[1],
            frames=tuple(frames),
            truth=_table(seen) if truth is None else read_mot(truth),
            length=len(frames),
            benchmark="" if truth is None else "MOT15",
        )


def _table(truths: list[GroundTruth | None]) -> MotTable:
    rows = [truth for truth in truths if truth is not None]
    boxes = np.concatenate([truth.boxes for truth in rows]).astype(np.float64)
    return MotTable(
        frames=np.repeat(np.arange(1, len(rows) + 1), [len(truth) for truth in rows]),
        ids=np.concatenate([truth.ids for truth in rows]),
        boxes=np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1),
        scores=np.concatenate([truth.considered for truth in rows]).astype(np.float64),
        class_ids=np.full(len(boxes), PEDESTRIAN, np.int64),
        visibility=np.concatenate([truth.visibility for truth in rows]),
        has_classes=True,
    )


# -------------------------------------------------------------------- measurement


@dataclass(frozen=True)
class Figures:
    """One tracker on one sequence, per cent: with all embeddings, with the economy, with all jittered."""

    hota: tuple[float, float, float]
    idf1: tuple[float, float, float]
    counts: dict[str, int]


def play(recording: Recording, tracker: str, economy: EmbeddingEconomy) -> Replay:
    """The sequence, with the embeddings that `economy` makes or lends, also to who would not borrow."""
    made, tracks = create_tracker(tracker, recording.frame_rate), []
    for frame in recording.frames:
        detections, motion = frame.detections, frame.camera_motion
        assert detections.embeddings is not None
        plan = economy.plan(detections, frame.stamp, motion, least_score=made.least_score)
        embeddings = plan.complete(detections.embeddings[plan.rows])
        told = detections.with_embeddings(embeddings)
        tracks.append(made.update(told, stamp=frame.stamp, camera_motion=motion))
        economy.observe(tracks[-1], embeddings, plan, frame.stamp)
    return Replay(recording, tuple(tracks), np.zeros(len(tracks)))


def jittered(recording: Recording) -> Recording:
    """The same with a little noise on every embedding."""
    random, frames = np.random.default_rng(0), []
    for frame in recording.frames:
        rows = frame.detections.embeddings
        assert rows is not None
        rows = rows + JITTER * random.standard_normal(rows.shape) / np.sqrt(max(rows.shape[1], 1))
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        frames.append(replace(frame, detections=frame.detections.with_embeddings(rows)))
    return recording.with_frames(frames)


def measure(
    load: Callable[[], Recording], trackers: tuple[str, ...], options: EconomyOptions
) -> dict[str, Figures]:
    """Every tracker on one sequence, in a process of its own."""
    recording, figures = load(), {}
    for tracker in trackers:
        economy = EmbeddingEconomy(options)
        runs = ((recording, _all_embedded()), (recording, economy), (jittered(recording), _all_embedded()))
        scores = [judge_replay(play(played, tracker, item)).scores for played, item in runs]
        hota, idf1 = (tuple(100 * getattr(item, name) for item in scores) for name in ("hota", "idf1"))
        figures[tracker] = Figures(hota, idf1, economy.counts())
    return figures


def _all_embedded() -> EmbeddingEconomy:
    return EmbeddingEconomy(EconomyOptions(enabled=False))


def row(set_title: str, tracker: str, figures: list[Figures]) -> list[str]:
    """A line of the table: means over sequences, and the standard errors of mean changes of IDF1."""
    counts = {name: sum(item.counts[name] for item in figures) for name in figures[0].counts}
    total = max(sum(counts.values()), 1)
    hota, idf1 = np.array([item.hota for item in figures]), np.array([item.idf1 for item in figures])
    shares = [f"{100 * counts[name] / total:.0f}" for name in ("embedded", "borrowed", "ignored")]
    return [
        set_title,
        tracker,
        *shares,
        f"{hota[:, 0].mean():.2f}",
        f"{(hota[:, 1] - hota[:, 0]).mean():+.2f}",
        f"{idf1[:, 0].mean():.2f}",
        _change(idf1[:, 1] - idf1[:, 0]),
        _change(idf1[:, 2] - idf1[:, 0]),
    ]


def _change(values: Float64) -> str:
    """Mean and, of several, its standard error."""
    error = f" ± {values.std(ddof=1) / np.sqrt(len(values)):.2f}" if len(values) > 1 else ""
    return f"{values.mean():+.2f}{error}"


HEADER = (
    *("sequences", "tracker", "embedded %", "borrowed %", "ignored %"),
    *("HOTA", "change", "IDF1", "change", "by chance"),
)


def sets(data: Path, cache: Path, seeds: int) -> dict[str, tuple[str, list[Callable[[], Recording]]]]:
    """Title and sequences of every set; those whose data are missing have none."""
    mot17, dance = data / "mot" / "MOT17", data / "mot" / "DanceTrack-val"
    halves = (mot17, "det/det_yolox_x_ablation.txt", "second-half")
    dances = (dance, "det/det_yolox.txt", "all")
    names = {folder: sorted(item.name for item in folder.glob("*")) for folder in (mot17, dance)}
    numbers = range(FIRST_SEED, FIRST_SEED + seeds)
    shaken = range(FIRST_SHAKEN, FIRST_SHAKEN + seeds)
    tud: list[Callable[[], Recording]] = (
        [partial(stadtmitte, cache, data)] if (data / "weights").is_dir() else []
    )
    return {
        "street": ("synthetic street", [partial(street, cache, seed, 0) for seed in numbers]),
        "shaken": ("street, camera shakes", [partial(street, cache, seed, 8) for seed in shaken]),
        "tud": ("TUD-Stadtmitte, OSNet", tud),
        "mot17-05": ("MOT17 halves, sim. .05", [partial(simulated, *halves, n, 0.05) for n in names[mot17]]),
        "mot17-15": ("MOT17 halves, sim. .15", [partial(simulated, *halves, n, 0.15) for n in names[mot17]]),
        "dance": ("DanceTrack, sim. .05", [partial(simulated, *dances, n, 0.05) for n in names[dance]]),
    }


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    data = ROOT.parent / "shared" / "data"
    add("--data", type=Path, default=data, help="folder with mot/ and weights/ (../shared/data)")
    add("--cache", type=Path, default=ROOT / "out/bench/economy", help="where models' results are kept")
    add("--sets", default="", help="of street, shaken, tud, mot17-05, mot17-15, dance (all)")
    add("--trackers", default=",".join(APPEARANCE), help="those that use appearance (all)")
    add("--seeds", type=int, default=16, help="streets, and as many with a camera that shakes (16)")
    add("--set", action="append", default=[], metavar="OPTION=VALUE", help="of the economy; repeatable")
    add("--processes", type=int, default=2, help="sequences at once (2)")
    add("--output", type=Path, help="document whose table is written, docs/economy.md")
    args = parser.parse_args()
    options = build_from_text(EconomyOptions, dict(item.split("=", 1) for item in args.set))
    trackers = tuple(args.trackers.split(","))
    wanted = args.sets.split(",") if args.sets else None
    rows: list[list[str]] = []
    with ProcessPoolExecutor(args.processes) as pool:
        pending = {
            title: [pool.submit(measure, load, trackers, options) for load in loads]
            for name, (title, loads) in sets(args.data, args.cache, args.seeds).items()
            if loads and (wanted is None or name in wanted)
        }
        for title, futures in pending.items():
            done = [future.result() for future in futures]
            new = [
                row(f"{title} ({len(done)})", tracker, [item[tracker] for item in done])
                for tracker in trackers
            ]
            rows += new
            print(columns(HEADER, new), file=sys.stderr, flush=True)
    if args.output:
        write_section(args.output, "economy", table(HEADER, rows, text_columns=2))
    else:
        print(table(HEADER, rows, text_columns=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
