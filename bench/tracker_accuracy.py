"""Which trackers run on what, and how well they do: the accuracy half of `bench/trackers.py`."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench import peers
from bench.peers import IMPLEMENTATIONS, OURS, Conditions, Session
from rtreid_ros.evaluation import metrics
from rtreid_ros.evaluation.metrics import Evaluation
from rtreid_ros.evaluation.offline import judge_replay
from rtreid_ros.recordings import Recording, Replay, open_recordings
from rtreid_ros.recordings.variation import drop_frames, with_simulated_embeddings
from rtreid_ros.tracking import TRACKERS

LEAST_SCORE = 0.1
SEED = 0
PARTS = ("runs", "timing", "scaled", "soak", "made")
"""Of the file of results."""


@dataclass(frozen=True)
class Benchmark:
    """A set of sequences with stored detections."""

    title: str
    folder: str
    detections: str
    part: str = "all"


SETS = {
    "mot17-val": Benchmark(
        "MOT17 second halves, YOLOX detections", "MOT17", "det/det_yolox_x_ablation.txt", "second-half"
    ),
    "mot17-frcnn": Benchmark("MOT17, public FRCNN detections", "MOT17", "det/det_public_frcnn.txt"),
    "dancetrack": Benchmark("DanceTrack, YOLOX detections", "DanceTrack-val", "det/det_yolox.txt"),
}


@dataclass(frozen=True)
class Variant:
    """What trackers are given.

    Attributes:
        title: as the tables call it.
        embeddings: noise of simulated embeddings; None = there are none.
        camera_motion: whether the stored affines are given.
        drop: share of the frames left out at random.
        told: the real time of each frame; otherwise updates count as 1/rate.
        other_report: our trackers give the box that is not their default (filtered for detected).
        sets: where it is run.
    """

    title: str
    embeddings: float | None = None
    camera_motion: bool = False
    drop: float = 0.0
    told: bool = False
    other_report: bool = False
    sets: tuple[str, ...] = tuple(SETS)

    def suits(self, implementation: str, tracker: str) -> bool:
        """Whether the tracker of that package can make use of it."""
        package = IMPLEMENTATIONS[implementation]
        return (
            tracker in package.trackers
            and (self.embeddings is None or tracker in package.appearance)
            and (not self.camera_motion or tracker in package.motion)
            and (not self.told or package.takes_time)
            and (not self.other_report or implementation == OURS)
        )

    def conditions(self, tracker: str) -> Conditions:
        """The same for one tracker."""
        options: tuple[tuple[str, Any], ...] = ()
        if self.other_report:
            default = TRACKERS[tracker].Options().report
            options = (("report", "filter" if default == "detection" else "detection"),)
        return Conditions(self.embeddings is not None, self.camera_motion, self.told, options)


def variants(drop: float) -> dict[str, Variant]:
    """What is compared; `drop` is the share of frames left out where some are."""
    percent = f"{100 * drop:g} % of the frames dropped"
    mot17 = ("mot17-val",)
    no_public = ("mot17-val", "dancetrack")
    return {
        "boxes": Variant("boxes alone"),
        "motion": Variant("camera motion", camera_motion=True),
        "emb05": Variant("embeddings .05", 0.05),
        "emb15": Variant("embeddings .15", 0.15, sets=mot17),
        "emb05-motion": Variant("embeddings .05, camera motion", 0.05, camera_motion=True),
        "emb15-motion": Variant("embeddings .15, camera motion", 0.15, camera_motion=True, sets=mot17),
        "drop": Variant(percent, drop=drop, sets=no_public),
        "drop-told": Variant(f"{percent}, real time told", drop=drop, told=True, sets=no_public),
        "drop-motion": Variant(f"{percent}, camera motion", None, True, drop, sets=no_public),
        "drop-motion-told": Variant(
            f"{percent}, camera motion, real time told", None, True, drop, told=True, sets=no_public
        ),
        "report": Variant("the other box reported", other_report=True, sets=no_public),
        "report-emb05-motion": Variant(
            "the other box reported, embeddings .05, camera motion",
            0.05,
            camera_motion=True,
            other_report=True,
            sets=no_public,
        ),
    }


@dataclass(frozen=True)
class Run:
    """One tracker of one package under one variant on one set: a row of the table."""

    set_name: str
    variant_name: str
    variant: Variant
    tracker: str
    implementation: str

    @property
    def key(self) -> str:
        """By which results are kept."""
        return "/".join((self.set_name, self.variant_name, self.tracker, self.implementation))


def plan(
    sets: Iterable[str],
    chosen: dict[str, Variant],
    trackers: Iterable[str],
    implementations: Iterable[str],
) -> list[Run]:
    """Every run that makes sense, a tracker's implementations next to each other."""
    return [
        Run(set_name, variant_name, variant, tracker, implementation)
        for set_name in sets
        for variant_name, variant in chosen.items()
        if set_name in variant.sets
        for tracker in trackers
        for implementation in implementations
        if variant.suits(implementation, tracker)
    ]


# ------------------------------------------------------------------------- input


def sequences(data: Path, set_name: str) -> list[str]:
    """Names of the set's sequences that are there."""
    folder = data / SETS[set_name].folder
    return sorted(item.name for item in folder.iterdir() if (item / "seqinfo.ini").is_file())


@functools.lru_cache(maxsize=16)
def _stored(data: Path, set_name: str, sequence: str) -> Recording:
    benchmark = SETS[set_name]
    (recording,) = open_recordings(
        data / benchmark.folder,
        detections=benchmark.detections,
        sequences=(sequence,),
        part=benchmark.part,
        min_score=LEAST_SCORE,
    )
    return recording


@functools.lru_cache(maxsize=4)
def load(data: Path, set_name: str, sequence: str, embeddings: float | None, drop: float) -> Recording:
    """One sequence as a variant wants it."""
    recording = _stored(data, set_name, sequence)
    if embeddings is not None:
        recording = with_simulated_embeddings(recording, embeddings, seed=SEED)
    return drop_frames(recording, drop, seed=SEED) if drop else recording


def stamps(recording: Recording, told: bool) -> Iterator[float]:
    """Time of each frame, in seconds."""
    for count, frame in enumerate(recording.frames):
        yield frame.stamp if told else count / recording.frame_rate


def play(session: Session, recording: Recording, told: bool) -> Replay:
    """Every frame of a recording through a tracker."""
    tracks, milliseconds = [], []
    for frame, stamp in zip(recording.frames, stamps(recording, told), strict=True):
        arguments = session.prepare(frame, stamp)
        begin = time.perf_counter()
        output = session.update(*arguments)
        milliseconds.append((time.perf_counter() - begin) * 1e3)
        tracks.append(session.read(output))
    return Replay(recording, tuple(tracks), np.array(milliseconds))


# ----------------------------------------------------------------------- results


def judge(data: Path, run: Run, sequence: str) -> Evaluation:
    """One run on one sequence, in a worker process."""
    peers.quiet()
    variant = run.variant
    recording = load(data, run.set_name, sequence, variant.embeddings, variant.drop)
    package = IMPLEMENTATIONS[run.implementation]
    session = package.start(run.tracker, recording, variant.conditions(run.tracker))
    return judge_replay(play(session, recording, variant.told))


class Results:
    """Figures of runs, kept in a JSON file so that peers need not run again.

    A peer's figure serves while its version, what it is given and the data stay the same, and also
    where that peer is not installed; ours are always measured anew.
    """

    def __init__(self, path: Path, data: Path) -> None:
        self._path = path
        self._data = data
        self._fresh: dict[str, dict[str, Any]] = {}
        self.content = self._read()

    def mark(self, run: Run) -> str:
        """What a peer's figure depends on, besides the peer's version."""
        benchmark = SETS[run.set_name]
        inputs = (peers.REVISION, benchmark, run.variant, SEED, LEAST_SCORE)
        digest = hashlib.sha256(repr(inputs).encode())
        for name in sequences(self._data, run.set_name):
            for file in (benchmark.detections, "gt/gt.txt", "gmc.txt"):
                path = self._data / benchmark.folder / name / file
                digest.update(f"{name}/{file} {path.stat().st_size if path.is_file() else 0}".encode())
        return digest.hexdigest()[:16]

    def known(self, run: Run) -> bool:
        """Whether a kept figure will do."""
        if run.implementation == OURS:
            return False
        row = self.content["runs"].get(run.key)
        if row is None or row["mark"] != self.mark(run):
            return False
        installed = IMPLEMENTATIONS[run.implementation].version()
        return installed is None or row["version"] == installed

    def put(self, part: str, key: str, value: Any) -> None:
        """Take in something measured now."""
        self.content[part][key] = value
        self._fresh.setdefault(part, {})[key] = value

    def get(self, run: Run) -> dict[str, Any] | None:
        """Figures of a run, if there are any."""
        row: dict[str, Any] | None = self.content["runs"].get(run.key)
        return row

    def save(self) -> None:
        """Write what was measured now; what another run has written meanwhile stays."""
        kept = self._read()
        for part, values in self._fresh.items():
            kept[part].update(values)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        temporary.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        temporary.replace(self._path)

    def _read(self) -> dict[str, dict[str, Any]]:
        content: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
        if self._path.is_file():
            content.update(json.loads(self._path.read_text(encoding="utf-8")))
        return content


def _figures(results: Results, run: Run, evaluations: list[Evaluation]) -> dict[str, Any]:
    return {
        "mark": results.mark(run),
        "version": IMPLEMENTATIONS[run.implementation].version(),
        "scores": metrics.combine(evaluations).scores.as_dict(),
        "sequences": {item.name: item.scores.as_dict() for item in evaluations},
    }


def measure(
    data: Path, runs: list[Run], results: Results, processes: int, only: tuple[str, ...], again: bool
) -> list[tuple[str, str]]:
    """Bring the figures of `runs` up to date.

    Args:
        data: holds the folders of the sets.
        runs: what is wanted; peers that are not installed are passed over.
        results: where figures go.
        processes: how many work at once.
        only: sequences; then no kept figure is used and none is kept. Empty = all.
        again: measure also what is known.

    Returns:
        Key and reason of each run that failed.
    """
    todo = [
        run
        for run in runs
        if IMPLEMENTATIONS[run.implementation].version() and (only or again or not results.known(run))
    ]
    if only:
        results.content["runs"] = {}
    failed = []
    with ProcessPoolExecutor(processes) as pool:
        pending: dict[Run, list[Future[Evaluation]]] = {run: [] for run in todo}
        # by sequence within a set and variant, so that workers find theirs loaded
        order = [
            (run.set_name, run.variant.drop, run.variant.embeddings or 0, name, number)
            for number, run in enumerate(todo)
            for name in sequences(data, run.set_name)
            if not only or name in only
        ]
        for *_, name, number in sorted(order):
            pending[todo[number]].append(pool.submit(judge, data, todo[number], name))
        for run, futures in pending.items():
            try:
                evaluations = [future.result() for future in futures]
            except Exception as error:  # whatever a package does, the others' figures are wanted
                failed.append((run.key, repr(error)))
                continue
            if evaluations:
                results.put("runs", run.key, _figures(results, run, evaluations))
                if not only:
                    results.save()
    return failed
