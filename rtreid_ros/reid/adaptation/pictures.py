"""The pictures of an adaptation: what is learnt from, and what judges and must not be among it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from rtreid_ros.datasets.identities import DATASETS, IdentityOptions, IdentitySet, open_identities
from rtreid_ros.datasets.identities.tracklets import Tracklets
from rtreid_ros.errors import ConfigError, InputError, SourceError
from rtreid_ros.options import build
from rtreid_ros.reid.adaptation.config import AdaptationConfig
from rtreid_ros.reid.adaptation.links import Links
from rtreid_ros.reid.adaptation.options import NONE, PicturesOptions
from rtreid_ros.reid.data.resident import ResidentImages
from rtreid_ros.reid.training.placement import Placement
from rtreid_ros.types import Int64

TRACKLETS = "tracklets"
"""The data set that knows more than cameras of pictures nobody has labelled."""


@dataclass(frozen=True, slots=True, eq=False)
class AdaptationPictures:
    """All of them, resident.

    Attributes:
        target: N pictures to adapt to; their identities are not learnt from.
        source: pictures to rehearse; None = none.
        query: pictures to search with; None = nothing judges.
        gallery: pictures to search in; likewise.
        links: what is known of the target.
    """

    target: ResidentImages
    source: ResidentImages | None
    query: ResidentImages | None
    gallery: ResidentImages | None
    links: Links

    def facts(self, config: AdaptationConfig) -> list[tuple[str, str]]:
        """What there is, name and value, for reports."""
        target, links = self.target, self.links
        text = f"{len(target)} pictures of {len(np.unique(target.cameras))} cameras"
        if config.learning.data.dataset == TRACKLETS:
            text += f", {len(np.unique(links.tracklets))} tracklets, {len(links.apart)} pairs of them apart"
        found = [("target", text + _left_out(target))]
        if self.source is not None:
            people = len(np.unique(self.source.identities))
            found.append(
                ("source", f"{len(self.source)} pictures of {people} identities{_left_out(self.source)}")
            )
        if self.query is not None and self.gallery is not None:
            found.append(("evaluation", f"{len(self.query)} queries in {len(self.gallery)} pictures"))
        return found


def load_adaptation(
    config: AdaptationConfig, placement: Placement, *, progress: bool = True
) -> AdaptationPictures:
    """Open and decode everything, and make sure that nothing judged is learnt from.

    Raises:
        SourceError: a data set cannot be opened, or has no picture that can be read.
        ConfigError: identities or pictures of the evaluation are in target or source, or pictures of the
            target in the source.
        InputError: too few pictures of the target to cluster.
    """
    data = config.learning.data
    target = open_identities(
        data.dataset, data.root, data.split, ("train",), **asdict(config.learning.dataset)
    ).train
    source = _open(config.source, config.source_own, ("train",))
    judged = _open(config.evaluation, config.evaluation_own, ("query", "gallery"))
    if len(target) < config.clusters.least:
        raise InputError(
            f"{len(target)} pictures in {data.root!r} (split {data.split}) are too few to find people in; "
            f"a cluster needs {config.clusters.least}"
        )
    if judged and not all(map(len, judged)):
        raise SourceError(f"evaluation: {config.evaluation.root!r} has nothing to judge on")
    sets = [target, *source, *judged]
    device = placement.for_images(sum(map(len, sets)), data.height, data.width)
    loaded = [
        ResidentImages.load(item, (data.height, data.width), device, progress=progress) for item in sets
    ]
    rehearsed = loaded[1] if source else None
    query, gallery = (loaded[-2], loaded[-1]) if judged else (None, None)
    here = (data.dataset, data.root)
    for part in (query, gallery):
        if part is not None:
            there = (config.evaluation.dataset, config.evaluation.root)
            refuse_overlap("data", loaded[0], part, same=_same(here, there))
            if rehearsed is not None:
                of_source = (config.source.dataset, config.source.root)
                refuse_overlap("source", rehearsed, part, same=_same(of_source, there))
    if rehearsed is not None:
        refuse_common("data", loaded[0], "source", rehearsed, "it would be learnt by label and by cluster")
    return AdaptationPictures(loaded[0], rehearsed, query, gallery, links_of(config, loaded[0]))


def _left_out(images: ResidentImages) -> str:
    return f"; {len(images.unreadable)} could not be read" if images.unreadable else ""


def _open(options: PicturesOptions, own: IdentityOptions, parts: tuple[str, ...]) -> list[IdentitySet]:
    if options.dataset == NONE:
        return []
    found = open_identities(options.dataset, options.root, options.split, parts, **asdict(own))
    return [getattr(found, part) for part in parts]


def _same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether identities of two data sets have the same numbers."""
    places = [Path(root).expanduser().resolve() for _, root in (one, other)]
    return one[0] == other[0] and places[0] == places[1]


def refuse_overlap(section: str, learnt: ResidentImages, judged: ResidentImages, *, same: bool) -> None:
    """Make sure that who is judged is not learnt from.

    Pictures are compared pixel by pixel, wherever they come from; identities where they are `same`:
    numbered alike, which those of one data set are. Negative numbers are nobody in particular.

    Raises:
        ConfigError: naming what both have.
    """
    if same:
        common = np.intersect1d(learnt.identities, judged.identities)
        common = common[common >= 0]
        if len(common):
            raise ConfigError(
                f"{len(common)} identities of evaluation are in {section}, too, such as {common[0]}: figures "
                f"would be of people it has learnt from; choose {section}.split and evaluation.split apart"
            )
    refuse_common(section, learnt, "evaluation", judged, "figures would be of what it has learnt from")


def refuse_common(
    section: str, one: ResidentImages, other_section: str, other: ResidentImages, why: str
) -> None:
    """Make sure that two sets have no picture in common, compared pixel by pixel.

    Raises:
        ConfigError: naming one, and `why` it must not be.
    """
    seen = dict(zip(_digests(one), one.names, strict=True))
    for digest, name in zip(_digests(other), other.names, strict=True):
        if digest in seen:
            raise ConfigError(
                f"the picture {name} of {other_section} is in {section}, too, as {seen[digest]}: {why}"
            )


def _digests(images: ResidentImages) -> list[bytes]:
    return [
        hashlib.blake2b(picture.cpu().numpy().tobytes(), digest_size=16).digest() for picture in images.images
    ]


def links_of(config: AdaptationConfig, target: ResidentImages) -> Links:
    """What a harvest knows of its tracklets; of other data sets nothing is known."""
    data = config.learning.data
    if data.dataset != TRACKLETS:
        return Links.none(len(target))
    reader = DATASETS[data.dataset](data.root, build(IdentityOptions, {}))
    assert isinstance(reader, Tracklets)
    there = np.unique(target.identities)  # a tracklet of unreadable pictures is gone
    apart: Int64 = reader.apart()
    apart = apart[np.isin(apart, there).all(axis=1)]
    return Links(target.classes, np.searchsorted(there, apart))
