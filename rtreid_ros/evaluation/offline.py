"""Judging trackers that were played over recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtreid_ros.errors import SourceError
from rtreid_ros.evaluation.judging import JUDGED, KITTI
from rtreid_ros.evaluation.kitti_text import kitti_class_ids
from rtreid_ros.evaluation.metrics import Evaluation, combine, evaluate
from rtreid_ros.evaluation.mot_text import MotTable

if TYPE_CHECKING:
    from rtreid_ros.evaluation.judging import Rules
    from rtreid_ros.recordings.replay import Replay


def judge_replay(replay: Replay, rules: Rules | None = None) -> Evaluation:
    """Confirmed tracks against the ground truth of the frames that were played, and of no other.

    Args:
        replay: what a tracker made of a recording.
        rules: preprocessing; None: the recording's benchmark's. Of KITTI, which judges cars and
            pedestrians apart, that gives both together: sums of counts.

    Raises:
        SourceError: the recording has no ground truth, or an id occurs twice in a frame.
        MissingDependencyError: TrackEval is not installed.
    """
    recording = replay.recording
    if recording.truth is None:
        raise SourceError(f"{recording.name}: no ground truth to judge by")
    if rules is None and recording.benchmark == KITTI:
        return combine([judge_replay(replay, item) for item in JUDGED[KITTI]], recording.name)
    truth = recording.truth.cut([frame.number for frame in recording.frames])
    if rules is None and recording.benchmark:
        (rules,) = JUDGED[recording.benchmark]
    results = results_of(replay)
    return evaluate(results, truth, name=recording.name, rules=rules, length=len(recording.frames))


def results_of(replay: Replay) -> MotTable:
    """The confirmed tracks of a replay, frames numbered 1, 2, ... as they were played.

    Boxes are rounded as in result files, so that figures are those of the files.
    """
    kitti = replay.recording.benchmark == KITTI
    kept = [tracks.confirmed() for tracks in replay.tracks]
    if not sum(map(len, kept)):
        return MotTable.empty()
    corners = np.concatenate([tracks.boxes for tracks in kept]).astype(np.float64)
    class_ids = np.concatenate([tracks.class_ids for tracks in kept]).astype(np.int64)
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    return MotTable(
        frames=np.repeat(np.arange(1, len(kept) + 1), [len(tracks) for tracks in kept]),
        ids=np.concatenate([tracks.ids for tracks in kept]),
        boxes=boxes.round(3),
        scores=np.concatenate([tracks.scores for tracks in kept]).astype(np.float64),
        class_ids=kitti_class_ids(replay.recording.class_names)[class_ids] if kitti else class_ids,
        visibility=np.ones(len(class_ids), np.float32),
        has_classes=kitti,
        corners=corners.round(3) if kitti else None,
    )
