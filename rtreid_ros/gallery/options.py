"""What can be set on the gallery."""

from __future__ import annotations

from dataclasses import dataclass

from rtreid_ros.options import option


@dataclass(frozen=True, slots=True)
class GalleryOptions:
    """Options of the gallery. There is no similarity threshold: it is learnt (see `calibration`)."""

    confidence: float = option(
        0.95,
        "a track gets the id of somebody known once that is so probable; until then it has none",
        ge=0.5,
        le=0.9999,
        live=True,
    )
    new_confidence: float = option(
        0.8,
        "it gets a new id once it is so probable that it shows nobody known; who proves to be known after "
        "all is merged later",
        ge=0.5,
        le=0.9999,
        live=True,
    )
    new_share: float = option(
        0.3, "share of tracks expected to show somebody never seen before", ge=0.01, le=0.99, live=True
    )
    min_samples: int = option(5, "good looks at a track before anything is decided about it", ge=1, le=100)
    patience: int = option(
        10,
        "good looks after which who resembles somebody known, but not surely, may become a new identity",
        ge=1,
        le=10000,
        live=True,
    )
    sample_interval: float = option(
        0.2, "least time between two looks at a track, seconds", ge=0, le=60, live=True
    )
    min_score: float = option(0.5, "looks of a lower detection score are not evidence", ge=0, le=1, live=True)
    min_height: float = option(40.0, "nor are those of lower boxes, pixels", ge=0, live=True)
    max_overlap: float = option(
        0.3, "nor those of boxes of which another track covers more than this share", ge=0, le=1, live=True
    )
    max_identities: int = option(
        500, "identities remembered; the one not seen for longest makes room", ge=1, le=5000
    )
    max_exemplars: int = option(16, "looks remembered of an identity, over all cameras", ge=2, le=256)
    forget_after: float = option(
        3600.0, "an identity not seen for longer than this is forgotten, seconds", ge=1, le=1e9, live=True
    )
    overlapping: bool = option(True, "whether two cameras may see one person at the same time", live=True)
    min_travel: float = option(
        0.0, "cameras that do not overlap: least time from one to another, seconds", ge=0, le=86400, live=True
    )
    max_speed: float = option(
        3.0,
        "where positions are known: nobody moves faster than this, metres per second",
        ge=0.1,
        le=100,
        live=True,
    )
    position_noise: float = option(
        0.5, "standard deviation of positions on the ground, metres", ge=0.01, le=100, live=True
    )
