"""``rtreid track SOURCE --detections``: trackers on stored detections, without pictures."""

from __future__ import annotations

import argparse
import json
import logging
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.detection.labels import select as select_classes
from rtreid_ros.errors import ConfigError, SinkError, SourceError
from rtreid_ros.evaluation.judging import KITTI
from rtreid_ros.evaluation.kitti_text import kitti_tracks_text
from rtreid_ros.evaluation.mot_text import tracks_text
from rtreid_ros.histogram import Histogram
from rtreid_ros.options import as_items
from rtreid_ros.recordings import Recording, Replay, replay
from rtreid_ros.recordings.layout import SequenceFiles, find_detections, find_sequences
from rtreid_ros.recordings.loading import load
from rtreid_ros.recordings.selection import part_frames
from rtreid_ros.sinks.base import Output
from rtreid_ros.sinks.protection import protect
from rtreid_ros.tracking import TRACKERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtreid_ros.cli.settings import Settings
    from rtreid_ros.tracking import Tracker
    from rtreid_ros.types import Detections

STORED = "stored"
"""What ``--camera-motion`` calls the affines of ``gmc.txt``."""

_NEED_IMAGES = {
    "detector": None,
    "embedder": None,
    "economy": None,
    "bag": False,
    "jsonl": False,
    "topic": None,
    "frame_rate": None,
    "start": 0,
    "frames": None,
    "cache": None,
}
"""Flags that make no sense without pictures, and what they are when not given."""


@dataclass(frozen=True, slots=True)
class _Result:
    """Figures of one sequence."""

    frames: int
    detections: int
    ids: int
    milliseconds: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        p50, p95 = np.percentile(self.milliseconds or [0.0], [50, 95])
        return {
            "frames": self.frames,
            "detections": self.detections,
            "ids": self.ids,
            "update_ms": {
                "p50": round(float(p50), 4),
                "p95": round(float(p95), 4),
                "histogram": Histogram.of(self.milliseconds).as_dict(),
            },
        }


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Track every sequence, write, and say what came of it."""
    from tqdm import tqdm  # noqa: PLC0415
    from tqdm.contrib.logging import logging_redirect_tqdm  # noqa: PLC0415

    _refuse(arguments)
    method = STORED if arguments.camera_motion == STORED else settings.camera_motion.method
    if method not in (STORED, "auto", "none"):
        raise ConfigError(f"camera motion by {method} needs pictures; with --detections it is stored or none")
    only = as_items(arguments.sequences)
    sequences = find_sequences(arguments.source, only)
    output = Path(arguments.output or Path("out", "track", Path(arguments.source).resolve().name))
    one = (Path(arguments.source) / "seqinfo.ini").is_file()
    outputs = {files.name: output / ("tracks.txt" if one else f"{files.name}.txt") for files in sequences}
    protect([find_detections(files, arguments.detections) for files in sequences], outputs.values())
    results: dict[str, _Result] = {}
    start = time.perf_counter()
    total = sum(len(part_frames(arguments.part, files.length)) for files in sequences)
    with (
        tqdm(total=total, unit="frame", disable=arguments.quiet) as bar,
        logging_redirect_tqdm([logging.getLogger("rtreid_ros")]),
    ):
        for files in sequences:
            bar.set_description(files.name)
            recording = _load(arguments, settings, files)
            tracker: Tracker = TRACKERS[settings.tracker](recording.frame_rate, settings.tracker_options)
            if not recording.frames:
                raise SourceError(f"{files.name}: {arguments.part} of its {recording.length} frames is none")
            motion = method == STORED or (method == "auto" and tracker.camera_motion != "none")
            if method == STORED and files.camera_motion is None:
                raise SourceError(f"{files.name}: no gmc.txt with stored camera motion in {files.folder}")
            played = replay(recording, tracker, camera_motion=motion, watch=bar.update)
            _write(outputs[files.name], played)
            results[files.name] = _result(played)
    seconds = time.perf_counter() - start
    _write_summary(output / "summary.json", arguments, settings, method, results, seconds)
    if not arguments.quiet:
        _print(results, seconds, settings, output)
    return 0


def _refuse(arguments: argparse.Namespace) -> None:
    for name, silent in _NEED_IMAGES.items():
        value = getattr(arguments, name)
        if value != silent and not (name == "embedder" and value == "none"):
            flag = name.replace("_", "-")
            raise ConfigError(f"--{flag} is for pictures; it does not go with --detections")


def _load(arguments: argparse.Namespace, settings: Settings, files: SequenceFiles) -> Recording:
    min_score = arguments.min_score
    recording = load(
        files,
        detections=arguments.detections,
        embeddings=arguments.embeddings,
        part=arguments.part,
        min_score=settings.detector.score_threshold if min_score is None else min_score,
    )
    if arguments.classes is not None:
        kept = select_classes(settings.detector.classes, recording.class_names)
        if kept is not None:
            recording = _change(recording, lambda rows: rows[np.isin(rows.class_ids, kept)])
    if arguments.embedder == "none":
        recording = _change(recording, lambda rows: rows.with_embeddings(None))
    return recording


def _change(recording: Recording, change: Callable[[Detections], Detections]) -> Recording:
    frames = [replace(frame, detections=change(frame.detections)) for frame in recording.frames]
    return recording.with_frames(frames)


class _Text(Output):
    def __init__(self, path: Path, text: str) -> None:
        super().__init__(path)
        self._text = text

    def close(self) -> None:
        try:
            self.partial.write_text(self._text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise SinkError(f"{self.path}: cannot be written ({error})") from None


def _write(path: Path, played: Replay) -> None:
    recording = played.recording
    kitti = recording.benchmark == KITTI
    text = "".join(
        kitti_tracks_text(frame.number, tracks, recording.class_names)
        if kitti
        else tracks_text(frame.number, tracks)
        for frame, tracks in zip(recording.frames, played.tracks, strict=True)
    )
    with _Text(path, text):
        pass


def _result(played: Replay) -> _Result:
    ids = {identity for tracks in played.tracks for identity in tracks.confirmed().ids.tolist()}
    frames = played.recording.frames
    found = sum(len(frame.detections) for frame in frames)
    return _Result(len(frames), found, len(ids), tuple(played.milliseconds.tolist()))


def _total(results: dict[str, _Result]) -> _Result:
    items = list(results.values())
    return _Result(
        sum(item.frames for item in items),
        sum(item.detections for item in items),
        sum(item.ids for item in items),
        tuple(value for item in items for value in item.milliseconds),
    )


def _write_summary(
    path: Path,
    arguments: argparse.Namespace,
    settings: Settings,
    method: str,
    results: dict[str, _Result],
    seconds: float,
) -> None:
    min_score = settings.detector.score_threshold if arguments.min_score is None else arguments.min_score
    content = {
        "source": arguments.source,
        "stored": {"detections": arguments.detections, "embeddings": arguments.embeddings},
        "part": arguments.part,
        "min_score": min_score,
        "camera_motion": method,
        "tracker": {"name": settings.tracker, **asdict(settings.tracker_options)},
        **_total(results).as_dict(),
        "seconds": round(seconds, 3),
        "sequences": {name: result.as_dict() for name, result in results.items()},
    }
    with _Text(path, json.dumps(content, indent=2) + "\n"):
        pass


def _print(results: dict[str, _Result], seconds: float, settings: Settings, output: Path) -> None:
    total = _total(results)
    figures = total.as_dict()["update_ms"]
    many = f"{len(results)} sequences, " if len(results) > 1 else ""
    print(
        f"{many}{total.frames} frames, {total.detections / max(total.frames, 1):.1f} detections per frame, "
        f"{total.ids} ids, {seconds:.1f} s"
    )
    times = f"{figures['p50']:.3f} ms median, {figures['p95']:.3f} ms p95 per update"
    print(f"tracker   {settings.tracker}: {times}")
    print(f"  {output}/")
