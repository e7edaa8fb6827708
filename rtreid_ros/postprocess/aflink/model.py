"""The trained link model, run by ONNX Runtime."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.errors import ModelError
from rtreid_ros.postprocess.aflink.features import CHANNELS, ROWS, pair_features
from rtreid_ros.runtime.session import model_path

if TYPE_CHECKING:
    from rtreid_ros.types import Float32, Float64

BUILTIN = "aflink.onnx"
TASK = "aflink"
_CHUNK = 8192
"""Pairs in one call of the network: enough for any ordinary file, and memory stays below 100 MB."""


def model_metadata() -> dict[str, str]:
    """What a link model's file must say of itself."""
    return {"task": TASK, "features": json.dumps({"rows": ROWS, "channels": CHANNELS})}


class LinkModel:
    """Tells how likely it is that one tracklet continues another.

    Args:
        model: the ``.onnx`` file; empty = the built-in one.
        threads: CPU threads of one call.

    Raises:
        ModelError: missing, unreadable, or no link model of ours.
    """

    def __init__(self, model: str = "", threads: int = 1) -> None:
        from rtreid_ros.runtime.ort import OrtSession  # noqa: PLC0415 (slow to import)

        self._session = OrtSession(model_path(model, BUILTIN), providers=("cpu",), threads=threads)
        self.metadata = dict(self._session.metadata)
        shape = (2, ROWS, len(CHANNELS))
        inputs = self._session.inputs
        told = {key: self.metadata.get(key) for key in model_metadata()}
        if len(inputs) != 1 or inputs[0].shape[1:] != shape or told != model_metadata():
            raise ModelError(
                f"{self._session.name} is no link model: it takes {', '.join(map(str, inputs))} and says of "
                f"itself {told}; one takes [pairs, {', '.join(map(str, shape))}] and comes from "
                "`rtreid train-aflink`"
            )

    def score(self, tails: Float64, heads: Float64) -> Float32:
        """Confidence ``(N,)``, from 0 to 1, that each head continues its tail; see `pair_features`."""
        parts = [np.zeros(0, np.float32)]
        for start in range(0, len(tails), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            output: Any = self._session.run(pair_features(tails[chunk], heads[chunk]))[0]
            parts.append(np.asarray(output, np.float32).reshape(-1))
        return np.concatenate(parts)
