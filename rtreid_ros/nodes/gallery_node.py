"""Tracks of several cameras to tracks with one global id for each person."""

from __future__ import annotations

import copy
import sys
import time
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from rtreid_ros.gallery import Gallery, GlobalIds
from rtreid_ros.msg import TrackArray
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.base import BaseNode
from rtreid_ros.nodes.main import run
from rtreid_ros.nodes.messages.conversions import stamp_ns, tracks_from_message
from rtreid_ros.nodes.topics import Output, camera_topic, check_cameras
from rtreid_ros.types import Float64, TrackState

_WAITING_EACH = 8
"""Messages of each camera that may wait: a gallery is quick, but messages come in bursts."""


@dataclass(frozen=True, slots=True)
class _Job:
    camera: str
    message: TrackArray
    received: float


class GalleryNode(BaseNode):
    """Subscribes to ``<camera>/tracks`` with embeddings, publishes ``<camera>/global_tracks``.

    Every message with tracks goes on, whatever is known of them.
    """

    kind = "gallery_node"

    def configure(self) -> None:
        """Make the gallery."""
        self._options = options = self.options()
        self.lossless = options.lossless
        self._names = options.cameras or ("",)
        check_cameras(self, self._names, options.tracks_topic, "tracks")
        self._gallery = Gallery(self.options("gallery"))
        self._told = self._tell()
        self._reset_asked = False

    def activate(self) -> None:
        """Make topics and the working thread; who was known before a pause is still known."""
        self._outputs: dict[str, Output] = {}
        self._worker = self.work_with(self._identify, _WAITING_EACH * len(self._names))
        for name in self._names:
            self._outputs[name] = self.publish_to(
                TrackArray,
                camera_topic(name, "global_tracks"),
                qos.result_qos(self.lossless, publishing=True),
            )
        for name in self._names:
            self.subscribe_to(
                TrackArray,
                camera_topic(name, self._options.tracks_topic),
                partial(self._take, name),
                qos.result_qos(self.lossless, publishing=False),
            )
        self.offer("reset", self._ask_reset)

    def changed(self, prefix: str, options: Any) -> None:
        """Everything live takes effect with the next tracks."""
        if prefix == "gallery":
            self._gallery.adjust(options)
        else:
            self._options = options

    def diagnostic_values(self) -> dict[str, str]:
        """Who is known, what has happened, and what similarities mean by now."""
        values = super().diagnostic_values()
        return {**values, **self._told} if self.is_configured else values

    def _tell(self) -> dict[str, str]:
        """Of the gallery, which only the working thread may touch while it works."""
        gallery, model = self._gallery, self._gallery.model
        return {
            "identities": str(gallery.identities),
            "undecided": str(gallery.undecided),
            **{name: str(count) for name, count in asdict(gallery.counters).items()},
            "similarity.different": f"{model.different_mean:.2f} +- {model.different_sd:.2f}",
            "similarity.again": f"{model.again_mean:.2f} +- {model.again_sd:.2f}",
        }

    def _ask_reset(self) -> str:
        self._reset_asked = True
        return "everybody is forgotten with the next tracks"

    def _take(self, camera: str, message: TrackArray) -> None:
        self._worker.put(_Job(camera, message, time.monotonic()))

    def _identify(self, job: _Job) -> None:
        if self._reset_asked:
            self._reset_asked = False
            self._gallery.reset()
        message = job.message
        tracks = tracks_from_message(message)
        if tracks.embeddings is None and (tracks.states == TrackState.CONFIRMED).any():
            topic = self.resolve_topic_name(camera_topic(job.camera, self._options.tracks_topic))
            self.warn(
                f"{topic} embeddings",
                f"tracks on {topic} have no embeddings, so nobody can be told by looks: set "
                "tracker.publish_embeddings to true in the node that publishes them, and tracker.name to one "
                "that uses appearance, such as strongsort",
            )
        height, width = message.image_height, message.image_width
        size = (height, width) if height and width else None
        stamp = stamp_ns(message)
        ids = self._gallery.update(job.camera, stamp, tracks, self._places(message), size)
        for gone, kept in ids.merged:
            self.get_logger().info(f"global ids {gone} and {kept} are one person: {kept}")
        self._outputs[job.camera].publish(
            with_global_ids(message, ids, embeddings=self._options.publish_embeddings)
        )
        self._told = self._tell()
        self.count_processed(stamp, job.received)

    def _places(self, message: TrackArray) -> Float64 | None:
        """``(N, 2)`` metres on the ground, NaN where not known; None where there are none to compare."""
        wanted = self._options.position_frame
        if not message.position_frame:
            return None
        if message.position_frame != wanted:
            self.warn(
                "frame",
                f"positions in frame {message.position_frame!r} are not used: to be compared between "
                f"cameras, they must be in {wanted!r} (parameter position_frame)",
            )
            return None
        return np.array(
            [
                (track.position.x, track.position.y) if track.has_position else (np.nan, np.nan)
                for track in message.tracks
            ],
            np.float64,
        ).reshape(-1, 2)


def with_global_ids(message: TrackArray, ids: GlobalIds, *, embeddings: bool) -> TrackArray:
    """A copy of `message` whose tracks have global ids; `message`, which others may hold, stays."""
    identified = copy.copy(message)
    identified.tracks = [copy.copy(track) for track in message.tracks]
    columns = zip(identified.tracks, ids.ids.tolist(), ids.confidence.tolist(), strict=True)
    for track, id_, confidence in columns:
        track.global_id, track.global_confidence = id_, confidence
        if not embeddings:
            track.embedding = []
    return identified


def main() -> int:
    """Entry point."""
    return run(GalleryNode, GalleryNode.kind)


if __name__ == "__main__":
    sys.exit(main())
