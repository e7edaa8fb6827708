"""A node's deadline for the images of one camera."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rtreid_ros.deadline import Deadline

if TYPE_CHECKING:
    from rtreid_ros.nodes.base import BaseNode
    from rtreid_ros.nodes.flow.trace import Marks
    from rtreid_ros.stages import Span

_LONGEST_MS = 60_000.0
"""An image older than this, or from the future, was stamped by another clock."""


class FrameDeadline:
    """Tells the policy how old each image is and what was spent on it; see `Deadline`.

    An image's age counts from its stamp; where that is of another clock, from when it came in. When
    lossless there is no deadline.

    Args:
        node: whose clock tells ages.
        milliseconds: greatest age of what it publishes; 0 = none.
    """

    def __init__(self, node: BaseNode, milliseconds: float) -> None:
        self._node = node
        self._policy = Deadline()
        self.change(milliseconds)

    def change(self, milliseconds: float) -> None:
        """Go on with another deadline."""
        self._policy.milliseconds = 0.0 if self._node.lossless else milliseconds

    def admit(self, stamp_ns: int, marks: Marks) -> bool:
        """Whether to begin with an image, whose wait is marked; if not, that is counted."""
        return self._policy.admit(self._age(stamp_ns, marks))

    def allowed(self, stamp_ns: int, marks: Marks, sharing: int = 1) -> int | None:
        """How many of its detections may be embedded, now that they are known; None: any number."""
        self._policy.detected(_since(marks[0].end))
        return self._policy.allowed(self._age(stamp_ns, marks), sharing)

    def detected(self, stamp_ns: int, marks: Marks) -> None:
        """Its detections were published, by a node that embeds nothing."""
        self._policy.detected(_since(marks[0].end))
        self._policy.done(self._age(stamp_ns, marks), fewer=False)

    def embedded(self, span: Span, count: int) -> None:
        """So many detections were embedded together."""
        self._policy.embedded(span.milliseconds, count)

    def done(self, stamp_ns: int, marks: Marks, *, fewer: bool) -> None:
        """The result was published; `fewer`: of less detections than should have been embedded."""
        ends = [span.end for span in marks if span.stage == "embed"] or [marks[-1].end]
        self._policy.tracked(_since(ends[-1]))
        self._policy.done(self._age(stamp_ns, marks), fewer=fewer)

    def diagnostics(self) -> dict[str, str]:
        """What ``/diagnostics`` shows of it."""
        return self._policy.diagnostics()

    def _age(self, stamp_ns: int, marks: Marks) -> float:
        age = self._node.age_ms(stamp_ns)
        return age if age is not None and 0 <= age <= _LONGEST_MS else _since(marks.received)


def _since(moment: int) -> float:
    return (time.monotonic_ns() - moment) / 1e6
