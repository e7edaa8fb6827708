"""What a gallery gives back, and what it counts."""

from __future__ import annotations

from dataclasses import dataclass

from rtreid_ros.types import Float32, Int64


@dataclass(frozen=True, slots=True, eq=False)
class GlobalIds:
    """What the gallery makes of one camera's tracks, N rows in their order.

    Attributes:
        ids: ``(N,) int64`` global ids; 0 = none (yet).
        confidence: ``(N,) float32`` probability of each at its decision; 0 where there is none.
        merged: pairs ``(id given up, id kept)`` of identities found to be one person just now.
    """

    ids: Int64
    confidence: Float32
    merged: tuple[tuple[int, int], ...] = ()


@dataclass(slots=True)
class Counters:
    """What has happened so far.

    Attributes:
        created: identities made.
        linked: tracks given an identity that was known.
        merged: pairs of identities found to be one.
        evicted: identities that made room for new ones.
        expired: identities forgotten after long absence.
        revoked: tracks whose id was taken back, by one of the two rules.
        late: frames older than one that had come; they got ids, but taught nothing.
        full: times a new identity had no room, because all known are in view.
        resets: times embeddings changed their length.
    """

    created: int = 0
    linked: int = 0
    merged: int = 0
    evicted: int = 0
    expired: int = 0
    revoked: int = 0
    late: int = 0
    full: int = 0
    resets: int = 0
