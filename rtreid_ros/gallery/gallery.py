"""The gallery: local tracks of several cameras in, one global id for each person out."""

from __future__ import annotations

import logging

import numpy as np

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.gallery import gates
from rtreid_ros.gallery.calibration import Calibration, Model
from rtreid_ros.gallery.clock import CommonClock
from rtreid_ros.gallery.deciding import probabilities
from rtreid_ros.gallery.evidence import certainly_different, seen, usable
from rtreid_ros.gallery.identities import Identities
from rtreid_ros.gallery.looks import CameraMeans, Looks
from rtreid_ros.gallery.options import GalleryOptions
from rtreid_ros.gallery.results import Counters, GlobalIds
from rtreid_ros.gallery.tracklets import NOBODY, Tracklets
from rtreid_ros.options import describe
from rtreid_ros.ordering import Order
from rtreid_ros.types import Bool, Float32, Float64, Int64, Tracks

logger = logging.getLogger(__name__)

_TRACK_EXEMPLARS = 12
_RESEMBLES = -1.0
"""Log odds above which a track resembles somebody known too much to be called new at once."""
_STRANGE = -4.0
"""Log odds of a look, given its own track's looks, below which it is of somebody else."""
_MERGE_DOUBT = 0.2
"""Two identities are merged at this share of the doubt that an id may have."""


class Gallery:
    """Gives people global ids. One instance serves one thread at a time.

    A track is looked at until its looks are enough to say who it is: somebody known, or somebody
    new. Until then its global id is 0. Once given, an id stays, but for three cases: its identity
    proves to be the same person as an older one (the older id is kept); one camera shows two tracks
    with one id at once (the id given later is taken back); or a track no longer looks like itself,
    because its local tracker has changed persons (it is looked at anew).

    Attributes:
        options: what was asked for.
        counters: what has happened.
    """

    def __init__(self, options: GalleryOptions | None = None) -> None:
        self.options = GalleryOptions() if options is None else options
        self.counters = Counters()
        self._identities = Identities(self.options.max_identities, self.options.max_exemplars)
        self.reset()

    def reset(self) -> None:
        """Forget everybody. Counters go on, and no global id is given twice."""
        self._cameras: dict[str, int] = {}
        self._clock = CommonClock()
        self._tracklets = Tracklets(_TRACK_EXEMPLARS)
        self._means = CameraMeans()
        self._calibration = Calibration()
        self._decisions = 0
        self._dim = 0
        self._begin(0)

    def adjust(self, options: GalleryOptions) -> None:
        """Go on with other options: those marked live.

        Raises:
            ConfigError: one of the others differs.
        """
        for item in describe(GalleryOptions):
            if not item.live and getattr(options, item.name) != getattr(self.options, item.name):
                raise ConfigError(f"{item.name} of a gallery at work cannot be changed; make a new one")
        self.options = options

    @property
    def identities(self) -> int:
        """How many people are known."""
        return len(self._identities)

    @property
    def undecided(self) -> int:
        """Local tracks alive that have no global id."""
        return len(self._tracklets) - int(np.count_nonzero(self._tracklets.slot != NOBODY))

    @property
    def model(self) -> Model:
        """How similar different people, and one person seen again, are by now."""
        return self._calibration.model(self._means)

    def update(
        self,
        camera: str,
        stamp_ns: int,
        tracks: Tracks,
        positions: Float64 | None = None,
        image_size: tuple[int, int] | None = None,
    ) -> GlobalIds:
        """Take in one frame's tracks of one camera.

        Args:
            camera: its name. Frames of several cameras may come in any order among each other.
            stamp_ns: time of the frame, nanoseconds, on one clock for all cameras. One that is not
                after the camera's last gives ids but teaches nothing; a jump back by more than a
                second means that the recording began anew: local tracks are forgotten, identities stay.
            tracks: every live track, with embeddings; without, no track gets its first id.
            positions: ``(N, 2)`` where they stand on the ground, metres in a frame common to all
                cameras; NaN where not known.
            image_size: ``(height, width)`` in pixels, to tell whom the border cuts off.

        Raises:
            InputError: positions of another shape, or an id that occurs twice.
        """
        places = np.full((len(tracks), 2), np.nan) if positions is None else np.array(positions, np.float64)
        if places.shape != (len(tracks), 2):
            raise InputError(f"positions must have shape ({len(tracks)}, 2), got {places.shape}")
        places[~np.isfinite(places)] = np.nan
        if len(np.unique(tracks.ids)) < len(tracks):
            raise InputError(f"{camera}: a track's id occurs twice in one frame")
        self._fit_length(tracks)
        index = self._camera(camera)
        now, order = self._clock.advance(camera, stamp_ns)
        table = self._tracklets
        if order is Order.RESTART:
            table.close(table.of_camera(index))
        if order is Order.LATE:
            self.counters.late += 1
            return self._answer(self._known_rows(index, tracks))
        self._expire(now)
        rows = table.find(index, now, tracks)
        visible = seen(tracks)
        self._relate(rows, certainly_different(tracks))
        merged: list[tuple[int, int]] = []
        if self._dim:
            gates.note_meetings(table, rows[visible], places[visible], self._identities, index, now)
            fresh = np.flatnonzero(
                usable(tracks, self.options, image_size)
                & (now - table.sampled[rows] >= int(self.options.sample_interval * 1e9))
            )
            self._look(rows[fresh], tracks, fresh, now)
            self._decide(index, rows[fresh], rows, places, now)
            merged = self._merge(rows[fresh], rows, places, now)
        bound = visible & (table.slot[rows] != NOBODY)
        self._identities.note(table.slot[rows[bound]], index, now, places[bound])
        return self._answer(rows, tuple(merged))

    # ------------------------------------------------------------------------------ steps

    def _begin(self, dim: int) -> None:
        self._dim = dim
        self._identities.reset(dim)
        self._tracklets.reset(dim)
        self._means.reset(dim)
        self._means.widen(len(self._cameras))
        self._calibration.reset(dim)

    def _fit_length(self, tracks: Tracks) -> None:
        if tracks.embeddings is None or not len(tracks):
            return
        dim = tracks.embeddings.shape[1]
        if dim == self._dim:
            return
        if self._dim:
            logger.warning("embeddings now have length %d, before %d: everybody is forgotten", dim, self._dim)
            self.counters.resets += 1
        self._begin(dim)

    def _camera(self, name: str) -> int:
        index = self._cameras.setdefault(name, len(self._cameras))
        self._identities.widen(len(self._cameras))
        self._means.widen(len(self._cameras))
        return index

    def _known_rows(self, camera: int, tracks: Tracks) -> Int64:
        table = self._tracklets
        row_of = {int(table.ids[row]): int(row) for row in table.of_camera(camera)}
        return np.array([row_of.get(id_, NOBODY) for id_ in tracks.ids.tolist()], np.int64)

    def _answer(self, rows: Int64, merged: tuple[tuple[int, int], ...] = ()) -> GlobalIds:
        ids, confidence = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.float32)
        table = self._tracklets
        given = np.flatnonzero(rows != NOBODY)
        given = given[table.slot[rows[given]] != NOBODY]
        ids[given] = self._identities.ids[table.slot[rows[given]]]
        confidence[given] = table.confidence[rows[given]]
        return GlobalIds(ids, confidence, merged)

    def _expire(self, now: int) -> None:
        people = self._identities
        old = (people.ids != 0) & (people.last_seen() < now - int(self.options.forget_after * 1e9))
        old[self._tracklets.bound()] = False
        for slot in np.flatnonzero(old).tolist():
            self._forget(slot)
            self.counters.expired += 1

    def _forget(self, slot: int) -> None:
        self._tracklets.forget_identity(slot)
        self._identities.close(slot)

    def _relate(self, rows: Int64, different: Bool) -> None:
        """Note which tracks of a frame are different people; of two with one id the later loses it."""
        table, people = self._tracklets, self._identities
        table.together[np.ix_(rows, rows)] |= different
        by_decision = np.argsort(-table.decision[rows], kind="stable")
        for index in by_decision.tolist():
            row, slot = int(rows[index]), int(table.slot[rows[index]])
            others = table.slot[rows[different[index]]]
            if slot != NOBODY and (others == slot).any():
                table.slot[row] = NOBODY
                self.counters.revoked += 1
        for index, row in enumerate(rows.tolist()):
            others = table.slot[rows[different[index]]]
            others = others[others != NOBODY]
            table.barred[row, others] = True
            slot = int(table.slot[row])
            if slot != NOBODY:
                people.apart[slot, others] = people.apart[others, slot] = True

    def _look(self, rows: Int64, tracks: Tracks, fresh: Int64, now: int) -> None:
        """Take looks at tracks; who does not look like himself any more is looked at anew."""
        table, options = self._tracklets, self.options
        if not len(rows) or tracks.embeddings is None:
            return
        vectors = tracks.embeddings[fresh]
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        fits = self._fits(rows, vectors)
        for row, vector, fit in zip(rows.tolist(), vectors, fits.tolist(), strict=True):
            if fit < _STRANGE and table.samples[row] >= options.min_samples:
                table.strange[row] += 1
                table.sampled[row] = now
                if table.strange[row] < options.min_samples:
                    continue
                if table.slot[row] != NOBODY:
                    table.slot[row] = NOBODY
                    self.counters.revoked += 1
                table.forget_looks(row)
            table.strange[row] = 0
            table.add_look(row, vector, now, options.min_samples)
            self._learn(row)
            if table.slot[row] != NOBODY:
                self._identities.add_look(int(table.slot[row]), vector, int(table.camera[row]))

    def _learn(self, row: int) -> None:
        """Note what is certain about a track, once it has been looked at often enough."""
        table, first = self._tracklets, self.options.min_samples
        if table.samples[row] == first:
            others = np.flatnonzero(table.together[row] & (table.samples >= first))
            both = table.mean_looks(np.append(others, row), len(self._cameras))
            self._calibration.different.add(both[-1:], both[:-1])
        if table.samples[row] == 2 * first:
            self._calibration.alike.add(*table.half_looks(row, len(self._cameras)))

    def _fits(self, rows: Int64, vectors: Float32) -> Float64:
        """Log odds that each vector shows whom its track has shown so far."""
        count = len(self._cameras)
        own = self._tracklets.mean_looks(rows, count)
        mine = self._means.clean(own)
        new = self._means.clean(Looks(vectors, own.shares))
        return self.model.log_odds(np.einsum("nd,nd->n", mine, new))

    def _decide(self, camera: int, fresh: Int64, rows: Int64, places: Float64, now: int) -> None:
        """Give ids to tracks that have been looked at often enough."""
        table, options = self._tracklets, self.options
        waiting = rows[(table.slot[rows] == NOBODY) & (table.samples[rows] > 0)]
        ready = np.isin(waiting, fresh) & (table.samples[waiting] >= options.min_samples)
        if not ready.any():
            return
        where = places[np.isin(rows, waiting)]
        slots = self._identities.known()
        looks = table.mean_looks(waiting, len(self._cameras))
        people = self._identities.mean_looks(slots)
        odds = self.model.log_odds(self._means.clean(looks) @ self._means.clean(people).T)
        possible, near = gates.admissible(table, waiting, where, self._identities, slots, now, options)
        odds += near
        own, new = probabilities(odds, possible, table.together[np.ix_(waiting, waiting)], options.new_share)
        best = np.where(possible, odds, -np.inf).max(axis=1, initial=-np.inf)
        taken: set[int] = set()
        order = np.argsort(-own.max(axis=1, initial=0), kind="stable")
        for index in order[ready[order]].tolist():
            row = int(waiting[index])
            at = int(own[index].argmax()) if len(slots) else -1
            if at >= 0 and own[index, at] >= options.confidence:
                slot = int(slots[at])
                if slot in taken:
                    continue
                taken.add(slot)
                self._calibration.linked.add(looks[index : index + 1], people[at : at + 1], own[index, at])
                self._bind(row, slot, float(own[index, at]))
                self.counters.linked += 1
            elif new[index] >= options.new_confidence and (
                best[index] <= _RESEMBLES or table.samples[row] >= options.patience
            ):
                self._create(row, float(new[index]), camera, now)
            else:
                continue
            barred = np.flatnonzero(~possible[index] & table.barred[row, slots])
            if len(barred):
                first = looks[index : index + 1]
                self._calibration.different.add(first, people[barred])

    def _create(self, row: int, confidence: float, camera: int, now: int) -> None:
        people, table = self._identities, self._tracklets
        slot = people.open()
        if slot is None:
            idle = np.setdiff1d(people.known(), table.bound())
            if not len(idle):
                self.counters.full += 1
                return
            self._forget(int(idle[people.last_seen()[idle].argmin()]))
            self.counters.evicted += 1
            slot = people.open()
            assert slot is not None
        table.widen(len(people.ids))
        people.seen[slot, camera] = now
        self._bind(row, slot, confidence)
        self.counters.created += 1

    def _bind(self, row: int, slot: int, confidence: float) -> None:
        """Give a track an identity."""
        table, people = self._tracklets, self._identities
        self._decisions += 1
        table.slot[row], table.decision[row], table.confidence[row] = slot, self._decisions, confidence
        others = np.flatnonzero(table.together[row])
        table.barred[others, slot] = True
        given = table.slot[others]
        given = given[given != NOBODY]
        people.apart[slot, given] = people.apart[given, slot] = True
        vectors, cameras = table.looks.of(row)
        for vector, camera in zip(vectors, cameras.tolist(), strict=True):
            people.add_look(slot, vector, camera)
        mean = vectors.mean(axis=0)
        self._means.add(int(table.camera[row]), mean)

    def _merge(self, fresh: Int64, rows: Int64, places: Float64, now: int) -> list[tuple[int, int]]:
        """Ask again, now and then, whether whom a track shows is somebody else known."""
        table, people, options = self._tracklets, self._identities, self.options
        again = fresh[(table.slot[fresh] != NOBODY) & (table.samples[fresh] % options.min_samples == 0)]
        merged: list[tuple[int, int]] = []
        for row in again.tolist():
            slot = int(table.slot[row])
            slots = np.setdiff1d(people.known(), [slot])
            if not len(slots):
                continue
            looks = people.mean_looks(np.array([slot]))
            others = people.mean_looks(slots)
            odds = self.model.log_odds(self._means.clean(looks) @ self._means.clean(others).T)
            where = places[rows == row]
            possible, near = gates.admissible(table, np.array([row]), where, people, slots, now, options)
            possible &= ~people.apart[slot, slots]
            own, _ = probabilities(odds + near, possible, np.zeros((1, 1), bool), options.new_share)
            at = int(own[0].argmax())
            if own[0, at] < 1 - _MERGE_DOUBT * (1 - options.confidence):
                continue
            other = int(slots[at])
            ids = people.ids
            gone, kept = (slot, other) if ids[slot] > ids[other] else (other, slot)
            merged.append((int(ids[gone]), int(ids[kept])))
            table.forget_identity(gone, kept)
            people.merge(gone, kept)
            self.counters.merged += 1
        return merged
