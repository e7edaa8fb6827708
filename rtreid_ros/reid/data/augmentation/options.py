"""What can be set on augmentation."""

from __future__ import annotations

from dataclasses import dataclass

from rtreid_ros.errors import ConfigError
from rtreid_ros.options import option


@dataclass(frozen=True, slots=True)
class AugmentationOptions:
    """Probabilities, per picture, and strengths; the defaults are those of the strong baseline.

    (Luo et al., Bag of Tricks and a Strong Baseline for Deep Person Re-identification, CVPR Workshops
    2019: mirroring, a crop from a picture padded by 10 pixels of 256, random erasing.)

    Raises:
        ConfigError: values that contradict each other.
    """

    flip: float = option(0.5, "probability of mirroring", ge=0, le=1)
    pad: float = option(
        10 / 256,
        "pad by this share of the height on every side, black, and cut out the size again; 0 = off",
        ge=0,
        le=0.5,
    )
    erasing: float = option(0.5, "probability of a rectangle without content", ge=0, le=1)
    erasing_least: float = option(0.02, "smallest such rectangle, share of the picture", ge=0.001, le=1)
    erasing_most: float = option(0.4, "largest such rectangle, share of the picture", ge=0.001, le=1)
    erasing_aspect: float = option(
        0.3, "least height by width of such a rectangle; its inverse is the most", ge=0.05, le=1
    )
    affine: float = option(0.0, "probability of a cut as another detector might make it", ge=0, le=1)
    affine_shift: float = option(
        0.05, "standard deviation of each side of that cut, share of the picture's size", ge=0, le=0.2
    )
    affine_rotation: float = option(0.0, "most degrees by which it is turned", ge=0, le=45)
    background: float = option(
        0.0,
        "probability of the surroundings of another picture, outside the middle where people stand",
        ge=0,
        le=1,
    )
    occlusion: float = option(0.0, "probability of a piece of somebody else in front", ge=0, le=1)
    occlusion_from: str = option(
        "below",
        "below: the upper quarter of another picture, at the lower border; side: a strip of it, mostly at "
        "the left or right, from somewhere in the upper half down",
        choices=("below", "side"),
    )
    far: float = option(0.0, "probability of being scaled down and up again, as if far away", ge=0, le=1)
    far_least: float = option(0.3, "smallest scale of that", ge=0.05, le=0.95)
    jitter: float = option(0.0, "probability of other light", ge=0, le=1)
    brightness: float = option(0.2, "most change of brightness by jitter, share", ge=0, le=1)
    contrast: float = option(0.15, "most change of contrast by jitter, share", ge=0, le=1)
    saturation: float = option(0.1, "most change of saturation by jitter, share", ge=0, le=1)
    tint: float = option(0.05, "most change of each colour channel by jitter, share", ge=0, le=1)
    local_grey: float = option(
        0.0, "probability of a grey rectangle, of the sizes and aspects of erasing", ge=0, le=1
    )
    grey: float = option(0.0, "probability of being grey, where there is no grey rectangle", ge=0, le=1)
    channel_mix: float = option(
        0.0, "probability of three channels of red, green, blue and twice grey, where not grey", ge=0, le=1
    )
    sketch_mix: float = option(
        0.0,
        "probability of three channels of red, green, blue and twice a sketch, where none of the above",
        ge=0,
        le=1,
    )
    mixup: float = option(0.0, "probability of being mixed with another picture of the batch", ge=0, le=1)
    mixup_alpha: float = option(1.0, "both parameters of the beta distribution of shares", ge=0.05, le=1)
    mixup_pairs: str = option(
        "any",
        "who is mixed: any two, two of different identities, or two of the same",
        choices=("any", "different", "same"),
    )

    def __post_init__(self) -> None:
        if self.erasing_least > self.erasing_most:
            raise ConfigError(
                f"erasing_least must not exceed erasing_most, got {self.erasing_least:g} and "
                f"{self.erasing_most:g}"
            )
        names = ("local_grey", "grey", "channel_mix", "sketch_mix")
        total = sum(getattr(self, name) for name in names)
        if total > 1 + 1e-9:
            raise ConfigError(
                f"{', '.join(names)} exclude each other, so they must not exceed 1 together, got {total:g}"
            )
