"""Class names: where they come from, and which of them the user wants."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence

import numpy as np

from rtreid_ros.errors import ConfigError, ModelError
from rtreid_ros.registry import suggest
from rtreid_ros.types import Int32

# fmt: off
COCO = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat",
    "traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog",
    "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag",
    "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat",
    "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle", "wine glass", "cup", "fork",
    "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog",
    "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet", "tv",
    "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink",
    "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)
# fmt: on
"""The 80 classes of COCO detection, in the order of the data set's 2017 annotations."""


def parse_names(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Class names from a model's ``names``: a dictionary or list, as Python literal or JSON; empty if absent.

    Raises:
        ModelError: the text is neither.
    """
    text = metadata.get("names", "").strip()
    if not text:
        return ()
    value = None
    for read in (ast.literal_eval, json.loads):
        try:
            value = read(text)
            break
        except (ValueError, SyntaxError):
            continue
    if isinstance(value, Mapping):
        try:
            by_id = {int(key): str(name) for key, name in value.items()}
        except (TypeError, ValueError):
            by_id = {-1: ""}
        if sorted(by_id) == list(range(len(by_id))):
            return tuple(by_id[index] for index in range(len(by_id)))
    elif isinstance(value, list | tuple):
        return tuple(str(name) for name in value)
    raise ModelError(
        f"the model's metadata 'names' is no list of class names: {text[:80]!r}; export the model again"
    )


def default_names(count: int) -> tuple[str, ...]:
    """Names for a model that carries none: COCO's when there are 80, else ``class0``, ``class1``, ..."""
    return COCO if count == len(COCO) else tuple(f"class{index}" for index in range(count))


def select(wanted: Sequence[str], names: Sequence[str]) -> Int32 | None:
    """The sorted ids of the classes named or numbered in `wanted`; None = all of them.

    Raises:
        ConfigError: a name or number the model does not have.
    """
    if not wanted:
        return None
    ids = set()
    by_name = {name.lower(): index for index, name in reversed(list(enumerate(names)))}
    for item in wanted:
        text = item.strip().lower()
        if text in by_name:
            ids.add(by_name[text])
        elif text.isdecimal() and int(text) < len(names):
            ids.add(int(text))
        else:
            known = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
            raise ConfigError(
                f"the detector has no class {item!r}{suggest(text, list(by_name))}; its classes: {known}; "
                f"name some of them, or give ids from 0 to {len(names) - 1}, or an empty list for all"
            )
    return np.array(sorted(ids), np.int32)
