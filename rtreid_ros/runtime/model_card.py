"""The card of the built-in models: a section under a top-level heading for each part that trains some."""

from __future__ import annotations

import hashlib
import math
import re
from pathlib import Path
from typing import Any, NamedTuple

CARD = "MODEL_CARD.md"


class ModelFacts(NamedTuple):
    """What a card says about an ONNX file.

    Attributes:
        input: shape of the first input, such as ``batchx3x128x64``.
        output: shape of the first output.
        weights: numbers in it.
        megabytes: size of the file, in 10^6 bytes.
        digest: SHA-256 of the file.
        metadata: its own.
    """

    input: str
    output: str
    weights: int
    megabytes: float
    digest: str
    metadata: dict[str, str]


def describe_model(path: Path) -> ModelFacts:
    """The facts about the ONNX file at `path`. Needs onnx."""
    import onnx  # noqa: PLC0415 (of the extra `train`)

    model = onnx.load(str(path))
    return ModelFacts(
        _shape(model.graph.input[0]),
        _shape(model.graph.output[0]),
        sum(math.prod(tensor.dims) for tensor in model.graph.initializer),
        path.stat().st_size / 1e6,
        hashlib.sha256(path.read_bytes()).hexdigest(),
        {item.key: item.value for item in model.metadata_props},
    )


def _shape(value: Any) -> str:
    return "x".join(item.dim_param or str(item.dim_value) for item in value.type.tensor_type.shape.dim)


def write_section(models: Path, section: str) -> None:
    """Put `section` into the card of the folder `models`: in the place of the one so headed, or at the end.

    Args:
        models: folder of the card.
        section: text whose first line is ``# Heading``.
    """
    card = models / CARD
    sections = re.split(r"^(?=# )", card.read_text(encoding="utf-8") if card.is_file() else "", flags=re.M)
    heading = section.splitlines()[0]
    kept = [text.strip() for text in sections if text.strip()]
    places = [number for number, text in enumerate(kept) if text.splitlines()[0] == heading]
    if places:
        kept[places[0]] = section.strip()
    else:
        kept.append(section.strip())
    card.write_text("\n\n".join(kept) + "\n", encoding="utf-8")
