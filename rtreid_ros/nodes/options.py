"""Every node and its parameters, without ROS: `--help` and the files in ``config/`` follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rtreid_ros.camera_motion import CameraMotionOptions
from rtreid_ros.detection.base import DetectorOptions
from rtreid_ros.evaluation.judging import BENCHMARKS
from rtreid_ros.gallery.options import GalleryOptions
from rtreid_ros.geometry import GroundOptions, PositionOptions
from rtreid_ros.options import Option, describe, option
from rtreid_ros.reid.base import EmbedderOptions
from rtreid_ros.reid.economy import EconomyOptions
from rtreid_ros.tracking import DEFAULT_TRACKER, TRACKERS
from rtreid_ros.visualization import VisualizationOptions

_LOSSLESS = (
    "process every frame in order (reliable topics, nothing dropped), for evaluation; needs a source "
    "that waits for results (source_node with lossless: true), and the same value in all nodes"
)
_TRANSPORT = (
    "raw: sensor_msgs/Image on `image`; compressed: sensor_msgs/CompressedImage on `image/compressed`"
)
_RAW_OR_COMPRESSED = ("raw", "compressed")
_DEADLINE = (
    "greatest age of what is published, milliseconds since the image's stamp; where time is short, first "
    "fewer detections are embedded, then frames are skipped; 0 = none; never when lossless"
)
_LIFETIME = "markers vanish this long after the last message, seconds"


@dataclass(frozen=True, slots=True)
class LifeOptions:
    """Parameters of every node."""

    autostart: bool = option(
        True,
        "configure and activate at once; otherwise the node waits for transitions, such as "
        "`ros2 lifecycle set NODE configure`",
    )


@dataclass(frozen=True, slots=True)
class StageOptions:
    """Parameters of nodes that take no images."""

    lossless: bool = option(False, _LOSSLESS)


@dataclass(frozen=True, slots=True)
class ImageStageOptions:
    """Parameters of nodes that take images."""

    lossless: bool = option(False, _LOSSLESS)
    image_transport: str = option("raw", _TRANSPORT, choices=_RAW_OR_COMPRESSED)


@dataclass(frozen=True, slots=True)
class TrackingNodeOptions(ImageStageOptions):
    """Parameters of tracking_node."""

    cameras: tuple[str, ...] = option(
        (),
        "names of the cameras to serve with one copy of each model, such as front and rear, whose images "
        "come on `front/image` and `rear/image`; empty = one, on `image`",
    )
    batch_window: float = option(
        5.0,
        "how long a frame waits for those of other cameras, to go through the detector together where that "
        "takes several images at once, milliseconds; never when lossless",
        ge=0,
        le=1000,
    )
    deadline_ms: float = option(0.0, _DEADLINE, ge=0, le=60_000, live=True)


@dataclass(frozen=True, slots=True)
class DetectorNodeOptions(ImageStageOptions):
    """Parameters of detector_node beside those of the detector itself."""

    deadline_ms: float = option(
        0.0,
        "greatest age of detections, milliseconds since the image's stamp; an image that would be late is "
        "skipped before anything is spent on it, but never two in a row; leave time for what comes after; "
        "0 = none; never when lossless",
        ge=0,
        le=60_000,
        live=True,
    )


@dataclass(frozen=True, slots=True)
class EmbedderNodeOptions(ImageStageOptions):
    """Parameters of embedder_node beside those of the embedder itself."""

    deadline_ms: float = option(0.0, _DEADLINE, ge=0, le=60_000, live=True)


@dataclass(frozen=True, slots=True)
class VisualizerOptions:
    """Parameters of visualizer_node."""

    lossless: bool = option(False, _LOSSLESS)
    image_transport: str = option("raw", _TRANSPORT, choices=_RAW_OR_COMPRESSED)
    jpeg_quality: int = option(80, "quality of `annotated/compressed`", ge=1, le=100, live=True)
    classes: tuple[str, ...] = option((), "names of the classes to show; empty = all", live=True)
    marker_lifetime: float = option(1.0, _LIFETIME, ge=0.05, le=3600, live=True)


@dataclass(frozen=True, slots=True)
class PositionNodeOptions:
    """Parameters of position_node beside the ways to tell positions."""

    lossless: bool = option(False, _LOSSLESS)
    rectified: bool = option(
        False,
        "the images are rectified (image_rect): the camera is told by P of camera_info, else by K and D",
    )
    frame: str = option(
        "camera",
        "frame of the positions: the camera's optical frame, or that of the ground (ground.frame)",
        choices=("camera", "ground"),
    )
    depth_tolerance: float = option(
        0.0,
        "how far apart the stamps of a depth image and the tracks may be, seconds; 0 = equal stamps",
        ge=0,
        le=1,
    )
    publish_tf: bool = option(False, "publish a frame for every track with a position on /tf; needs tf2_msgs")
    tf_prefix: str = option(
        "",
        "names of these frames: the prefix and the track's id; empty = track_, in the namespace of `tracks`, "
        "so that those of several cameras differ: front/track_",
    )
    trail: float = option(5.0, "length of the trails in `markers_3d`, seconds; 0 = none", ge=0, le=600)
    marker_lifetime: float = option(1.0, _LIFETIME, ge=0.05, le=3600, live=True)


@dataclass(frozen=True, slots=True)
class VisionMsgsOptions:
    """Parameters of vision_msgs_node."""

    lossless: bool = option(False, _LOSSLESS)
    mirror: bool = option(True, "publish `detections` and `tracks` as `detections_2d` and `tracks_2d`")
    external: bool = option(
        False, "publish what comes on `external_detections` as `detections`; no other detector may do so then"
    )
    classes: tuple[str, ...] = option(
        (),
        "classes to take from external detections, THEIRS:OURS or just OURS where they agree, numbered in "
        "order of our names, such as 0:person, pedestrian:person, car; empty = all that have a number or a "
        "name of COCO",
    )
    image_width: int = option(
        0, "width of the images that external detections are from; 0 = as `size_from` says", ge=0, le=65535
    )
    image_height: int = option(0, "their height; 0 likewise", ge=0, le=65535)
    size_from: str = option(
        "camera_info",
        "the topic that tells the size of the images: `camera_info`, or `image` where there is none",
        choices=("camera_info", "image"),
    )


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Parameters of source_node."""

    source: str = option("", "what to publish: anything `rtreid track` takes, such as video.mp4 or synthetic")
    topic: str = option("", "image topic, for bags with several")
    rate: float = option(0.0, "frames per second; 0 = the source's own", ge=0, le=1000)
    loop: bool = option(False, "begin again at the end, without end; numbers and stamps go on")
    frame_id: str = option("", "frame_id of the headers; empty = the source's camera name")
    image_transport: str = option("raw", _TRANSPORT, choices=_RAW_OR_COMPRESSED)
    jpeg_quality: int = option(90, "quality of compressed images", ge=1, le=100)
    wait_for_subscribers: int = option(
        1, "publish the first frame when this many subscriptions to the image have matched", ge=0, le=100
    )
    wait_for_observers: int = option(
        0,
        "also wait for this many subscriptions to `source_finished`: evaluators and recorders",
        ge=0,
        le=100,
    )
    wait_for_tracker: bool = option(
        False, "also wait until somebody publishes `tracks`; always so when lossless"
    )
    lossless: bool = option(
        False,
        "publish a frame only when the tracks of the frames before have come back, as fast as they do, "
        "with stamps of the source's own time from 0; the other nodes need lossless: true too",
    )
    window: int = option(4, "lossless: most frames on their way at once", ge=1, le=16)
    timeout: float = option(
        60.0,
        "lossless: give up, with an error, after this long without any tracks, seconds",
        ge=0.1,
        le=86400,
    )


@dataclass(frozen=True, slots=True)
class TrackerNodeOptions:
    """Parameters of the tracking stage beside the options of the tracker itself."""

    name: str = option(DEFAULT_TRACKER, "which tracker", choices=tuple(sorted(TRACKERS)))
    frame_rate: float = option(
        0.0,
        "nominal frames per second, the step for which trackers are tuned (motion follows the stamps); "
        "0 = what source_node announces, or 30",
        ge=0,
        le=1000,
    )
    publish_embeddings: bool = option(False, "fill the embedding field of every published track", live=True)
    snapshots: str = option("snapshots", "folder for what the service `~/snapshot` saves", live=True)


@dataclass(frozen=True, slots=True)
class EmbeddedForOptions:
    """What the embedder needs to know of the tracking stage, beside the tracker's own options."""

    name: str = option(
        DEFAULT_TRACKER,
        "the tracker that will get the embeddings: what it ignores, or may not borrow, the economy goes by",
        choices=tuple(sorted(TRACKERS)),
    )


@dataclass(frozen=True, slots=True)
class DetectedForOptions:
    """What the detector needs to know of the tracking stage."""

    name: str = option(
        DEFAULT_TRACKER,
        "the tracker that will get the detections: what camera_motion.method: auto goes by",
        choices=tuple(sorted(TRACKERS)),
    )


@dataclass(frozen=True, slots=True)
class GalleryNodeOptions:
    """Parameters of gallery_node beside those of the gallery itself."""

    lossless: bool = option(False, _LOSSLESS)
    cameras: tuple[str, ...] = option(
        (), "namespaces of the cameras, such as front, rear; empty = one, whose topics have none"
    )
    tracks_topic: str = option(
        "tracks", "topic of tracks in each of them: `tracks`, or `tracks_3d` with positions in a common frame"
    )
    position_frame: str = option(
        "map", "positions in this frame (x and y on the ground) are compared; others are not used"
    )
    publish_embeddings: bool = option(False, "keep the embeddings in what is published", live=True)


@dataclass(frozen=True, slots=True)
class EvaluatorOptions:
    """Parameters of evaluator_node."""

    lossless: bool = option(False, _LOSSLESS)
    output: str = option("metrics.json", "file for the figures")
    rules: str = option("plain", "preprocessing of which benchmark", choices=tuple(BENCHMARKS))
    settle: float = option(
        2.0, "after the source's end, wait this long for late tracks, seconds", ge=0, le=600
    )


@dataclass(frozen=True, slots=True)
class RecorderOptions:
    """Parameters of recorder_node."""

    lossless: bool = option(False, _LOSSLESS)
    image_transport: str = option("raw", _TRANSPORT, choices=_RAW_OR_COMPRESSED)
    output: str = option(
        "recording", "folder for tracks.txt, bag/, annotated.mp4 and trace.json; made if missing"
    )
    replace: bool = option(
        False, "replace an earlier recording in output; false: write beside it, into output-2, output-3, ..."
    )
    bag: bool = option(True, "write bag/, a rosbag2 with images, tracks and ground truth")
    video: bool = option(False, "write annotated.mp4, the images with their tracks drawn on them")
    trace: bool = option(
        False, "write trace.json, what every node did with each image and when, for ui.perfetto.dev"
    )
    video_rate: float = option(
        0.0, "frames per second of annotated.mp4; 0 = what source_node announces, or 30", ge=0, le=1000
    )
    settle: float = option(
        2.0, "after the source's end, wait this long for late tracks, seconds", ge=0, le=600
    )


@dataclass(frozen=True, slots=True)
class NodeDescription:
    """What a node is for and what can be set on it.

    Attributes:
        summary: one sentence.
        groups: options dataclass by parameter prefix; an empty prefix for the node's own.
        tracker: options of ``tracker.*``, which those of the tracker they name follow; None: no such.
        publishes_images: whether it needs shared memory of its own that holds images.
    """

    summary: str
    groups: Mapping[str, type] = field(default_factory=dict)
    tracker: type | None = None
    publishes_images: bool = False

    def options(self, tracker: str = TrackerNodeOptions().name) -> list[tuple[str, Option]]:
        """Dotted name and option of every parameter, with those of `tracker`."""
        groups: list[tuple[str, type]] = [("", LifeOptions), *self.groups.items()]
        if self.tracker is not None:
            groups += [("tracker", self.tracker), ("tracker", TRACKERS[tracker].Options)]
        return [(dotted(prefix, item.name), item) for prefix, cls in groups for item in describe(cls)]


def dotted(prefix: str, name: str) -> str:
    """Name of a parameter in a group."""
    return f"{prefix}.{name}" if prefix else name


NODES: dict[str, NodeDescription] = {
    "source_node": NodeDescription(
        "Publishes a video, image folder, bag, camera or synthetic scene.",
        {"": SourceOptions},
        publishes_images=True,
    ),
    "detector_node": NodeDescription(
        "Finds objects in images, and how the camera moved between them.",
        {
            "": DetectorNodeOptions,
            "detector": DetectorOptions,
            "camera_motion": CameraMotionOptions,
            "tracker": DetectedForOptions,
        },
    ),
    "embedder_node": NodeDescription(
        "Adds appearance vectors to detections.",
        {"": EmbedderNodeOptions, "embedder": EmbedderOptions, "economy": EconomyOptions},
        tracker=EmbeddedForOptions,
    ),
    "tracker_node": NodeDescription(
        "Turns detections into tracks.", {"": StageOptions}, tracker=TrackerNodeOptions
    ),
    "tracking_node": NodeDescription(
        "Images to tracks: detector, embedder and tracker in one process.",
        {
            "": TrackingNodeOptions,
            "detector": DetectorOptions,
            "embedder": EmbedderOptions,
            "economy": EconomyOptions,
            "camera_motion": CameraMotionOptions,
        },
        tracker=TrackerNodeOptions,
    ),
    "visualizer_node": NodeDescription(
        "Draws tracks into images and as markers.",
        {"": VisualizerOptions, "annotator": VisualizationOptions},
        publishes_images=True,
    ),
    "position_node": NodeDescription(
        "Tells where tracks are in space, from a depth image or the ground plane.",
        {"": PositionNodeOptions, "position": PositionOptions, "ground": GroundOptions},
    ),
    "vision_msgs_node": NodeDescription(
        "Passes detections and tracks on as vision_msgs, and takes detections from there.",
        {"": VisionMsgsOptions},
    ),
    "gallery_node": NodeDescription(
        "Gives people one global id across cameras and after long absence.",
        {"": GalleryNodeOptions, "gallery": GalleryOptions},
    ),
    "evaluator_node": NodeDescription("Judges tracks against ground truth.", {"": EvaluatorOptions}),
    "recorder_node": NodeDescription("Writes images and tracks to files.", {"": RecorderOptions}),
}
"""Every node by the name of its executable."""
