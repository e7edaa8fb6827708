"""Ground truth that travels in a bag."""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.errors import MessageError
from rtreid_ros.evaluation.mot_text import MOT_CLASSES
from rtreid_ros.types import GroundTruth, TrackState

if TYPE_CHECKING:
    from rtreid_ros.bags.reader import BagReader

logger = logging.getLogger(__name__)


class BagTruth:
    """All messages of a ``ground_truth`` topic, by the stamps of their headers.

    In a bag that loops a stamp comes once per round; `take` gives them out in that order.

    Attributes:
        class_names: names behind the class ids: MOTChallenge's where they fit.
        classes: ids of the classes that occur.
    """

    def __init__(self, reader: BagReader, topic: str) -> None:
        self._waiting: dict[int, list[GroundTruth]] = defaultdict(list)
        names: dict[int, str] = {}
        for message in reader.messages([topic]):
            try:
                content = reader.decode(message)
                truth = truth_of(content)
            except MessageError as error:
                logger.warning("%s: %s; skipped", reader.path, error)
                continue
            self._waiting[stamp_of(content)].append(truth)
            names.update({row.class_id: row.class_name for row in content.tracks})
        self._taken: dict[int, int] = defaultdict(int)
        self.classes = tuple(sorted(names))
        self.class_names = _class_names(names)

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    @property
    def untaken(self) -> int:
        """Stamps that nobody has asked for in any round."""
        return len(self._waiting) - len(self._taken)

    def rewind(self) -> None:
        """Begin again with the first round."""
        self._taken.clear()

    def take(self, stamp_ns: int) -> GroundTruth | None:
        """Who was where at that stamp, in this round; None where nobody said."""
        rounds = self._waiting.get(stamp_ns)
        if not rounds:
            return None
        place = min(self._taken[stamp_ns], len(rounds) - 1)
        self._taken[stamp_ns] += 1
        return rounds[place]


def truth_of(message: Any) -> GroundTruth:
    """The rows of a decoded TrackArray as ground truth: visibility is in its scores."""
    rows = message.tracks
    ltwh = np.array([(row.x, row.y, row.width, row.height) for row in rows], np.float64).reshape(-1, 4)
    ltwh[:, 2:] += ltwh[:, :2]
    return GroundTruth(
        ids=np.array([row.id for row in rows], np.int64),
        boxes=ltwh.astype(np.float32),
        class_ids=np.array([row.class_id for row in rows], np.int32),
        visibility=np.array([row.score for row in rows], np.float32),
        considered=np.array([row.state == TrackState.CONFIRMED for row in rows], bool),
    )


def stamp_of(message: Any) -> int:
    """Header stamp of a decoded message, nanoseconds."""
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def _class_names(names: dict[int, str]) -> tuple[str, ...]:
    if all(0 <= number < len(MOT_CLASSES) and MOT_CLASSES[number] == name for number, name in names.items()):
        return MOT_CLASSES
    last = max((number for number in names if number >= 0), default=-1)
    return tuple(names.get(number, "") for number in range(last + 1))
