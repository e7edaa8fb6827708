"""Identity data sets by name: a module per layout over shared parts.

To add one: derive from `IdentityReader`, give it `Options` where it has any, and register it below.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rtreid_ros.datasets.identities.base import JUNK, UNKNOWN, IdentityDataset, IdentitySet
from rtreid_ros.datasets.identities.folders import FolderPerIdentity
from rtreid_ros.datasets.identities.mot import MotIdentities
from rtreid_ros.datasets.identities.msmt17 import Msmt17
from rtreid_ros.datasets.identities.named import DukeMTMC, Market1501
from rtreid_ros.datasets.identities.reader import PARTS, IdentityOptions, IdentityReader
from rtreid_ros.datasets.identities.scenes import SceneIdentities
from rtreid_ros.datasets.identities.splits import SPLITS
from rtreid_ros.datasets.identities.statistics import describe_dataset
from rtreid_ros.datasets.identities.tracklets import LoosePictures, Tracklets
from rtreid_ros.datasets.identities.veri import VeRi776
from rtreid_ros.options import build
from rtreid_ros.registry import Registry

DATASETS: Registry[type[IdentityReader]] = Registry("identity data set")
DATASETS.register("market1501", Market1501)
DATASETS.register("dukemtmc", DukeMTMC)
DATASETS.register("veri776", VeRi776)
DATASETS.register("msmt17", Msmt17)
DATASETS.register("folder", FolderPerIdentity)
DATASETS.register("mot", MotIdentities)
DATASETS.register("synthetic", SceneIdentities)
DATASETS.register("tracklets", Tracklets)
DATASETS.register("unlabelled", LoosePictures)

__all__ = [
    "DATASETS",
    "PARTS",
    "SPLITS",
    "UNKNOWN",
    "IdentityDataset",
    "IdentityOptions",
    "IdentityReader",
    "IdentitySet",
    "describe_dataset",
    "open_identities",
]


def open_identities(
    name: str, root: str, split: str = "official", parts: Collection[str] = PARTS, **options: Any
) -> IdentityDataset:
    """A data set; no picture is decoded yet.

    Args:
        name: one of ``DATASETS``.
        root: folder or .tar file that holds it; ``~`` stands for the home folder; synthetic looks at none.
        split: one of ``SPLITS``: ``official``; ``mod5`` holds identities divisible by five out of the
            training part, for validation; with ``all`` the whole training part trains; ``cameras123`` and
            ``cameras456`` are the sides of a transfer between cameras, with no identity in common, and
            ``cameras456_tuning`` is the second without those who judge it.
        parts: those wanted; the others are empty, and need not be there.
        options: fields of ``DATASETS[name].Options``.

    Raises:
        ConfigError: an unknown data set, split or option, or a value out of range.
        SourceError: the root or a part is missing, or is not what the format says.
    """
    reader, divide = DATASETS[name], SPLITS[split]
    found = divide(name, reader(root, build(reader.Options, options)), parts)
    # junk stays in galleries alone: nobody learns from it, nobody searches for it
    train, query = (part[part.identities != JUNK] for part in (found.train, found.query))
    return IdentityDataset(name, train, query, found.gallery)
