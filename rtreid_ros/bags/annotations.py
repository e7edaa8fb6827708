"""Ground truth and stored detections of a MOTChallenge sequence, with the numbers of its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rtreid_ros.errors import ConfigError, SourceError
from rtreid_ros.evaluation.mot_text import MOT_CLASSES, MotTable, read_mot
from rtreid_ros.recordings.layout import find_detections, find_sequences
from rtreid_ros.types import Detections, Float64, GroundTruth

NONE = "none"


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

    Raises:
        SourceError: a file is missing or wrong.
        ConfigError: several detection files and none chosen.
    """

    truth_names = MOT_CLASSES
    detection_names = ("person",)

    def __init__(self, folder: str | Path, detections: str | None = None) -> None:
        (files,) = find_sequences(folder)
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
        self._truth_rows = dict(self.truth.by_frame()) if self.truth else {}
        self._detection_rows = dict(self.detections.by_frame()) if self.detections else {}

    def truth_at(self, index: int) -> tuple[GroundTruth, Float64]:
        """Who is where in frame `index`, from 0, and the boxes as in the file."""
        assert self.truth is not None
        rows = self._truth_rows.get(index + 1, slice(0, 0))
        return self.truth.truth(rows), self.truth.boxes[rows]

    def detections_at(self, index: int) -> tuple[Detections, Float64]:
        """What was detected in frame `index`, from 0, and the boxes as in the file."""
        table = self.detections
        assert table is not None
        rows = self._detection_rows.get(index + 1, slice(0, 0))
        # detectors of the MOT15 and MOT17 era give scores beyond 1
        scores = np.minimum(table.scores[rows], 1.0).astype(np.float32)
        return Detections(table.xyxy(rows).astype(np.float32), scores), table.boxes[rows]
