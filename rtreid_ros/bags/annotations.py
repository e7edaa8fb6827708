"""Ground truth and stored detections of a MOTChallenge sequence, with the numbers of its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rtreid_ros.errors import ConfigError, SourceError
from rtreid_ros.evaluation.mot_text import MOT_CLASSES, MotTable, read_mot
from rtreid_ros.recordings.layout import find_detections, find_sequences
from rtreid_ros.textfile import read_text
from rtreid_ros.types import Detections, Float64, GroundTruth

NONE = "none"
_COLUMNS_WITH_PLACE = 10


class MotAnnotations:
    """What a sequence's text files say, frame by frame.

    Boxes are given as the files state them, float64 corner and size, beside the float32 corners
    that everything else computes with.

    Args:
        folder: the sequence.
        detections: file relative to it, or ``none``; None: the only one there is, if any.

    Attributes:
        truth: ground truth, None without any.
        detections: None without any.
        length: number of frames.

    Raises:
        SourceError: a file is missing or wrong.
        ConfigError: several detection files and none chosen.
    """

    truth_names = MOT_CLASSES
    detection_names = ("person",)

    def __init__(self, folder: str | Path, detections: str | None = None) -> None:
        (files,) = find_sequences(folder)
        self.length = files.length
        self.truth = read_mot(files.truth) if files.truth is not None else None
        self.detections: MotTable | None = None
        if detections != NONE and (detections is not None or (files.folder / "det").is_dir()):
            path = find_detections(files, detections)
            if path.suffix != ".txt":
                raise ConfigError(f"{path}: only detections in MOTChallenge text go into a bag")
            self.detections = read_mot(path)
        for what, table in (("ground truth", self.truth), ("detections", self.detections)):
            if table is not None and table.last_frame > files.length:
                raise SourceError(
                    f"{files.folder}: {what} of frame {table.last_frame}, seqinfo.ini says {files.length}"
                )
        self._places = None if self.truth is None else _places(files.truth, self.truth)
        self._truth_rows = dict(self.truth.by_frame()) if self.truth else {}
        self._detection_rows = dict(self.detections.by_frame()) if self.detections else {}

    def truth_at(self, index: int) -> tuple[GroundTruth, Float64, Float64 | None]:
        """Who is where in frame `index`, from 0; the boxes as in the file; the places in the world.

        Places are metres, ``(N, 3)``, None where the file has none: only MOT15's has.
        """
        assert self.truth is not None
        rows = self._truth_rows.get(index + 1, slice(0, 0))
        places = None if self._places is None else self._places[rows]
        return self.truth.truth(rows), self.truth.boxes[rows], places

    def detections_at(self, index: int) -> tuple[Detections, Float64]:
        """What was detected in frame `index`, from 0, and the boxes as in the file."""
        table = self.detections
        assert table is not None
        rows = self._detection_rows.get(index + 1, slice(0, 0))
        # detectors of the MOT15 and MOT17 era give scores beyond 1
        scores = np.minimum(table.scores[rows], 1.0).astype(np.float32)
        return Detections(table.xyxy(rows).astype(np.float32), scores), table.boxes[rows]


def _places(path: Path | None, table: MotTable) -> Float64 | None:
    """The last three columns of MOT15's ground truth, row by row as in `table`; -1 is "not known"."""
    if path is None or table.has_classes or not len(table):
        return None
    lines = read_text(path).replace(",", " ").splitlines()
    columns = [line.split() for line in lines if line.strip()]
    if any(len(words) != _COLUMNS_WITH_PLACE for words in columns):
        return None
    rows = np.array(columns, np.float64)
    places: Float64 = rows[np.argsort(rows[:, 0], kind="stable"), -3:]
    return None if (places == -1).all() else places
