"""Topics and services of every node, without ROS: `--help` follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_IMAGE = "sensor_msgs/Image; with image_transport: compressed CompressedImage on image/compressed"
_DETECTIONS, _TRACKS = "rtreid_ros/DetectionArray", "rtreid_ros/TrackArray"
_RATE = "std_msgs/Float64: frame rate that a source_node announces, unless tracker.frame_rate is set"
_FRAMES = "sensor_msgs/TimeReference: every frame that a source_node publishes"
_FINISHED = "std_msgs/UInt64: the end of a source_node's run, and how many frames there were"
_TRUTH = f"{_TRACKS}, where there is ground truth"
_TRACE = {"trace": "rtreid_ros/FrameTrace: what was done with each image, while somebody listens"}
_BOXES = "vision_msgs/Detection2DArray"
_RESET = {"~/reset": "std_srvs/Trigger: begin anew with the next frame"}
_SNAPSHOT = {"~/snapshot": "std_srvs/Trigger: save the tracks of the moment into tracker.snapshots"}


@dataclass(frozen=True, slots=True)
class Interface:
    """What connects a node with others, beside ``/diagnostics``, parameters and lifecycle services.

    Attributes:
        subscribes: type of each topic by its relative name, and when it is subscribed to.
        publishes: the same of those published.
        services: type of each service, and what it does.
        cameras: whether all of these have the namespace of a camera, if there are several.
    """

    subscribes: Mapping[str, str]
    publishes: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    cameras: bool = False


INTERFACES: dict[str, Interface] = {
    "source_node": Interface(
        {"tracks": f"{_TRACKS}, when lossless: what has come back"},
        {
            "image": _IMAGE,
            "frames": _FRAMES,
            "ground_truth": _TRUTH,
            "source_rate": "std_msgs/Float64: nominal frames per second",
            "source_finished": _FINISHED,
        },
    ),
    "detector_node": Interface({"image": _IMAGE}, {"detections": _DETECTIONS, **_TRACE}),
    "embedder_node": Interface(
        {"image": _IMAGE, "detections": _DETECTIONS, "tracks": f"{_TRACKS}: what need not be embedded"},
        {"embeddings": _DETECTIONS, **_TRACE},
    ),
    "tracker_node": Interface(
        {
            "embeddings": _DETECTIONS,
            "detections": f"{_DETECTIONS}, instead, if the tracker needs no appearance",
            "source_rate": _RATE,
        },
        {"tracks": _TRACKS, **_TRACE},
        {**_RESET, **_SNAPSHOT},
    ),
    "tracking_node": Interface(
        {"image": _IMAGE, "source_rate": _RATE},
        {"tracks": _TRACKS, "detections": f"{_DETECTIONS}, while somebody listens", **_TRACE},
        {**_RESET, **_SNAPSHOT},
        cameras=True,
    ),
    "visualizer_node": Interface(
        {"image": _IMAGE, "tracks": _TRACKS},
        {
            "annotated": "sensor_msgs/Image, while somebody listens",
            "annotated/compressed": "sensor_msgs/CompressedImage, while somebody listens",
            "markers": "visualization_msgs/MarkerArray, while somebody listens",
            **_TRACE,
        },
    ),
    "position_node": Interface(
        {
            "tracks": _TRACKS,
            "camera_info": "sensor_msgs/CameraInfo",
            "depth": "sensor_msgs/Image, registered to the image, unless position.method is ground",
            "/tf": "tf2_msgs/TFMessage, with ground.from_tf",
            "/tf_static": "tf2_msgs/TFMessage, with ground.from_tf",
        },
        {
            "tracks_3d": _TRACKS,
            "markers_3d": "visualization_msgs/MarkerArray, while somebody listens",
            "/tf": "tf2_msgs/TFMessage, with publish_tf",
            "/tf_static": "tf2_msgs/TFMessage, with publish_tf",
        },
    ),
    "vision_msgs_node": Interface(
        {
            "detections": f"{_DETECTIONS}, to mirror",
            "tracks": f"{_TRACKS}, to mirror",
            "external_detections": f"{_BOXES}, with external",
            "camera_info": "sensor_msgs/CameraInfo, with external: the size of the images",
            "image": "sensor_msgs/Image, with external and size_from: image",
        },
        {
            "detections_2d": f"{_BOXES}, unless mirror is false",
            "tracks_2d": f"{_BOXES}, unless mirror is false",
            "detections": f"{_DETECTIONS}, with external",
        },
    ),
    "gallery_node": Interface(
        {"tracks": f"{_TRACKS}, with embeddings; the topic that tracks_topic names"},
        {"global_tracks": _TRACKS},
        _RESET,
        cameras=True,
    ),
    "evaluator_node": Interface(
        {"tracks": _TRACKS, "ground_truth": _TRUTH, "frames": _FRAMES, "source_finished": _FINISHED}
    ),
    "recorder_node": Interface(
        {
            "tracks": _TRACKS,
            "image": f"{_IMAGE}; unless bag and video are false",
            "ground_truth": f"{_TRUTH}; with bag",
            "frames": _FRAMES,
            "source_finished": _FINISHED,
            "source_rate": "std_msgs/Float64, with video, unless video_rate is set",
            "trace": "rtreid_ros/FrameTrace, with trace",
        }
    ),
}
"""Every node's by the name of its executable."""
