"""People of the synthetic street, rendered when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from rtreid_ros.datasets.identities.base import UNKNOWN, IdentitySet
from rtreid_ros.datasets.identities.reader import IdentityOptions, IdentityReader
from rtreid_ros.datasets.synthetic.crops import IdentityCrop, identity_crops
from rtreid_ros.datasets.synthetic.options import SceneOptions
from rtreid_ros.datasets.synthetic.scene import SyntheticScene
from rtreid_ros.datasets.synthetic.training.frames import (
    HELD_OUT_SEEDS,
    TRAINING_SEEDS,
    render_all,
    varied_options,
)
from rtreid_ros.options import option

_PEOPLE_PER_SCENE = 1000
"""Identities of a scene are numbered from this times its number."""
_LEAST_SIGHTINGS = 4
"""Who is seen less often than this by both cameras together trains nothing."""


@dataclass(frozen=True, slots=True)
class SceneIdentityOptions(IdentityOptions):
    """Options of the synthetic identities; the defaults are what the built-in embedder learns from."""

    scenes: int = option(70, "scenes rendered for training", ge=1)
    per_camera: int = option(12, "most crops of a person by one camera, in training", ge=1)
    held_out_scenes: int = option(8, "other scenes rendered for query and gallery", ge=1)
    held_out_people: int = option(24, "people in each of these", ge=1, le=200)
    held_out_per_camera: int = option(6, "most crops of a person by one camera, in query and gallery", ge=1)


class SceneIdentities(IdentityReader):
    """Both views of everybody in seeded scenes; the root is not looked at.

    Training and evaluation have different seeds. Queries are all crops of the second camera of people
    whom the first has seen too; the gallery is the first camera's crops of everybody.
    """

    Options = SceneIdentityOptions
    options: SceneIdentityOptions

    def has(self, part: str) -> bool:
        """See `IdentityReader`."""
        return True

    def part(self, part: str) -> IdentitySet:
        """See `IdentityReader`."""
        if part == "train":
            return self._train
        pictures = self._held_out
        gallery = pictures.cameras == 0
        if part == "gallery":
            return pictures[gallery]
        return pictures[~gallery & np.isin(pictures.identities, pictures.identities[gallery])]

    @cached_property
    def _train(self) -> IdentitySet:
        work = partial(training_crops, per_camera=self.options.per_camera)
        seeds = [TRAINING_SEEDS + number for number in range(self.options.scenes)]
        return _crop_set(seeds, render_all(work, seeds, "render training scenes"))

    @cached_property
    def _held_out(self) -> IdentitySet:
        options = self.options
        work = partial(held_out_crops, people=options.held_out_people, per_camera=options.held_out_per_camera)
        seeds = [HELD_OUT_SEEDS + number for number in range(options.held_out_scenes)]
        return _crop_set(seeds, render_all(work, seeds, "render held-out scenes"))


def training_crops(seed: int, per_camera: int) -> list[IdentityCrop]:
    """Everybody of a varied scene who is seen often enough."""
    crops = [
        crop
        for camera in (0, 1)
        for crop in identity_crops(SyntheticScene(varied_options(seed, camera)), per_person=per_camera)
    ]
    sightings = np.bincount([crop.id for crop in crops])
    return [crop for crop in crops if sightings[crop.id] >= _LEAST_SIGHTINGS]


def held_out_crops(seed: int, people: int, per_camera: int) -> list[IdentityCrop]:
    """Everybody of a scene by whom networks are judged."""
    scenes = (SyntheticScene(SceneOptions(seed=seed, people=people, camera=camera)) for camera in (0, 1))
    return [
        crop for scene in scenes for crop in identity_crops(scene, per_person=per_camera, least_visible=0.6)
    ]


def _crop_set(seeds: list[int], scenes: Iterable[list[IdentityCrop]]) -> IdentitySet:
    found = [
        (number, seed, crop)
        for number, (seed, crops) in enumerate(zip(seeds, scenes, strict=True))
        for crop in sorted(crops, key=lambda crop: (crop.camera, crop.frame, crop.id))
    ]
    return IdentitySet(
        tuple(f"scene {seed}/camera {crop.camera}/{crop.frame:04d}/{crop.id:03d}" for _, seed, crop in found),
        np.array([number * _PEOPLE_PER_SCENE + crop.id for number, _, crop in found], np.int64),
        np.array([crop.camera for _, _, crop in found], np.int64),
        np.full(len(found), UNKNOWN),
        lambda row: found[row][2].image,
    )
