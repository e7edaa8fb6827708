"""Which trackers run on what, and how well they do: the accuracy half of `bench/trackers.py`."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from bench import peers
from bench.peers import IMPLEMENTATIONS, OURS, Session
from bench.results import ResultsFile
from bench.tracker_runs import SETS, Run
from rtreid_ros.evaluation import metrics
from rtreid_ros.evaluation.metrics import Evaluation
from rtreid_ros.evaluation.offline import judge_replay
from rtreid_ros.recordings import Recording, Replay, open_recordings
from rtreid_ros.recordings.variation import drop_frames, with_simulated_embeddings

LEAST_SCORE = 0.1
SEED = 0


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
    """Every frame of a recording through a tracker; milliseconds are CPU time of this thread."""
    tracks, milliseconds = [], []
    for frame, stamp in zip(recording.frames, stamps(recording, told), strict=True):
        arguments = session.prepare(frame, stamp)
        begin = time.thread_time_ns()
        output = session.update(*arguments)
        milliseconds.append((time.thread_time_ns() - begin) / 1e6)
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


class Results(ResultsFile):
    """Figures of runs, kept in a JSON file so that peers need not run again.

    A peer's figure serves while its version, what it is given and the data stay the same, and also
    where that peer is not installed; ours are always measured anew.
    """

    def __init__(self, path: Path, data: Path) -> None:
        super().__init__(path)
        self._data = data

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

    def get(self, run: Run) -> dict[str, Any] | None:
        """Figures of a run, if there are any."""
        row: dict[str, Any] | None = self.content["runs"].get(run.key)
        return row


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
