"""Writing what nodes did with images to a file for Perfetto; no ROS needed."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path

from rtreid_ros.errors import SinkError
from rtreid_ros.sinks.base import Output
from rtreid_ros.sinks.trace_events import NodeTrace, TraceEvents

MOST_FRAMES = 20_000
"""Eleven minutes at 30 Hz, some 40 MB (composed) or 66 MB (distributed): as much as a browser shows."""
_HELD = 64
"""Images that wait for the traces of more nodes, whose topics overtake each other."""
_REMEMBERED = 1024
"""Images written whose numbers are kept for traces that come later still."""

_Key = tuple[str, int]
"""Camera and stamp of an image."""


class TraceOutput(Output):
    """``trace.json``: a JSON array of events, one on each line.

    The file is written image by image. What a crash leaves (`partial`) lacks only the last bracket,
    which Perfetto and Chrome do not miss.

    Args:
        path: the file.
        most_frames: images written; later ones are counted in `skipped`.

    Attributes:
        frames: images in the file.
        skipped: traces of images that came when the file was full.

    Raises:
        SinkError: the place cannot be written to.
    """

    def __init__(self, path: str | Path, most_frames: int = MOST_FRAMES) -> None:
        super().__init__(path)
        try:
            self._stream = self.partial.open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise SinkError(f"{self.path}: cannot be written ({error})") from None
        self.frames = 0
        self.skipped = 0
        self._most = most_frames
        self._events = TraceEvents()
        self._held: OrderedDict[_Key, tuple[int, list[NodeTrace]]] = OrderedDict()
        self._written: OrderedDict[_Key, int] = OrderedDict()
        self._separator = "[\n"

    @property
    def omitted(self) -> int:
        """Spans left out because too many of the same stage overlap."""
        return self._events.omitted

    def write(self, trace: NodeTrace) -> None:
        """Take in what one node did with one image."""
        key = trace.frame_id, trace.stamp_ns
        if key in self._held:
            self._held[key][1].append(trace)
        elif key in self._written:  # late: the arrows of its image are drawn
            self._append(self._written[key], [trace], joined=False)
        elif self.frames >= self._most:
            self.skipped += 1
        else:
            self.frames += 1
            self._held[key] = self.frames, [trace]
            if len(self._held) > _HELD:
                self._release()

    def close(self) -> None:
        """Write what is still held back and close the partial file."""
        while self._held:
            self._release()
        self._stream.write("[]\n" if self._separator == "[\n" else "\n]\n")
        self._stream.close()

    def _release(self) -> None:
        key, (number, traces) = self._held.popitem(last=False)
        self._append(number, traces, joined=True)
        self._written[key] = number
        if len(self._written) > _REMEMBERED:
            self._written.popitem(last=False)

    def _append(self, number: int, traces: list[NodeTrace], *, joined: bool) -> None:
        for event in self._events.of_image(number, traces, joined=joined):
            self._stream.write(self._separator + json.dumps(event, separators=(",", ":")))
            self._separator = ",\n"
        self._stream.flush()  # so that a crash costs little
