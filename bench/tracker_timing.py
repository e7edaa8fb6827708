"""What an update costs: the timing half of `bench/trackers.py`.

CPU time of `update` alone, one thread, everything in this one process: what the wall clock shows on a
machine that does nothing else. The implementations of a tracker take turns on short pieces (ours,
peer, ours, peer), so that a machine that slows down slows all of them down. Ratios within a run are
fair; milliseconds are this machine's. Each figure
carries the time its command began, so that only figures of one command are compared.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from bench import peers
from bench.peers import IMPLEMENTATIONS, Conditions
from bench.tracker_accuracy import Results, load, play, sequences
from bench.tracker_runs import Run
from bench.tracker_update import AREA_PER_PERSON, FPS, walkers
from rtreid_ros.recordings import RecordedFrame, Recording

TIMED_VARIANTS = ("boxes", "emb05-motion")
SCENES = {20: 200, 100: 120, 300: 50}
"""Boxes on average, and updates measured in each round."""
ROUNDS = 3
SCENE_WARM_UP = 40
WARM_UP = 10
EMBEDDING = 512
FRAMES_IN_ALL = 400
"""Updates measured on a set of sequences, shared among them."""


def time_runs(
    data: Path, runs: list[Run], results: Results, command: str, say: Callable[[str], None]
) -> None:
    """Time the installed ones of `runs` on the first frames of each sequence; `command` names this one."""
    peers.quiet()
    wanted = [
        run
        for run in runs
        if run.variant_name in TIMED_VARIANTS and IMPLEMENTATIONS[run.implementation].version()
    ]
    for (set_name, variant, tracker), group in groupby(
        wanted, key=lambda run: (run.set_name, run.variant, run.tracker)
    ):
        together = list(group)
        say(f"timing {set_name}, {variant.title}: {tracker}")
        spent: dict[Run, list[np.ndarray]] = {run: [] for run in together}
        detections = []
        names = sequences(data, set_name)
        for name in names:
            recording = load(data, set_name, name, variant.embeddings, variant.drop)
            piece = recording.with_frames(recording.frames[: WARM_UP + FRAMES_IN_ALL // len(names)])
            detections += [len(frame.detections) for frame in piece.frames[WARM_UP:]]
            for run in together:
                spent[run].append(_spent(run.implementation, tracker, piece, variant.conditions(tracker)))
        for run in together:
            figures = {
                **_summary(spent[run]),
                "command": command,
                "detections_per_frame": round(float(np.mean(detections)), 2),
            }
            results.put("timing", run.key, figures)
        results.save()


def time_scenes(
    trackers: list[str],
    implementations: list[str],
    results: Results,
    command: str,
    say: Callable[[str], None],
) -> None:
    """Time the installed implementations on scenes of growing size (see `bench.tracker_update`)."""
    peers.quiet()
    for tracker in trackers:
        for boxes, frames in SCENES.items():
            say(f"timing {tracker}, {boxes} boxes")
            looks = EMBEDDING if tracker in peers.Ours.appearance else 0
            together = [
                name
                for name in implementations
                if tracker in IMPLEMENTATIONS[name].trackers
                and (not looks or tracker in IMPLEMENTATIONS[name].appearance)
                and IMPLEMENTATIONS[name].version()
            ]
            spent: dict[str, list[np.ndarray]] = {name: [] for name in together}
            for seed in range(ROUNDS):
                scene = _scene(boxes, SCENE_WARM_UP + frames, looks, seed)
                for name in together:
                    conditions = Conditions(embeddings=bool(looks))
                    spent[name].append(_spent(name, tracker, scene, conditions)[SCENE_WARM_UP - WARM_UP :])
            for name in together:
                figures = {**_summary(spent[name]), "command": command}
                results.put("scaled", f"{tracker}/{boxes}/{name}", figures)
            results.save()


def _spent(implementation: str, tracker: str, recording: Recording, conditions: Conditions) -> np.ndarray:
    """Milliseconds of each update after the warm-up."""
    session = IMPLEMENTATIONS[implementation].start(tracker, recording, conditions)
    gc.collect()  # nobody pays for what another left behind
    return play(session, recording, told=False).milliseconds[WARM_UP:]


def _summary(pieces: list[np.ndarray]) -> dict[str, Any]:
    spent = np.concatenate(pieces)
    return {
        "median_ms": round(float(np.median(spent)), 4),
        "p95_ms": round(float(np.percentile(spent, 95)), 4),
        "updates": len(spent),
    }


def _scene(boxes: int, frames: int, looks: int, seed: int) -> Recording:
    def recorded() -> Iterator[RecordedFrame]:
        for index, detections in enumerate(walkers(boxes, frames, looks, seed)):
            yield RecordedFrame(index + 1, index / FPS, detections)

    extent = np.sqrt(boxes / 0.9 * AREA_PER_PERSON * np.array([16 / 9, 9 / 16]))
    return Recording(f"{boxes} boxes", FPS, int(extent[0]), int(extent[1]), tuple(recorded()))


def goals(tracker: str) -> dict[int, float]:
    """Milliseconds that a median update may take, by number of boxes."""
    if tracker in peers.Ours.appearance:
        return {20: 1.0, 100: 3.0, 300: 10.0}
    return {20: 0.5, 100: 1.0, 300: 4.0}
