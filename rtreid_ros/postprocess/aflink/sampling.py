"""Pairs of tracklets as trackers leave them, cut from ground truth.

A pair is the end of one tracklet and the beginning of another after a gap: of one person (label 1),
or of two (label 0), of whom the second is preferably one who stands where the first might be. What
a detector and a tracker do to boxes is done to both: jitter, rows lost, boxes that shrink and
drift as somebody disappears behind something, short tracklets, other frame rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtreid_ros.errors import ConfigError
from rtreid_ros.postprocess.aflink.features import HEIGHT, ROWS, SECONDS, X, Y, head, pair_features, tail

if TYPE_CHECKING:
    from rtreid_ros.postprocess.aflink.truth import Scene, Trajectory
    from rtreid_ros.types import Float32, Float64, Int64

LONGEST_GAP = 1.1
"""Seconds: a little more than the gate, 30 frames at 30 per second."""

POSITIVES = 0.5
_MADE_UP = 0.3
_NEAREST = 6
_SLOWEST = 7.0
"""Frames per second below which no sequence is thinned out."""
_TURNED = 0.3
"""Heights a person must move for the same way walked backwards to be told from it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Crowd:
    """Who is where when: all rows of a scene in order of time, whose each is, and numbers by id."""

    rows: Float64
    person: Int64
    number: dict[int, int]

    @classmethod
    def of(cls, scene: Scene) -> _Crowd:
        rows = np.concatenate([person.rows for person in scene.people])
        person = np.repeat(np.arange(len(scene.people)), [len(person.rows) for person in scene.people])
        order = np.argsort(rows[:, SECONDS], kind="stable")
        number = {person.id: index for index, person in enumerate(scene.people)}
        return cls(rows[order], person[order], number)


class PairSampler:
    """Draws pairs; the same generator state gives the same pairs.

    Args:
        scenes: sequences with people to draw from.
        rng: where all chance comes from.

    Raises:
        ConfigError: nobody is seen for long enough to be cut in two.
    """

    def __init__(self, scenes: Sequence[Scene], rng: np.random.Generator) -> None:
        self._rng = rng
        self._crowds = {scene.name: _Crowd.of(scene) for scene in scenes}
        self._people = [(scene, person) for scene in scenes for person in scene.people]
        lengths = np.array([len(person.rows) for _, person in self._people], np.float64)
        if not len(lengths):
            raise ConfigError("no people to draw tracklets from")
        # people seen for long have more places to be cut at, but are not to be all there is
        self._weights = np.sqrt(lengths) / np.sqrt(lengths).sum()

    def draw(self, count: int) -> tuple[Float32, Float32]:
        """`count` pairs: input of the model ``(count, 2, ROWS, channels)``, labels ``(count,)``."""
        tails = np.empty((count, ROWS, 4))
        heads = np.empty((count, ROWS, 4))
        labels = np.empty(count, np.float32)
        done = 0
        while done < count:
            positive = self._rng.random() < POSITIVES
            pair = self._pair(positive)
            if pair is not None:
                tails[done], heads[done] = tail(pair[0]), head(pair[1])
                labels[done] = positive
                done += 1
        return pair_features(tails, heads), labels

    def _pair(self, positive: bool) -> tuple[Float64, Float64] | None:
        """Rows of the earlier and the later tracklet, or None where this cut gives none."""
        rng = self._rng
        scene, person = self._people[rng.choice(len(self._people), p=self._weights)]
        step = (
            int(rng.integers(1, max(int(scene.frame_rate // _SLOWEST), 1) + 1)) if rng.random() < 0.4 else 1
        )
        period = step / scene.frame_rate
        # tracks break off where people go behind each other
        hidden = len(person.hidden) > 0 and rng.random() < 0.5
        last = int(rng.choice(person.hidden)) if hidden else int(rng.integers(len(person.rows)))
        end = person.rows[last]
        gap = period * int(rng.integers(1, max(int(LONGEST_GAP / period), 1) + 1))
        earlier = person.rows[last::-step][: self._length()][::-1]
        begin = end[SECONDS] + gap - 1e-6
        continued = _from(person, begin, step)
        later = continued if positive else self._other(scene, person, end, begin, step, continued)
        if later is None or later[0, SECONDS] > begin + max(period, 0.1):
            return None
        earlier, later = self._transform(earlier, later[: self._length()])
        return self._spoil(earlier, at_end=True), self._spoil(later, at_end=False)

    def _length(self) -> int:
        """Boxes of a tracklet: often all the model sees, sometimes few."""
        return ROWS if self._rng.random() < 0.6 else int(self._rng.integers(1, ROWS))

    def _other(
        self,
        scene: Scene,
        person: Trajectory,
        end: Float64,
        begin: float,
        step: int,
        continued: Float64 | None,
    ) -> Float64 | None:
        """The beginning of somebody else: one who is near, or one made up from the person's own way."""
        rng = self._rng
        if continued is not None and rng.random() < _MADE_UP:
            return self._made_up(continued, end)
        crowd = self._crowds[scene.name]
        now = slice(*np.searchsorted(crowd.rows[:, SECONDS], (begin, begin + 2e-6)))
        others = np.flatnonzero(crowd.person[now] != crowd.number[person.id]) + now.start
        if not len(others):
            return None if continued is None else self._made_up(continued, end)
        way = crowd.rows[others][:, (X, Y)] - end[[X, Y]]
        nearest = np.argsort(np.hypot(way[:, 0], way[:, 1]), kind="stable")[:_NEAREST]
        weights = 0.6 ** np.arange(len(nearest))
        chosen = others[int(rng.choice(nearest, p=weights / weights.sum()))]
        return _from(scene.people[crowd.person[chosen]], begin, step)

    def _made_up(self, continued: Float64, end: Float64) -> Float64:
        """Somebody who goes on as the person does, but beside him, or the other way."""
        rng = self._rng
        rows = continued[:ROWS].copy()
        height = end[HEIGHT]
        way = rows[-1, (X, Y)] - rows[0, (X, Y)]
        if np.hypot(*way) > _TURNED * height and rng.random() < 0.5:
            rows[:, X] = 2 * rows[0, X] - rows[:, X]
            rows[:, Y] = 2 * rows[0, Y] - rows[:, Y]
            return rows
        angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 1.5) * height
        rows[:, X] += away * np.cos(angle)
        rows[:, Y] += 0.5 * away * np.sin(angle)
        rows[:, HEIGHT] *= np.exp(rng.normal(0, 0.08))
        return rows

    def _transform(self, earlier: Float64, later: Float64) -> tuple[Float64, Float64]:
        """The same for both: mirrored, faster or slower, and, since who follows whom is mutual, backwards."""
        rng = self._rng
        earlier, later = earlier.copy(), later.copy()
        if rng.random() < 0.5:
            earlier[:, X], later[:, X] = -earlier[:, X], -later[:, X]
        speed = np.exp(rng.uniform(-0.2, 0.2))
        origin = earlier[-1].copy()
        for rows in (earlier, later):
            rows[:, (X, Y)] = origin[[X, Y]] + speed * (rows[:, (X, Y)] - origin[[X, Y]])
        if rng.random() < 0.5:
            earlier, later = later[::-1], earlier[::-1]
            for rows in (earlier, later):
                rows[:, SECONDS] = -rows[:, SECONDS]
        return earlier, later

    def _spoil(self, rows: Float64, *, at_end: bool) -> Float64:
        """What detector and tracker make of exact boxes; the last or first is where it breaks off."""
        rng = self._rng
        count = len(rows)
        height = np.median(rows[:, HEIGHT])
        jitter = np.exp(rng.uniform(np.log(0.002), np.log(0.03)))
        rows[:, (X, Y)] += rng.normal(0, jitter * height, (count, 2))
        rows[:, HEIGHT] *= np.exp(rng.normal(0, jitter, count))
        if rng.random() < 0.5:  # hidden more and more towards the break: the box drifts and shrinks
            length = int(rng.integers(1, 12))
            towards = np.arange(count)[::-1] if at_end else np.arange(count)
            share = np.clip(1 - towards / length, 0, 1)
            rows[:, X] += share * rng.normal(0, 0.08) * height
            lost = share * rng.uniform(0, 0.35)
            rows[:, HEIGHT] *= 1 - lost
            if rng.random() < 0.7:  # mostly the feet
                rows[:, Y] -= lost * height / 2
        if rng.random() < 0.4 and count > 2:
            kept = rng.random(count) >= rng.uniform(0, 0.4)
            kept[-1 if at_end else 0] = True
            rows = rows[kept]
        return rows


def _from(person: Trajectory, begin: float, step: int) -> Float64 | None:
    """The person's rows from a time on, every `step`-th."""
    first = int(np.searchsorted(person.rows[:, SECONDS], begin))
    return person.rows[first::step] if first < len(person.rows) else None
