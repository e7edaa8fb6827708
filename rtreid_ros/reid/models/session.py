"""A network that is not exported, as a `Session`: the deployed embedder runs it like a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from rtreid_ros.errors import ConfigError, ModelError
from rtreid_ros.reid.base import Embedder, EmbedderOptions
from rtreid_ros.reid.checkpoint import load_checkpoint
from rtreid_ros.reid.models.base import ReIDModel
from rtreid_ros.reid.preprocessing import METADATA_KEY, Preprocessing
from rtreid_ros.reid.session_embedder import SessionEmbedder
from rtreid_ros.runtime.session import Array, TensorSpec, first_line


class NetworkSession:
    """A network in evaluation mode and single precision. See `Session`.

    Side information is left unknown, as it is where models are deployed.

    Args:
        model: what gives the vectors; it is moved to the device.
        name: for messages.
        size: ``(height, width)`` of its input.
        preprocessing: how it wants its pixels.
        providers: ``cuda`` and ``cpu`` count; a GPU is taken where there is one and it is wanted.

    Raises:
        ConfigError: none of `providers` is there.
    """

    backend = "torch"

    def __init__(
        self,
        model: ReIDModel,
        name: str,
        size: tuple[int, int],
        preprocessing: Preprocessing,
        providers: Sequence[str] = ("cuda", "cpu"),
    ) -> None:
        self.name = name
        self.provider = "cuda" if "cuda" in providers and torch.cuda.is_available() else "cpu"
        if self.provider not in providers:
            raise ConfigError(
                f"{name}: none of the providers {', '.join(providers)} is here "
                f"(torch {torch.__version__} finds no GPU); add cpu"
            )
        self._device = torch.device(self.provider)
        self._model = model.to(self._device).eval()
        self.inputs = (TensorSpec("images", (None, 3, *size), np.dtype(np.float32)),)
        self.outputs = (TensorSpec("embedding", (None, model.dim), np.dtype(np.float32)),)
        self.metadata: Mapping[str, str] = {METADATA_KEY: preprocessing.to_json()}

    def run(self, array: Array) -> Sequence[Array]:
        """The one output for the input `array`; see `Session.run`."""
        try:
            with torch.inference_mode():
                output = self._model(torch.from_numpy(array).to(self._device))
        except RuntimeError as error:
            raise ModelError(
                f"{self.name} failed on an input of shape {array.shape}: {first_line(error)}"
            ) from error
        return [output.float().cpu().numpy()]


def open_checkpoint(path: Path, options: EmbedderOptions) -> Embedder:
    """The network of a checkpoint file as an embedder; `options.model` is not looked at.

    Raises:
        ModelError: the file is no checkpoint, or of another architecture than it says.
        ConfigError: none of the options' providers is there.
    """
    checkpoint = load_checkpoint(path)
    session = NetworkSession(
        checkpoint.create_model(), path.name, checkpoint.size, checkpoint.preprocessing, options.providers
    )
    return SessionEmbedder(session, options)
