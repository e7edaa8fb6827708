"""Tracks in images to positions in space."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from rtreid_ros.errors import MessageError, RtreidError
from rtreid_ros.geometry import CameraModel, DepthImage, GroundPlane, Positions, TransformTree, locate
from rtreid_ros.msg import TrackArray
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.base import BaseNode
from rtreid_ros.nodes.flow.companions import Companions
from rtreid_ros.nodes.main import run
from rtreid_ros.nodes.messages.camera_info import camera_model
from rtreid_ros.nodes.messages.conversions import NANOSECONDS, stamp_ns, tracks_from_message
from rtreid_ros.nodes.messages.images import ImageView, view_image
from rtreid_ros.nodes.messages.position_markers import position_markers
from rtreid_ros.nodes.messages.position_messages import placed_tracks, with_positions
from rtreid_ros.nodes.messages.transforms import TrackFrames, add_transforms, prefix_beside, tf_message_type
from rtreid_ros.nodes.stages.position_setup import PositionSetup
from rtreid_ros.types import Bool, TrackState
from rtreid_ros.visualization.trails import Trails

_WAITING = 8
"""Most tracks that wait for their depth image."""
_DEPTH_IMAGES = 32
"""Depth images that are kept for tracks, which come later: a second at 30 per second."""
_QUEUE = 4
_TRAIL_STEP_M = 0.1


@dataclass(frozen=True, slots=True)
class _Job:
    message: TrackArray
    depth: ImageView | None
    info: CameraInfo | None
    received: float


class PositionNode(BaseNode):
    """Subscribes to ``tracks``, ``camera_info`` and ``depth``, publishes ``tracks_3d`` and ``markers_3d``.

    Every message with tracks goes on, with positions or without.
    """

    kind = "position_node"

    def configure(self) -> None:
        """Read how to tell positions."""
        self._settings_3d = options = self.options()
        self.lossless = options.lossless
        mount = self.options("ground")
        wanted = {"publish_tf": options.publish_tf, "ground.from_tf": mount.from_tf}
        self._tf_type = (
            tf_message_type([name for name, on in wanted.items() if on]) if any(wanted.values()) else None
        )
        self._setup = PositionSetup.of(self.options("position"), mount, options.frame)

    def changed(self, prefix: str, options: Any) -> None:
        """Everything live takes effect with the next tracks."""
        now = self._setup
        if prefix == "position":
            self._setup = PositionSetup.of(options, now.mount, self._settings_3d.frame)
        elif prefix == "ground":
            self._setup = PositionSetup.of(now.how, options, self._settings_3d.frame)
        else:
            self._settings_3d = options

    def activate(self) -> None:
        """Make topics, the matcher of stamps and the working thread."""
        options, method = self._settings_3d, self._setup.how.method
        self._info: CameraInfo | None = None
        self._camera: tuple[CameraInfo, CameraModel] | None = None
        self._trails = Trails(options.trail, _TRAIL_STEP_M)
        self._told = Counter(depth=0, ground=0, unknown=0)
        pictures = qos.result_qos(False, publishing=True)
        self._tracks = self.publish_to(
            TrackArray, "tracks_3d", qos.result_qos(self.lossless, publishing=True)
        )
        self._markers = self.publish_to(MarkerArray, "markers_3d", pictures)
        self._frames: TrackFrames | None = None
        self._transforms = TransformTree()
        if options.publish_tf and self._tf_type is not None:
            self._frames = TrackFrames(
                self._tf_type,
                self.publish_to(self._tf_type, "/tf", qos.transform_qos()),
                self.publish_to(self._tf_type, "/tf_static", qos.latched_qos()),
                options.tf_prefix or prefix_beside(self.resolve_topic_name("tracks")),
            )
        self._worker = self.work_with(self._locate, _QUEUE)
        tolerance = round(options.depth_tolerance * NANOSECONDS)
        self._companions: Companions[TrackArray, ImageView] = Companions(
            tolerance, _WAITING, _DEPTH_IMAGES, most_bytes=self.most_bytes
        )
        images = qos.image_qos(self.lossless, publishing=False)
        self.subscribe_to(CameraInfo, "camera_info", self._take_info, images)
        if method != "ground":
            awaited = method == "depth"
            self.subscribe_to(Image, "depth", self._take_depth, images, raw=True, awaited=awaited)
        if self._setup.mount.from_tf and self._tf_type is not None:
            for topic, profile in (("/tf", qos.transform_qos()), ("/tf_static", qos.latched_qos(100))):
                self.subscribe_to(self._tf_type, topic, self._take_transforms(topic), profile, counted=False)
        self.subscribe_to(
            TrackArray, "tracks", self._take_tracks, qos.result_qos(self.lossless, publishing=False)
        )

    def diagnostic_values(self) -> dict[str, str]:
        """How positions were told too."""
        values = super().diagnostic_values()
        if self.is_active:
            values.update({f"positions.{name}": str(count) for name, count in self._told.items()})
        return values

    def _take_info(self, message: CameraInfo) -> None:
        self._info = message

    def _take_transforms(self, topic: str) -> Callable[[Any], None]:
        fixed = topic == "/tf_static"
        return lambda message: add_transforms(self._transforms, message, fixed=fixed)

    def _take_depth(self, cdr: bytes) -> None:
        view = view_image(cdr)
        self._hand_over(self._companions.second(view.stamp_ns, view))

    def _take_tracks(self, message: TrackArray) -> None:
        self._hand_over(self._companions.first(stamp_ns(message), message))

    def _hand_over(self, decided: list[tuple[TrackArray, ImageView | None]]) -> None:
        for message, depth in decided:
            self._worker.put(_Job(message, depth, self._info, time.monotonic()))

    def _locate(self, job: _Job) -> None:
        message, setup, stamp = job.message, self._setup, stamp_ns(job.message)
        tracks = tracks_from_message(message)
        camera, ground = self._camera_of(job), self._ground_of(job, setup)
        positions = Positions.unknown(len(tracks))
        if camera is not None:
            positions = locate(
                tracks.boxes.astype(np.float64),
                camera,
                ground,
                self._depth_of(job, setup.how.method, camera),
                setup.how,
                tilt_error=setup.mount.tilt_error,
                seen=tracks.states != TrackState.LOST,
            )
        points, frame = setup.place(positions.points, ground), setup.frame(message.header.frame_id)
        known: Bool = np.asarray(np.isfinite(points).all(axis=1))
        self._count(positions.by_depth & known, known)
        self._tracks.publish(with_positions(message, points, known, frame))
        head = Header(stamp=message.header.stamp, frame_id=frame)
        shown = np.flatnonzero(known & (tracks.states != TrackState.TENTATIVE))
        ids = tracks.ids[shown].tolist()
        if self._frames is not None:
            self._frames.publish(head, ids, points[shown].tolist())
            if ground is not None and setup.in_ground and not setup.mount.frame:
                self._frames.publish_ground(message.header, frame, ground)
        self._trails.add_points(ids, points[shown].tolist(), stamp)
        if camera is not None and self._markers.get_subscription_count():
            placed = placed_tracks(message, tracks, camera, positions, points, shown.tolist())
            lifetime, feet = self._settings_3d.marker_lifetime, setup.how.anchor == "foot"
            self._markers.publish(
                position_markers(placed, head, setup.up(ground).tolist(), self._trails, lifetime, feet=feet)
            )
        self.count_processed(stamp, job.received)

    def _count(self, by_depth: Bool, known: Bool) -> None:
        depth, all_known = int(by_depth.sum()), int(known.sum())
        self._told.update(depth=depth, ground=all_known - depth, unknown=len(known) - all_known)

    def _ground_of(self, job: _Job, setup: PositionSetup) -> GroundPlane | None:
        """The ground at the time of the image; None, with the reason in the log, if not known."""
        try:
            return setup.ground_at(job.message.header.frame_id, stamp_ns(job.message), self._transforms)
        except RtreidError as error:
            self.warn("ground", f"the ground is not known: {error}")
            return None

    def _camera_of(self, job: _Job) -> CameraModel | None:
        """The camera for images of the message's size; None, with the reason in the log, if not known."""
        if job.info is None:
            topic = self.resolve_topic_name("camera_info")
            self.warn("no info", f"nothing on {topic} yet: positions need the camera's calibration")
            return None
        try:
            if self._camera is None or self._camera[0] is not job.info:
                self._camera = job.info, camera_model(job.info, rectified=self._settings_3d.rectified)
            return self._camera[1].scaled_to((job.message.image_height, job.message.image_width))
        except RtreidError as error:
            self.statistics.count("rejected")
            self.warn("camera_info", f"camera_info cannot be used: {error}")
            return None

    def _depth_of(self, job: _Job, method: str, camera: CameraModel) -> DepthImage | None:
        """The depth image of the message's stamp; None, with the reason in the log, if it cannot be used."""
        view, frame = job.depth, job.message.header.frame_id
        if view is None:
            if method == "depth":
                self.statistics.count("unmatched")
            return None
        try:
            if view.frame_id != frame:
                raise MessageError(
                    f"its frame is {view.frame_id!r}, that of the tracks {frame!r}: take the depth image "
                    "that is registered to the image of the tracks"
                )
            image = DepthImage.view(
                view.data, view.height, view.width, view.step, view.encoding, view.is_bigendian
            )
            camera.scaled_to(image.size)  # refuses another shape
        except RtreidError as error:
            self.statistics.count("rejected")
            self.warn("depth", f"depth image cannot be used: {error}")
            return None
        return image


def main() -> int:
    """Entry point."""
    return run(PositionNode, PositionNode.kind)


if __name__ == "__main__":
    sys.exit(main())
