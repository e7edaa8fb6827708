"""What evaluator and recorder share: they follow a run from its first frame to its end."""

from __future__ import annotations

import time
import traceback
from abc import abstractmethod

from sensor_msgs.msg import TimeReference
from std_msgs.msg import UInt64

from rtreid_ros.errors import MessageError, RtreidError
from rtreid_ros.msg import TrackArray
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.base import BaseNode
from rtreid_ros.nodes.flow.ledger import Entry, FrameLedger
from rtreid_ros.nodes.messages.conversions import stamp_ns

_DISCOVERY_S = 1.0
"""Tracks may be found this much earlier than the source that announces their frames."""
_QUIET_S = 0.2
"""Topics overtake each other by less than this, so that after it nothing is still on its way."""


class ObserverNode(BaseNode):
    """Subscribes to ``tracks``, ``frames`` and ``source_finished``.

    A run is over when the source has finished and the tracks of every frame it announced have
    come, or none has come for ``settle`` seconds. Then, or when interrupted, `conclude` is called
    once; after it the process ends. Without a source_node only an interrupt ends a run.

    A run begins when the node is configured and goes on over a time of inactivity; cleaning up concludes it.
    """

    settle: float
    _concluded = True
    """Whether there is nothing to conclude."""

    def configure(self) -> None:
        """Begin a run."""
        self.ledger: FrameLedger[TrackArray] = FrameLedger()
        self._finished: int | None = None
        self._first_result: float | None = None
        self._without_source = False
        self._concluded = False
        self._last_announced = 0

    def activate(self) -> None:
        """Make topics."""
        self._resumed = self.ledger.announced > 0
        """Whether announcements may be those of before, which new subscriptions get again."""
        self.last_news = time.monotonic()
        """When something of the run last came, monotonic seconds."""
        self._frames_topic = self.resolve_topic_name("frames")
        results = qos.result_qos(self.lossless, publishing=False)
        self.subscribe_to(TrackArray, "tracks", self._receive_tracks, results)
        announcements = qos.record_qos(publishing=False)  # on a robot nobody makes any
        self.subscribe_to(TimeReference, "frames", self._announced, announcements, awaited=False)
        self.subscribe_to(UInt64, "source_finished", self._source_finished, qos.latched_qos(), awaited=False)
        self.every(0.1, "look for the end", self._look_for_end)

    def deactivate(self) -> None:
        """Finish what is under way; the run may go on later."""
        if self.is_active:
            self._rest()
        super().deactivate()

    def cleanup(self) -> None:
        """Flush files, also in the middle of a run."""
        self._conclude_once()
        super().cleanup()

    @property
    def published(self) -> int | None:
        """How many frames there were, once the source has finished; with those before it began again."""
        return None if self._finished is None else self._finished + self.ledger.earlier

    def receive(self, message: TrackArray) -> None:
        """Tracks, the moment they come."""

    @abstractmethod
    def observe(self, entry: Entry[TrackArray]) -> None:
        """The tracks of one frame, in order of the frames."""

    def rest(self) -> None:
        """Finish what is under way."""

    @abstractmethod
    def conclude(self) -> None:
        """Write what there is to write."""

    def _receive_tracks(self, message: TrackArray) -> None:
        self.last_news = time.monotonic()
        if self._first_result is None:
            self._first_result = self.last_news
        self.receive(message)
        for entry in self.ledger.answer(stamp_ns(message), message, expected=not self._without_source):
            self._observe(entry)

    def _look_for_source(self) -> None:
        """Number frames ourselves once it is clear that nobody announces them."""
        if self._without_source or self._first_result is None or self.ledger.announced:
            return
        waited = time.monotonic() - self._first_result > _DISCOVERY_S
        if waited and not self.count_publishers(self._frames_topic):
            self._go_without_source()

    def _go_without_source(self) -> None:
        self._without_source = True
        for entry in self.ledger.number_early():
            self._observe(entry)

    def _announced(self, message: TimeReference) -> None:
        self.last_news = time.monotonic()
        self._without_source = False
        stamp = stamp_ns(message)
        index = message.source.rpartition("#")[2]
        if not index.isdigit():
            raise MessageError(f"frames: source must end in #<index>, got {message.source!r}")
        if self._resumed and stamp <= self._last_announced:
            return
        self._resumed, self._last_announced = False, stamp
        earlier = self.ledger.earlier
        entries = self.ledger.announce(stamp, int(index))
        if self.ledger.earlier > earlier:
            self.get_logger().warning("the source has begun again: its frames are numbered on")
        for entry in entries:
            self._observe(entry)

    def _observe(self, entry: Entry[TrackArray]) -> None:
        with self.guarded("tracks"):  # one by one, so that those that waited with bad ones are not lost
            self.observe(entry)
            self.count_processed(entry.stamp_ns, time.monotonic())

    def _source_finished(self, message: UInt64) -> None:
        self.last_news = time.monotonic()
        self._finished = message.data

    def _look_for_end(self) -> None:
        self._look_for_source()
        published = self.published
        if published is None:
            return
        complete = self.ledger.announced >= published and self.ledger.unanswered == 0
        if time.monotonic() - self.last_news > (_QUIET_S if complete else self.settle):
            self._conclude_once()
            self.finish()

    def _rest(self) -> None:
        if not self.ledger.announced:
            self._go_without_source()
        self.rest()

    def _conclude_once(self) -> None:
        if self._concluded:
            return
        self._concluded = True
        if self.is_active:
            self._rest()
        missing = 0 if self.published is None else self.published - self.ledger.answered
        if self.lossless and missing:
            self.exit_code = 1
            self.get_logger().error(f"the tracks of {missing} frames never came")
        try:
            self.conclude()
        except Exception as error:
            self.exit_code = 1
            reason = error if isinstance(error, RtreidError | OSError) else traceback.format_exc().rstrip()
            self.get_logger().error(f"cannot write the results: {reason}")
