"""From folders of sequences to recordings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtreid_ros.errors import SourceError
from rtreid_ros.evaluation.kitti_text import KITTI_CLASSES, looks_like_kitti, read_kitti
from rtreid_ros.evaluation.mot_text import MotTable, read_mot
from rtreid_ros.recordings.layout import SequenceFiles, find_detections, find_sequences, in_folder
from rtreid_ros.recordings.recording import RecordedFrame, Recording
from rtreid_ros.recordings.selection import part_frames
from rtreid_ros.recordings.stored import StoredDetections, check_embeddings, read_arrays, read_stored
from rtreid_ros.types import Detections

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtreid_ros.types import Float64, Int64


def open_recordings(
    folder: str | Path,
    *,
    detections: str | Path | None = None,
    embeddings: str | Path | None = None,
    sequences: tuple[str, ...] = (),
    part: str = "all",
    min_score: float = 0.0,
) -> list[Recording]:
    """The recordings of a folder of sequences, or of one sequence (see `layout`).

    Args:
        folder: MOTChallenge, DanceTrack or KITTI tracking.
        detections: file relative to a sequence, such as ``det/det.txt``, or a folder of ``NAME.txt``
            or ``NAME.npz``; None: the only one each sequence has.
        embeddings: ``.npz`` file relative to a sequence, or a folder of ``NAME.npz``; None: those in
            the detection file, if any.
        sequences: names of those wanted; empty = all.
        part: ``all``, ``first-half`` or ``second-half`` (see `PARTS`).
        min_score: detections below are left out.

    Raises:
        SourceError: a file is missing or wrong.
        ConfigError: no such part, or several detection files and none chosen.
    """
    return [
        load(files, detections=detections, embeddings=embeddings, part=part, min_score=min_score)
        for files in find_sequences(folder, sequences)
    ]


def load(
    files: SequenceFiles,
    *,
    detections: str | Path | None = None,
    embeddings: str | Path | None = None,
    part: str = "all",
    min_score: float = 0.0,
) -> Recording:
    """One sequence; arguments and errors as `open_recordings`."""
    part_frames(part, files.length)  # a wrong name shall not wait for the files
    path = find_detections(files, detections)
    stored = read_detections(path)
    if embeddings is not None:
        stored = _with_embeddings(stored, path, _find_embeddings(files, embeddings))
    length = files.length or stored.last_frame
    if stored.last_frame > length:
        raise SourceError(f"{path}: frame {stored.last_frame}, but {files.name} has {length} frames")
    truth = None
    if files.truth is not None:
        truth = read_kitti(files.truth) if files.kitti else read_mot(files.truth)
    motions: Mapping[int, Float64] = {}
    if files.camera_motion is not None:
        from rtreid_ros.camera_motion.stored import read_motions  # noqa: PLC0415 (brings OpenCV)

        motions = read_motions(files.camera_motion)
    return Recording(
        name=files.name,
        frame_rate=files.frame_rate,
        width=files.width,
        height=files.height,
        frames=_frames(stored, part_frames(part, length), files.frame_rate, min_score, motions),
        truth=truth,
        class_names=stored.class_names,
        length=length,
        benchmark=benchmark_of(files.name, files.kitti, truth),
    )


def benchmark_of(name: str, kitti: bool, truth: MotTable | None) -> str:
    """Whose rules apply; empty without ground truth."""
    if kitti:
        return "KITTI"
    if truth is None:
        return ""
    from rtreid_ros.evaluation.metrics import rules_for  # noqa: PLC0415 (metrics are not always wanted)

    return rules_for(truth, name).name


def read_detections(path: Path) -> StoredDetections:
    """Detections in MOTChallenge text, KITTI text or ``.npz``.

    Raises:
        SourceError: the file is missing or not in its format.
    """
    if path.suffix == ".npz":
        return read_stored(path)
    kitti = looks_like_kitti(path)
    table = read_kitti(path) if kitti else read_mot(path)
    return StoredDetections(
        frames=table.frames,
        boxes=table.xyxy().astype(np.float32),
        # detectors of the MOT15 and MOT17 era give scores beyond 1
        scores=np.minimum(table.scores, 1.0).astype(np.float32),
        class_ids=(table.class_ids if kitti else np.zeros(len(table))).astype(np.int32),
        class_names=KITTI_CLASSES if kitti else ("person",),
    )


def _find_embeddings(files: SequenceFiles, embeddings: str | Path) -> Path:
    for path in (files.folder / embeddings, Path(embeddings)):
        if path.is_dir():
            return in_folder(path, files, "embeddings")
        if path.is_file():
            return path
    raise SourceError(f"{files.name}: no embeddings {str(embeddings)!r} in {files.folder} or here")


def _with_embeddings(stored: StoredDetections, detections: Path, path: Path) -> StoredDetections:
    """`stored` with the rows of `path`, which stand in the order of the detection file."""
    arrays = read_arrays(path)
    if "embeddings" not in arrays:
        raise SourceError(f"{path}: no array 'embeddings'")
    vectors = check_embeddings(path, arrays["embeddings"], len(stored))
    order = np.argsort(_frame_column(detections), kind="stable")
    if "frames" in arrays and not np.array_equal(arrays["frames"][order], stored.frames):
        raise SourceError(f"{path}: its frames are not those of {detections}, row by row")
    return replace(stored, embeddings=vectors[order])


def _frame_column(path: Path) -> Int64:
    """Frame of each row as it stands in the file."""
    if path.suffix == ".npz":
        return np.asarray(read_arrays(path)["frames"], np.int64)
    lines = path.read_text(encoding="utf-8").replace(",", " ").splitlines()
    return np.array([int(float(line.split(maxsplit=1)[0])) for line in lines if line.strip()], np.int64)


def _frames(
    stored: StoredDetections,
    numbers: range,
    frame_rate: float,
    min_score: float,
    motions: Mapping[int, Float64],
) -> tuple[RecordedFrame, ...]:
    size = stored.boxes[:, 2:] - stored.boxes[:, :2]
    keep = (stored.scores >= min_score) & (size > 0).all(axis=1)
    good = Detections(stored.boxes, stored.scores, stored.class_ids, stored.embeddings)[keep]
    frames = stored.frames[keep]
    starts = np.searchsorted(frames, np.arange(numbers.start, numbers.stop + 1)).tolist()
    return tuple(
        RecordedFrame(
            number,
            (number - numbers.start) / frame_rate,
            good[starts[place] : starts[place + 1]],
            motions.get(number - 1),
        )
        for place, number in enumerate(numbers)
    )
