"""Which pictures one learns from, and which one is judged on."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from rtreid_ros.datasets.identities.base import UNKNOWN, IdentityDataset, IdentitySet
from rtreid_ros.datasets.identities.reader import PARTS, IdentityReader, empty_set
from rtreid_ros.registry import Registry
from rtreid_ros.types import Bool

Split = Callable[[str, IdentityReader, Collection[str]], IdentityDataset]


def official(name: str, reader: IdentityReader, parts: Collection[str]) -> IdentityDataset:
    """The parts as the data set's authors made them."""
    chosen = [reader.part(part) if part in parts else empty_set() for part in PARTS]
    return IdentityDataset(name, *chosen)


def everything(name: str, reader: IdentityReader, parts: Collection[str]) -> IdentityDataset:
    """All of the training part trains; query and gallery are official, or empty where there are none."""
    judged = all(reader.has(part) for part in ("query", "gallery"))
    return official(name, reader, set(parts) & set(PARTS if judged else ("train",)))


def every_fifth(name: str, reader: IdentityReader, parts: Collection[str]) -> IdentityDataset:
    """Validation from the training part alone: identities divisible by five are held out of training.

    Of these, the first picture, by name, of each identity and camera is a query, all others are gallery.
    """
    return _held_out(name, reader.part("train"), parts, (1, 2, 3, 4))


def cameras_of(cameras: Collection[int], remainders: Collection[int], judged: int = 0) -> Split:
    """A split that sees some cameras only: one side of a transfer from cameras to others.

    As `every_fifth`, but only pictures of `cameras`, counted from 0, are there, and only identities that
    leave one of `remainders` when divided by five train, and those that leave `judged` are searched for.
    """

    def split(name: str, reader: IdentityReader, parts: Collection[str]) -> IdentityDataset:
        whole = reader.part("train")
        return _held_out(name, whole[np.isin(whole.cameras, list(cameras))], parts, remainders, judged)

    return split


def _held_out(
    name: str, whole: IdentitySet, parts: Collection[str], remainders: Collection[int], judged: int = 0
) -> IdentityDataset:
    """Identities that leave one of `remainders` when divided by five train; those with `judged` judge."""
    remainder = whole.identities % 5
    held_out, first = remainder == judged, first_of_each_camera(whole)
    chosen = {
        "train": np.isin(remainder, list(remainders)),
        "query": held_out & first,
        "gallery": held_out & ~first,
    }
    return IdentityDataset(
        name, *(whole[rows] if part in parts else empty_set() for part, rows in chosen.items())
    )


def whole_tracklets(name: str, reader: IdentityReader, parts: Collection[str]) -> IdentityDataset:
    """As `every_fifth`, with query and gallery in whole tracklets.

    Where cameras are known, both are all pictures of the held-out identities: a tracklet is searched for
    among those of other cameras, since its own camera does not count. Where they are not, nobody is seen
    by two: the first half of each tracklet is query, the second gallery; one of one picture is gallery.
    """
    whole = reader.part("train")
    held_out = whole.identities % 5 == 0
    known = whole.cameras != UNKNOWN
    keys = np.stack([whole.identities, whole.cameras, whole.sequences])
    owner = np.unique(keys, axis=1, return_inverse=True)[1].reshape(-1)
    order = np.argsort(owner, kind="stable")
    counts = np.bincount(owner)
    place = np.empty(len(whole), np.int64)
    place[order] = np.arange(len(whole)) - np.repeat(np.cumsum(counts) - counts, counts)
    early = place < counts[owner] // 2
    chosen = {
        "train": ~held_out,
        "query": held_out & (known | early),
        "gallery": held_out & (known | ~early),
    }
    return IdentityDataset(
        name, *(whole[rows] if part in parts else empty_set() for part, rows in chosen.items())
    )


def first_of_each_camera(pictures: IdentitySet) -> Bool:
    """``(N,) bool``: pictures whose names come first among those of their identity and camera."""
    order = np.argsort(np.array(pictures.names), kind="stable")
    key = np.stack([pictures.identities, pictures.cameras], axis=1)[order]
    first = np.zeros(len(pictures), bool)
    first[order[np.unique(key, axis=0, return_index=True)[1]]] = True
    return first


SPLITS: Registry[Split] = Registry("split")
SPLITS.register("official", official)
SPLITS.register("mod5", every_fifth)
SPLITS.register("all", everything)
SPLITS.register("mod5_tracklets", whole_tracklets)
SPLITS.register("cameras123", cameras_of((0, 1, 2), (1, 2)))
SPLITS.register("cameras456", cameras_of((3, 4, 5), (3, 4)))
SPLITS.register("cameras456_tuning", cameras_of((3, 4, 5), (3,), judged=4))
