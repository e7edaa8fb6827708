"""MOTChallenge sequences: a folder with seqinfo.ini, pictures or a video, and ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtreid_ros.errors import SourceError
from rtreid_ros.evaluation.mot_folder import SequenceInfo, read_seqinfo
from rtreid_ros.evaluation.mot_text import MOT_CLASSES, read_mot
from rtreid_ros.sources.images import ImageSource, images_in
from rtreid_ros.sources.video import VIDEO_SUFFIXES, VideoSource
from rtreid_ros.types import GroundTruth

if TYPE_CHECKING:
    from rtreid_ros.sources.base import BaseSource


def open_sequence(folder: str | Path, *, frame_rate: float | None = None) -> BaseSource:
    """The frames of a sequence, each with its ground truth where there is ``gt/gt.txt``.

    Pictures are numbered from 1 by their file names; where there are none, a video of the
    sequence's name (or the only one) beside seqinfo.ini serves.

    Args:
        folder: the sequence.
        frame_rate: overrules seqinfo.ini.

    Raises:
        SourceError: seqinfo.ini, pictures or the ground truth are missing or wrong.
    """
    folder = Path(folder)
    info = read_seqinfo(folder)
    truth_file = folder / "gt" / "gt.txt"
    truth = _truth(truth_file, info.length) if truth_file.is_file() else None
    source = _frames(folder, info, frame_rate or info.frame_rate, truth)
    source.name = info.name
    source.class_names = MOT_CLASSES if truth is not None else ()
    return source


def _truth(path: Path, length: int) -> dict[int, GroundTruth]:
    table = read_mot(path)
    nobody = GroundTruth(
        ids=np.zeros(0, np.int64),
        boxes=np.zeros((0, 4), np.float32),
        class_ids=np.zeros(0, np.int32),
        visibility=np.zeros(0, np.float32),
        considered=np.zeros(0, bool),
    )
    truth = dict.fromkeys(range(length), nobody)
    truth.update({number - 1: table.truth(rows) for number, rows in table.by_frame()})
    return truth


def _frames(
    folder: Path, info: SequenceInfo, frame_rate: float, truth: dict[int, GroundTruth] | None
) -> BaseSource:
    pictures = folder / info.image_folder
    paths = images_in(pictures) if pictures.is_dir() else []
    if paths:
        unnumbered = next((path for path in paths if not path.stem.isdigit() or int(path.stem) < 1), None)
        if unnumbered is not None:
            raise SourceError(f"{unnumbered}: pictures of a sequence are numbered from 1, such as 000001.jpg")
        indices = [int(path.stem) - 1 for path in paths]
        return ImageSource(paths, name=info.name, frame_rate=frame_rate, indices=indices, truth=truth)
    videos = sorted(path for path in folder.iterdir() if path.suffix.lower() in VIDEO_SUFFIXES)
    named = [path for path in videos if path.stem in (info.name, folder.resolve().name)]
    if len(named or videos) == 1:
        return VideoSource((named or videos)[0], frame_rate=frame_rate, truth=truth)
    raise SourceError(
        f"{folder}: no pictures in {info.image_folder}/ and "
        + (
            f"several videos ({', '.join(path.name for path in videos)})"
            if videos
            else "no video beside them"
        )
    )
