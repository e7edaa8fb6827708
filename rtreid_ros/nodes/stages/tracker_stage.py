"""The tracking stage of a node: its parameters, its tracker, the order of stamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rtreid_ros.errors import RtreidError
from rtreid_ros.nodes.options import TrackerNodeOptions
from rtreid_ros.nodes.stages.source_rate import DEFAULT_RATE, SourceRate
from rtreid_ros.nodes.topics import camera_topic
from rtreid_ros.ordering import MissingStamps, Order, StampOrder
from rtreid_ros.tracking import TRACKERS, Tracker, create_tracker
from rtreid_ros.tracking.base import TrackerOptions

if TYPE_CHECKING:
    from rtreid_ros.nodes.base import BaseNode


class TrackerStage:
    """Makes the tracker that a node's ``tracker.*`` parameters ask for.

    Unless ``tracker.frame_rate`` says it, the nominal frame rate is what a source_node announces
    on ``source_rate``, and 30 where there is none; so it is settled by the first frame. A stage lives while
    its node is configured: after a time of inactivity its tracker goes on, as after any gap in the images.

    Args:
        node: has the parameters.
        camera: of several, whose frames these are; empty if there is but one.

    Raises:
        ConfigError: an unknown tracker or a wrong parameter.
    """

    def __init__(self, node: BaseNode, camera: str = "") -> None:
        self._node = node
        self._camera = camera
        self.options = node.options_of(TrackerNodeOptions, "tracker")
        self._tracker_options = node.options_of(TRACKERS[self.options.name].Options, "tracker")
        self._adjusted: TrackerOptions | None = None
        self._reset_asked = False
        self.tracker: Tracker = self._create(self.options.frame_rate or DEFAULT_RATE)
        self._order, self._missing = StampOrder(), MissingStamps()
        self._rate: float | None = self.options.frame_rate or None
        """Once it is settled."""
        self._source: SourceRate | None = None

    def activate(self) -> None:
        """Listen for the source's frame rate."""
        self._source = None
        if not self.options.frame_rate:
            source = SourceRate(self._node, camera_topic(self._camera, "source_rate"), self._rate)
            self._source = source if self._rate is None else None
        if self._rate is not None:
            self._announce()

    def adjust(self, options: TrackerOptions | TrackerNodeOptions) -> None:
        """Go on with other options from the next frame on; from any thread."""
        if isinstance(options, TrackerNodeOptions):
            self.options = options
        else:
            self._tracker_options = self._adjusted = options

    def ask_reset(self) -> str:
        """Begin anew with the next frame; from any thread."""
        self._reset_asked = True
        return "tracks are reset with the next frame"

    def accept(self, stamp_ns: int) -> bool:
        """Whether the frame of this stamp is to be tracked; a late one is counted and logged.

        To be called for each frame in the order in which they come.
        """
        missing = self._missing.judge(stamp_ns)
        if self._order.judge(stamp_ns) is not Order.LATE:
            return True
        self._node.statistics.count("rejected")
        whose = f"{self._camera}: " if self._camera else ""
        late = f"the frame of stamp {stamp_ns * 1e-9:.3f} s came after later ones: skipped"
        if missing:
            late = "a frame has no stamp, as the one before: skipped; have its publisher fill in header.stamp"
        self._node.warn(f"{whose}late", f"{whose}{late}")
        return False

    def is_settled(self) -> bool:
        """Whether `current` will not wait for the source's frame rate; from any thread."""
        source = self._source
        return source is None or source.is_settled()

    def current(self) -> Tracker:
        """The tracker for the next update, adjusted and reset as asked; the first call settles it."""
        if self._source is not None:
            self._rate = self._source.settle()
            self.tracker = self._create(self._rate)
            self._source = None
            self._announce()
        if self._adjusted is not None:
            self.tracker.adjust(self._adjusted)
            self._adjusted = None
        if self._reset_asked:
            self._reset_asked = False
            self.tracker.reset()
        return self.tracker

    def diagnostics(self) -> dict[str, str]:
        """What ``/diagnostics`` shows of it."""
        return {
            "tracker": self.options.name,
            "tracker.frame_rate": f"{self.tracker.frame_rate:g}",
            "tracker.resets": str(self.tracker.resets),
        }

    def _create(self, frame_rate: float) -> Tracker:
        return create_tracker(self.options.name, frame_rate, **asdict(self._tracker_options))

    def _announce(self) -> None:
        rate = f"{self.tracker.frame_rate:g} frames per second"
        whose = f"{self._camera}: " if self._camera else ""
        self._node.get_logger().info(f"{whose}tracker: {self.options.name}, {rate}")


def saved(files: Sequence[Path]) -> str:
    """What the service ``~/snapshot`` says.

    Raises:
        RtreidError: there was nothing to save.
    """
    if not files:
        raise RtreidError("nothing has been tracked yet")
    return f"wrote {', '.join(str(file.resolve()) for file in files)}"
