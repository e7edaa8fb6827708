"""How a ReID model wants its pixels: said by the model, by the user, or by a family we know."""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rtreid_ros.errors import ModelError

logger = logging.getLogger(__name__)

METADATA_KEY = "preprocessing"
"""Key of a model's metadata under which the JSON text of `Preprocessing` lies."""

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """``(pixel / scale - mean) / std`` per channel.

    Attributes:
        color: order of the channels, ``RGB`` or ``BGR``; `mean` and `std` follow it.
        scale: what the 8-bit values are divided by.
        mean: subtracted, per channel.
        std: divided by, per channel.

    Raises:
        ValueError: another colour order, a number that is not finite, or a divisor that is not positive.
    """

    color: str
    scale: float = 255.0
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        if self.color not in ("RGB", "BGR"):
            raise ValueError(f"color must be RGB or BGR, got {self.color!r}")
        if len(self.mean) != 3 or len(self.std) != 3:
            raise ValueError(f"mean and std must have 3 numbers, got {self.mean} and {self.std}")
        numbers = (self.scale, *self.mean, *self.std)
        if not all(math.isfinite(number) for number in numbers) or min(self.scale, *self.std) <= 0:
            raise ValueError(f"scale, mean and std must be finite, scale and std positive, got {numbers}")

    def to_json(self) -> str:
        """The text that exporters store under `METADATA_KEY`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Preprocessing:
        """The reverse of `to_json`; nothing may be left out.

        Raises:
            ValueError: the text is no JSON object with just these keys, or a value is refused.
        """
        try:
            value: Any = json.loads(text)
            if not isinstance(value, dict) or set(value) != {"color", "scale", "mean", "std"}:
                raise ValueError("the keys must be color, scale, mean and std")
            return cls(
                str(value["color"]),
                float(value["scale"]),
                tuple(float(number) for number in value["mean"]),  # type: ignore[arg-type]
                tuple(float(number) for number in value["std"]),  # type: ignore[arg-type]
            )
        except (TypeError, ValueError) as error:
            raise ValueError(f"no preprocessing: {text[:120]!r}: {error}") from error


PRESETS: Mapping[str, Preprocessing] = {
    "imagenet": Preprocessing("RGB", 255.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "half": Preprocessing("RGB", 255.0, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "unit": Preprocessing("RGB", 255.0),
    "raw-bgr": Preprocessing("BGR", 1.0),
}
"""What `EmbedderOptions.preprocessing` can name."""

FAMILIES: tuple[tuple[str, str, str], ...] = (
    (
        r"(osnet|resnet50|mlfn|hacnn|mobilenetv2)_.*(market1501|msmt17|dukemtmcreid|cuhk03)",
        "imagenet",
        "Torchreid",
    ),
    (r"person-reidentification-retail-\d+", "raw-bgr", "Open Model Zoo"),
)
"""Published models whose files do not say it: pattern of the file name, preset, whose documents state it."""


def find_preprocessing(choice: str, metadata: Mapping[str, str], model: str) -> Preprocessing:
    """What a model wants: the user's choice, else its metadata, else that of a published family.

    Args:
        choice: a key of `PRESETS`, or ``metadata``.
        metadata: the model's own.
        model: its file name; relying on it is logged as a warning.

    Raises:
        ModelError: nothing says it, or the metadata is malformed.
    """
    if choice != "metadata":
        return PRESETS[choice]
    text = metadata.get(METADATA_KEY)
    if text is not None:
        try:
            return Preprocessing.from_json(text)
        except ValueError as error:
            raise ModelError(
                f"{model}: its metadata {METADATA_KEY!r} cannot be used ({error}); "
                f"store it anew, or choose a preset: {', '.join(PRESETS)}"
            ) from error
    for pattern, preset, origin in FAMILIES:
        if re.match(pattern, model, re.IGNORECASE):
            logger.warning(
                "%s does not say how pixels are prepared; its file name is that of a published %s model, "
                "so the preset %r is used (choose one to override it)",
                model,
                origin,
                preset,
            )
            return PRESETS[preset]
    listing = "; ".join(f"{name} ({_describe(value)})" for name, value in PRESETS.items())
    raise ModelError(
        f"{model} does not say how pixels are prepared: its metadata has no {METADATA_KEY!r}, and its file "
        f"name is of no family we know. Choose the preset it was trained with: {listing}"
    )


def _describe(value: Preprocessing) -> str:
    mean, std = (" ".join(f"{number:g}" for number in numbers) for numbers in (value.mean, value.std))
    return f"{value.color} / {value.scale:g}, mean {mean}, std {std}"
