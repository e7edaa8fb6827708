"""A colour for every identity."""

from __future__ import annotations

import math
from functools import lru_cache

_GOLDEN = (math.sqrt(5) - 1) / 2
_LIGHTNESS = (0.78, 0.68, 0.86)
_CHROMA = 0.15


@lru_cache(maxsize=4096)
def colour_of(identity: int) -> tuple[int, int, int]:
    """BGR of a track id, always the same.

    Hues of consecutive ids are a golden section of the circle apart, so that any few ids in a row
    are far from each other; lightness and chroma are even in OKLab (Ottosson, "A perceptual color
    space for image processing", 2020), so no colour shouts or drowns.
    """
    hue = 2 * math.pi * ((identity * _GOLDEN) % 1.0)
    lightness = _LIGHTNESS[identity % len(_LIGHTNESS)]
    return _oklab_to_bgr(lightness, _CHROMA * math.cos(hue), _CHROMA * math.sin(hue))


def _oklab_to_bgr(lightness: float, a: float, b: float) -> tuple[int, int, int]:
    cone_l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    cone_m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    cone_s = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * cone_l - 3.3077115913 * cone_m + 0.2309699292 * cone_s
    green = -1.2684380046 * cone_l + 2.6097574011 * cone_m - 0.3413193965 * cone_s
    blue = -0.0041960863 * cone_l - 0.7034186147 * cone_m + 1.7076147010 * cone_s
    return _encode(blue), _encode(green), _encode(red)


def _encode(linear: float) -> int:
    """Byte in sRGB of a linear intensity."""
    linear = min(max(linear, 0.0), 1.0)
    value = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return round(255 * value)
