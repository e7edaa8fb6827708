"""What can be set on augmentation."""

from __future__ import annotations

from dataclasses import dataclass

from rtreid_ros.options import option


@dataclass(frozen=True, slots=True)
class AugmentationOptions:
    """Probabilities, per picture, and strengths; the defaults are those of the strong baseline.

    (Luo et al., Bag of Tricks and a Strong Baseline for Deep Person Re-identification, CVPR Workshops
    2019: mirroring, a crop from a picture padded by 10 pixels of 256, random erasing.)
    """

    flip: float = option(0.5, "probability of mirroring", ge=0, le=1)
    pad: float = option(
        10 / 256,
        "pad by this share of the height on every side, black, and cut out the size again",
        ge=0,
        le=0.5,
    )
    erasing: float = option(0.5, "probability of a rectangle without content", ge=0, le=1)
    erasing_least: float = option(0.02, "smallest such rectangle, share of the picture", ge=0.001, le=1)
    erasing_most: float = option(0.4, "largest such rectangle, share of the picture", ge=0.001, le=1)
    erasing_aspect: float = option(
        0.3, "least height by width of such a rectangle; its inverse is the most", ge=0.05, le=1
    )
