"""Chrome Trace Events of what nodes did with images; Perfetto (ui.perfetto.dev) shows them.

Format: "Trace Event Format" of the Chromium project: complete events (``X``), flow events (``s``,
``t``, ``f``) and metadata (``M``). A node is a process, each of its stages a thread (several, where a
stage works on one image while another still waits in it), and arrows follow one image through all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rtreid_ros.stages import Span

Event = dict[str, Any]

_MARGIN_NS = 1_000_000_000
"""Times begin this long before the first event, so that one of another node is not negative."""
_MOST_LANES = 16
"""Spans of one stage that may overlap, more than a window without loss has images."""
_MOST_THREADS = 1000
"""More than lanes and stages together give."""


@dataclass(frozen=True, slots=True)
class NodeTrace:
    """What one node did with one image.

    Attributes:
        node: fully qualified name.
        process: id of its process.
        machine: name of its machine.
        stamp_ns: of the image's header.
        frame_id: of the image's header.
        received: when it came in, nanoseconds of the machine's monotonic clock.
        spans: what was done then, by the same clock.
        age: of the image when its result was published, nanoseconds, by the node's clock.
    """

    node: str
    process: int
    machine: str
    stamp_ns: int
    frame_id: str
    received: int
    spans: Sequence[Span]
    age: int

    @property
    def end(self) -> int:
        """When the last span ended."""
        return max((span.end for span in self.spans), default=self.received)


class _Process:
    """One node: its number and its threads."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.lanes: dict[str, list[tuple[int, int]]] = {}
        """By stage: thread and when it is free again."""
        self.threads = 0


class TraceEvents:
    """Makes events, image by image; remembers only processes and threads.

    Monotonic clocks of two machines have nothing in common: those of another machine than the first
    are moved so that the wall clocks agree (``stamp + age``) at the first trace from each. So far as
    their wall clocks are synchronised, arrows between machines are true.

    Attributes:
        omitted: spans left out because too many of the same stage overlap.
    """

    def __init__(self) -> None:
        self.omitted = 0
        self._processes: dict[tuple[str, int, str], _Process] = {}
        self._wall: dict[str, int] = {}
        """By machine: wall clock minus monotonic clock, nanoseconds."""
        self._origin: int | None = None

    def of_image(self, number: int, traces: Iterable[NodeTrace], *, joined: bool = True) -> list[Event]:
        """All events of one image.

        Args:
            number: of the image, by which arrows are told apart.
            traces: what nodes did with it.
            joined: whether to draw the arrows; once per image.
        """
        events: list[Event] = []
        slices: list[Event] = []
        spans = sorted(
            ((span, trace) for trace in traces for span in trace.spans),
            key=lambda pair: (pair[0].begin + self._shift(pair[1]), pair[0].end),
        )
        for span, trace in spans:
            made = self._slice(span, trace, number, events)
            if made is not None:
                slices.append(made)
        events += slices
        if joined and len(slices) > 1:
            events += [_arrow(item, number, "t") for item in slices]
            events[-len(slices)]["ph"], events[-1]["ph"] = "s", "f"
        return events

    def _slice(self, span: Span, trace: NodeTrace, number: int, metadata: list[Event]) -> Event | None:
        begin = span.begin + self._shift(trace)
        end = max(span.end + self._shift(trace), begin + 1)  # arrows bind to nothing that has no length
        if self._origin is None:
            self._origin = begin - _MARGIN_NS
        process = self._process(trace, metadata)
        thread = self._thread(process, span.stage, begin, end, metadata)
        if thread is None:
            self.omitted += 1
            return None
        arguments: dict[str, Any] = {
            "frame": number,
            "stamp": f"{trace.stamp_ns // 10**9}.{trace.stamp_ns % 10**9:09d}",
            "frame_id": trace.frame_id,
        }
        if span.end == trace.end:
            arguments["age_ms"] = trace.age / 1e6
        return {
            "name": span.stage,
            "cat": "stage",
            "ph": "X",
            "pid": process.number,
            "tid": thread,
            "ts": (begin - self._origin) / 1e3,
            "dur": (end - begin) / 1e3,
            "args": arguments,
        }

    def _shift(self, trace: NodeTrace) -> int:
        wall = self._wall.setdefault(trace.machine, trace.stamp_ns + trace.age - trace.end)
        return wall - next(iter(self._wall.values()))

    def _process(self, trace: NodeTrace, metadata: list[Event]) -> _Process:
        key = trace.machine, trace.process, trace.node
        process = self._processes.get(key)
        if process is None:
            # ids of processes repeat on other machines, and one process may hold several nodes
            process = self._processes[key] = _Process(len(self._processes) + 1)
            name = f"{trace.node} @ {trace.machine} ({trace.process})"
            metadata.append(_metadata("process_name", process.number, 0, {"name": name}))
        return process

    def _thread(
        self, process: _Process, stage: str, begin: int, end: int, metadata: list[Event]
    ) -> int | None:
        lanes = process.lanes.setdefault(stage, [])
        for place, (thread, free) in enumerate(lanes):
            if free <= begin:
                lanes[place] = thread, end
                return thread
        if len(lanes) == _MOST_LANES:
            return None
        process.threads += 1
        thread = process.number * _MOST_THREADS + process.threads  # unlike any other, as on Linux
        lanes.append((thread, end))
        name = stage if len(lanes) == 1 else f"{stage} {len(lanes)}"
        metadata.append(_metadata("thread_name", process.number, thread, {"name": name}))
        order = {"sort_index": process.threads}
        metadata.append(_metadata("thread_sort_index", process.number, thread, order))
        return thread


def _metadata(name: str, process: int, thread: int, arguments: dict[str, Any]) -> Event:
    return {"name": name, "ph": "M", "pid": process, "tid": thread, "args": arguments}


def _arrow(item: Event, number: int, phase: str) -> Event:
    """A point of the arrow through an image's slices, bound to the slice `item` that encloses it."""
    place = {key: item[key] for key in ("pid", "tid", "ts")}
    return {"name": "image", "cat": "image", "ph": phase, "id": number, **place, "bp": "e"}
