"""Fields of vision_msgs 2.0 (Foxy) and 3.0 (Galactic), as far as detections in images have them."""

from dataclasses import dataclass, field
from types import SimpleNamespace

from std_msgs.msg import Header


@dataclass(slots=True)
class Pose2D:
    x: float = 0.0
    y: float = 0.0
    theta: float = 0.0


@dataclass(slots=True)
class BoundingBox2D:
    center: Pose2D = field(default_factory=Pose2D)
    size_x: float = 0.0
    size_y: float = 0.0


@dataclass(slots=True)
class FlatHypothesis:
    id: str = ""
    score: float = 0.0


@dataclass(slots=True)
class Hypothesis:
    class_id: str = ""
    score: float = 0.0


@dataclass(slots=True)
class HypothesisWithPose:
    hypothesis: Hypothesis = field(default_factory=Hypothesis)


@dataclass(slots=True)
class TrackedDetection2D:
    header: Header = field(default_factory=Header)
    results: list = field(default_factory=list)
    bbox: BoundingBox2D = field(default_factory=BoundingBox2D)
    is_tracking: bool = False
    tracking_id: str = ""


@dataclass(slots=True)
class Detection2D:
    header: Header = field(default_factory=Header)
    results: list = field(default_factory=list)
    bbox: BoundingBox2D = field(default_factory=BoundingBox2D)
    id: str = ""


@dataclass(slots=True)
class Detection2DArray:
    header: Header = field(default_factory=Header)
    detections: list = field(default_factory=list)


GENERATIONS = {
    "2.0": SimpleNamespace(
        Detection2DArray=Detection2DArray,
        Detection2D=TrackedDetection2D,
        ObjectHypothesisWithPose=FlatHypothesis,
    ),
    "3.0": SimpleNamespace(
        Detection2DArray=Detection2DArray,
        Detection2D=Detection2D,
        ObjectHypothesisWithPose=HypothesisWithPose,
    ),
}
