"""Sequences without pictures: stored detections (and embeddings, and camera motion) by frame.

Trackers are compared on these in seconds: detecting and embedding is done once.

* `recording`, `replay`: what a sequence is, and a tracker played over it;
* `layout`, `loading`, `stored`: where things lie in folders of MOTChallenge, DanceTrack and KITTI,
  and how they are read;
* `selection`, `variation`: halves, dropped frames, simulated embeddings.
"""

from rtreid_ros.recordings.loading import open_recordings
from rtreid_ros.recordings.recording import RecordedFrame, Recording
from rtreid_ros.recordings.replay import Replay, replay
from rtreid_ros.recordings.selection import select

__all__ = ["RecordedFrame", "Recording", "Replay", "open_recordings", "replay", "select"]
