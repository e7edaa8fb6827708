"""Who cannot be where: times of travel and places on the ground."""

from __future__ import annotations

import numpy as np

from rtreid_ros.gallery.identities import NEVER, Identities
from rtreid_ros.gallery.options import GalleryOptions
from rtreid_ros.gallery.tracklets import Tracklets
from rtreid_ros.types import Bool, Float64, Int64

SAME_TIME_NS = 150_000_000
"""Sightings by two cameras within this are taken for simultaneous."""
_MEETINGS = 3
"""Fewer common moments say nothing about being in one place."""
_GROUND_M2 = 60.0
"""Ground on which somebody else would be found with equal chance, square metres."""


def note_meetings(
    tracklets: Tracklets, rows: Int64, places: Float64, identities: Identities, camera: int, now: int
) -> None:
    """Sum up how far tracks ``rows`` at ``(n, 2)`` places are from whom other cameras see now."""
    known = np.isfinite(places).all(axis=1)
    others = np.flatnonzero(
        (identities.ids != 0)
        & (np.abs(identities.placed - now) <= SAME_TIME_NS)
        & (identities.placed_by != camera)
    )
    if not (known.any() and len(others)):
        return
    apart = places[known][:, None] - identities.places[others][None]
    at = np.ix_(rows[known], others)
    tracklets.metres2[at] += (apart**2).sum(axis=2)
    tracklets.meetings[at] += 1


def admissible(
    tracklets: Tracklets,
    rows: Int64,
    places: Float64,
    identities: Identities,
    slots: Int64,
    now: int,
    options: GalleryOptions,
) -> tuple[Bool, Float64]:
    """Whether tracks can be identities, ``(T, K)``, and what places say for it, ``(T, K)`` log odds.

    Two positions of one person at one time differ by a normal distribution of twice the variance of
    `position_noise`; those of two people are spread evenly.
    """
    possible: Bool = ~tracklets.barred[np.ix_(rows, slots)]
    if not options.overlapping:
        elsewhere = np.repeat(identities.seen[slots][None], len(rows), axis=0)
        elsewhere[np.arange(len(rows)), :, tracklets.camera[rows]] = NEVER
        limit = tracklets.begun[rows] - int(options.min_travel * 1e9)
        possible &= elsewhere.max(axis=2, initial=NEVER) < limit[:, None]
    possible &= _within_reach(places, identities, slots, now, options)
    at = np.ix_(rows, slots)
    meetings = tracklets.meetings[at]
    variance = 2 * options.position_noise**2
    mean = np.divide(tracklets.metres2[at], meetings, out=np.zeros(meetings.shape), where=meetings > 0)
    odds = np.log(_GROUND_M2 / (2 * np.pi * variance)) - mean / (2 * variance)
    return possible, np.where(meetings >= _MEETINGS, odds, 0.0)


def _within_reach(
    places: Float64, identities: Identities, slots: Int64, now: int, options: GalleryOptions
) -> Bool:
    """``(T, K)``: nobody would have had to run from where the identity was seen last."""
    apart = places[:, None] - identities.places[slots][None]
    metres = np.sqrt((apart**2).sum(axis=2))
    seconds = np.maximum(now - identities.placed[slots], 0) * 1e-9
    reach = options.max_speed * seconds + 4 * np.sqrt(2) * options.position_noise
    fine: Bool = ~(metres > reach[None])  # not known: fine
    return fine
