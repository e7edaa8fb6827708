"""Crops of known people: what an appearance model learns from and is judged on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rtreid_ros.datasets.synthetic.random import stream
from rtreid_ros.datasets.synthetic.scene import SyntheticScene
from rtreid_ros.types import UInt8


@dataclass(frozen=True, slots=True, eq=False)
class IdentityCrop:
    """One sighting of one person.

    Attributes:
        image: ``(h, w, 3) uint8`` BGR: the person's box clipped to the image, with its surroundings.
        id: identity in its scene, the same for both cameras.
        visibility: share of the body that is seen.
        frame: index of the frame it was cut from.
        camera: 0 or 1.
    """

    image: UInt8
    id: int
    visibility: float
    frame: int
    camera: int


def identity_crops(
    scene: SyntheticScene,
    *,
    per_person: int = 12,
    least_visible: float = 0.3,
    least_height: float = 32.0,
    margin: float = 0.0,
    step: int = 8,
) -> Iterator[IdentityCrop]:
    """At most `per_person` sightings of everybody in a scene, spread over its frames.

    Args:
        scene: where to look.
        per_person: most crops of one person.
        least_visible: people seen less than this are left out.
        least_height: boxes lower than this many pixels are left out.
        margin: the crop reaches this share of the box's width and height beyond it on every side.
        step: every how many frames are looked at.
    """
    rows, columns = scene.size
    limits = np.array([columns, rows, columns, rows])
    count: dict[int, int] = {}
    frames = np.arange(0, len(scene), step)
    stream(scene.options.seed, "crops").shuffle(frames)
    for index in frames.tolist():
        frame = scene.frame(index)
        truth = frame.truth
        if truth is None:
            continue
        for row in range(len(truth)):
            person, box = int(truth.ids[row]), truth.boxes[row]
            if truth.visibility[row] < least_visible or count.get(person, 0) >= per_person:
                continue
            inside = np.clip(box, 0, limits)
            if inside[3] - inside[1] < least_height or inside[2] - inside[0] < 0.3 * least_height:
                continue
            reach = margin * np.tile(inside[2:] - inside[:2], 2) * (-1, -1, 1, 1)
            x1, y1, x2, y2 = np.clip(np.rint(inside + reach), 0, limits).astype(int)
            count[person] = count.get(person, 0) + 1
            image = frame.image[y1:y2, x1:x2].copy()
            yield IdentityCrop(image, person, float(truth.visibility[row]), index, scene.options.camera)
