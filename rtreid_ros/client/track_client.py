"""The client of track topics."""

from __future__ import annotations

import math
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, cast, overload

from rclpy.node import Node
from rclpy.qos import QoSProfile
from std_srvs.srv import Trigger

from rtreid_ros.client.inbox import Inbox
from rtreid_ros.client.own_node import OwnNode
from rtreid_ros.client.reading import frame_from_message
from rtreid_ros.client.silence import why_silent
from rtreid_ros.closing import Closing
from rtreid_ros.errors import NoTracksError, ServiceError
from rtreid_ros.msg import TrackArray
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.flow.statistics import Throttle
from rtreid_ros.ordering import Order, StampOrder
from rtreid_ros.people import Following, Line, LineWatch, TrackedPerson, TrackFrame, Zone, ZoneWatch
from rtreid_ros.people.person import nearest

_PATIENCE_S = 5.0
"""While waiting, silence for this long is worth a line in the log."""

_UNKNOWN = "_NODE_NAME_UNKNOWN_"
"""What rclpy calls a node it has not yet heard of."""


class TrackClient(Closing):
    """Tracks of one topic, for programs of a few lines; a context manager.

    By itself it makes a node in a context and a thread of its own: no `rclpy.init`, no executor, and
    beside any other use of rclpy. Its methods may then wait; they are called from the program's own
    threads. With `node` it is part of a program that spins that node: it then only calls back, and
    `latest`, `people`, `count_in` and the watches say how things are.

    How long somebody is followed or remembered goes by the stamps of the images, so it holds in
    simulated time and when a bag is played fast; how long methods wait goes by the machine's steady clock.
    Images that come out of order are left out. When stamps go back by more than a second, the source
    has started anew: everybody who was there has gone.

    Args:
        topic: a topic of TrackArray: ``tracks``, ``front/tracks``, ``tracks_3d``, ``front/global_tracks``.
        node: a node to use instead of making one.
        classes: names of the classes to see, such as ``person``; empty = all that come.
        qos_profile: of the subscription; None = reliable, volatile, the newest 10.
        args: command line of the node it makes, such as `sys.argv`: ``--ros-args -r tracks:=...``.
        domain_id: ``ROS_DOMAIN_ID`` of the node it makes; None = that of the environment.

    Raises:
        ConfigError: ROS does not understand `args`.

    Attributes:
        node: the node it uses; good for further publishers and subscriptions.
    """

    def __init__(
        self,
        topic: str = "tracks",
        *,
        node: Node | None = None,
        classes: Collection[str] = (),
        qos_profile: QoSProfile | None = None,
        args: Sequence[str] | None = None,
        domain_id: int | None = None,
    ) -> None:
        self._name = topic
        self._own = OwnNode(args, domain_id) if node is None else None
        self.node: Any = node or cast(OwnNode, self._own).node
        self._classes = frozenset(classes)
        self._order = StampOrder()
        self._inbox: Inbox[TrackFrame] = Inbox()
        self._latest: TrackFrame | None = None
        self._received = time.monotonic()
        self._watches: dict[Zone | Line, ZoneWatch | LineWatch] = {}
        self._callbacks: tuple[Callable[[TrackFrame], None], ...] = ()
        self._throttle = Throttle()
        self._subscription = self.node.create_subscription(
            TrackArray,
            topic,
            self._receive,
            qos_profile or qos.result_qos(False, publishing=False),
            qos_overriding_options=None if self._own is None else qos.overrides(),
        )

    def close(self) -> None:
        """End the subscription, and the node if it is our own; whoever waits or iterates ends."""
        if self._inbox.closed:
            return
        self._inbox.close()
        if self._own is None:
            self.node.destroy_subscription(self._subscription)
        else:
            self._own.close()

    # ------------------------------------------------------------------------ how things are

    @property
    def topic(self) -> str:
        """Fully qualified name of the topic."""
        return str(self._subscription.topic_name)

    @property
    def latest(self) -> TrackFrame | None:
        """The newest tracks, however old; None before the first."""
        return self._latest

    @property
    def silent_for(self) -> float:
        """Seconds since the last tracks came, or since the beginning; by the steady clock."""
        return time.monotonic() - self._received

    @property
    def people(self) -> tuple[TrackedPerson, ...]:
        """Who was seen in the newest image, ordered by id."""
        return () if self._latest is None else self._latest.people

    def nearest(self) -> TrackedPerson | None:
        """The nearest person in the newest image (`TrackFrame.nearest`); None if there is none."""
        return None if self._latest is None else self._latest.nearest()

    def count_in(self, zone: Zone) -> int:
        """How many people of the newest image are in a zone; `watch` counts without flicker."""
        return len(zone.among(self.people))

    # ------------------------------------------------------------------------------- calling

    def on_frame(self, callback: Callable[[TrackFrame], None]) -> None:
        """Have `callback` called with the tracks of every image, in order.

        Callbacks run in the thread that spins the node. What one raises is logged, and things go on.
        """
        self._callbacks = (*self._callbacks, self._guarded(callback))

    @overload
    def watch(self, place: Zone) -> ZoneWatch: ...

    @overload
    def watch(self, place: Line) -> LineWatch: ...

    def watch(self, place: Zone | Line) -> ZoneWatch | LineWatch:
        """What goes on in a zone or at a line from now on; for an equal place the same object."""
        if place not in self._watches:
            made = ZoneWatch(place) if isinstance(place, Zone) else LineWatch(place)
            self._watches = {**self._watches, place: made}  # the other thread may be going through it
        return self._watches[place]

    def on_enter(self, zone: Zone, callback: Callable[[TrackedPerson], None]) -> ZoneWatch:
        """Have `callback` called with each person that comes into a zone."""
        watch = self.watch(zone)
        watch.on_enter(self._guarded(callback))
        return watch

    def on_exit(self, zone: Zone, callback: Callable[[TrackedPerson], None]) -> ZoneWatch:
        """Have `callback` called with each person that leaves a zone, or vanishes in it for a second."""
        watch = self.watch(zone)
        watch.on_exit(self._guarded(callback))
        return watch

    def on_cross(self, line: Line, callback: Callable[[TrackedPerson, bool], None]) -> LineWatch:
        """Have `callback` called with each person that crosses a line, and whether to its right."""
        watch = self.watch(line)
        watch.on_cross(self._guarded(callback))
        return watch

    # ------------------------------------------------------------------------------- waiting

    def frames(self, timeout: float = 10.0, *, depth: int = 10) -> Iterator[TrackFrame]:
        """The tracks of every image from now on, until the client is closed.

        Args:
            timeout: longest wait for the next, seconds.
            depth: most frames that wait for a slow program, which then gets the newest.

        Raises:
            NoTracksError: nothing came for `timeout` seconds.
        """
        self._may_wait()
        with self._inbox.reader(depth) as queue:
            while (frame := self._next(queue, timeout)) is not None:
                yield frame

    def wait_for_person(self, timeout: float | None = None, *, zone: Zone | None = None) -> TrackedPerson:
        """Wait for the next image with somebody in it; the nearest of them.

        Args:
            timeout: longest wait, seconds; None = without end.
            zone: where somebody must be; None = anywhere.

        Raises:
            NoTracksError: nobody came, or no tracks came at all.
        """
        self._may_wait()
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        frames = 0
        with self._inbox.reader(1) as queue:
            while (frame := self._take(queue, deadline)) is not None:
                frames += 1
                person = nearest(frame.people if zone is None else zone.among(frame.people))
                if person is not None:
                    return person
        if self._inbox.closed:
            raise NoTracksError("the client was closed while it waited for a person")
        if not frames:
            raise NoTracksError(self._silence(cast(float, timeout)))
        where = "" if zone is None else " in the zone"
        raise NoTracksError(f"nobody came{where} within {timeout:g} s: {frames} images on {self.topic}")

    def follow(
        self,
        id: int | None = None,  # noqa: A002 (the messages' word)
        *,
        global_id: int | None = None,
        lost_for: float = 2.0,
        timeout: float = 10.0,
    ) -> Iterator[TrackedPerson]:
        """One person, each time it is seen; ends when it is lost.

        Always the newest image: a slow program misses those between.

        Args:
            id: of the track; ends also when the tracker gives the id to somebody else.
            global_id: the identity instead, on a topic that has it.
            lost_for: the person is lost when not seen for longer, seconds by the stamps.
            timeout: longest wait for an image, seconds.

        Raises:
            NoTracksError: no image came for `timeout` seconds.
            TypeError: not exactly one of `id` and `global_id`.
        """
        if (id is None) == (global_id is None):
            raise TypeError("say whom to follow: either id or global_id")
        self._may_wait()
        return self._follow(Following(id, global_id=global_id, lost_for=lost_for), timeout)

    def _follow(self, following: Following, timeout: float) -> Iterator[TrackedPerson]:
        with self._inbox.reader(1) as queue:
            while (frame := self._next(queue, timeout)) is not None:
                person = following.update(frame)
                if following.ended:
                    return
                if person is not None:
                    yield person

    def reset(self, timeout: float = 5.0) -> None:
        """Have the nodes that publish the topic forget everybody; ids begin again.

        Raises:
            ServiceError: nobody publishes the topic, or a node did not answer or refused.
        """
        self._may_wait()
        deadline = time.monotonic() + timeout
        names = self._publishers()
        # a client that has just begun finds others in a moment, publishers before their nodes
        while (not names or any(_UNKNOWN in name for name in names)) and time.monotonic() < deadline:
            time.sleep(0.02)
            names = self._publishers()
        if not names:
            raise ServiceError(f"nobody to reset: nobody publishes {self.topic}")
        for name in names:
            self._trigger(f"{name}/reset", deadline)

    def _publishers(self) -> list[str]:
        infos = self.node.get_publishers_info_by_topic(self.topic)
        return sorted({f"{info.node_namespace.rstrip('/')}/{info.node_name}" for info in infos})

    def _trigger(self, service: str, deadline: float) -> None:
        client = self.node.create_client(Trigger, service)
        try:
            answered = threading.Event()
            if not client.wait_for_service(max(deadline - time.monotonic(), 0.0)):
                raise ServiceError(f"{service} is not there")
            future = client.call_async(Trigger.Request())
            future.add_done_callback(lambda _: answered.set())
            if not answered.wait(max(deadline - time.monotonic(), 0.0)):
                raise ServiceError(f"{service} did not answer in time")
            response = future.result()
            if not response.success:
                raise ServiceError(f"{service} refused: {response.message}")
        finally:
            self.node.destroy_client(client)

    # -------------------------------------------------------------------------------- inside

    def _receive(self, message: TrackArray) -> None:
        self._received = time.monotonic()
        frame = frame_from_message(message, self._classes)
        order = self._order.judge(frame.stamp_ns)
        if order is Order.LATE:
            return
        self._latest = frame
        for watch in self._watches.values():
            if order is Order.RESTART:
                watch.reset()
            watch.update(frame)
        for callback in self._callbacks:
            callback(frame)
        self._inbox.put(frame)

    def _guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception as error:
                name = getattr(callback, "__qualname__", repr(callback))
                line = self._throttle(f"{name} {type(error).__name__}", f"{name}: {traceback.format_exc()}")
                if line is not None:
                    self.node.get_logger().error(line)

        return call

    def _may_wait(self) -> None:
        if self._own is None:
            raise RuntimeError(
                "a TrackClient in a node of yours only calls back, because waiting would keep that node "
                "from receiving: use on_frame and watch, or a TrackClient without node"
            )
        if self._own.runs_this_thread():
            raise RuntimeError("a callback of a TrackClient must not wait for the next tracks")

    def _next(self, queue: deque[TrackFrame], timeout: float) -> TrackFrame | None:
        """The next frame, None once closed; raises when it does not come."""
        frame = self._take(queue, time.monotonic() + timeout)
        if frame is None and not self._inbox.closed:
            raise NoTracksError(self._silence(timeout))
        return frame

    def _take(self, queue: deque[TrackFrame], deadline: float) -> TrackFrame | None:
        """The next frame, None once closed or late; says now and then what it is waiting for."""
        while True:
            patience = time.monotonic() + _PATIENCE_S
            frame = self._inbox.take(queue, min(deadline, patience))
            if frame is not None or self._inbox.closed or patience >= deadline:
                return frame
            self.node.get_logger().warning(self._silence(self.silent_for))

    def _silence(self, seconds: float) -> str:
        reason = why_silent(self.node, self._name, self._subscription, before=self._latest is not None)
        return f"no tracks for {seconds:.0f} s: {reason}"
