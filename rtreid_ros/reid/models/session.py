"""A network of torch as a `Session`: the deployed embedder runs it like an exported file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from rtreid_ros.errors import ConfigError, ModelError
from rtreid_ros.reid.models.base import ReIDModel
from rtreid_ros.reid.preprocessing import METADATA_KEY, Preprocessing
from rtreid_ros.runtime.session import Array, TensorSpec, first_line


class TorchSession:
    """A network in evaluation mode, in single precision. See `Session`.

    Side information is left unknown, as it is where models are deployed.

    Args:
        model: what gives the vectors; it is moved to the device.
        name: for messages.
        size: ``(height, width)`` of its input.
        preprocessing: how it wants its pixels.
        device: ``cpu``, ``cuda``, or ``auto`` for CUDA where it is there.

    Raises:
        ConfigError: CUDA is asked for and absent.
    """

    backend = "torch"

    def __init__(
        self,
        model: ReIDModel,
        name: str,
        size: tuple[int, int],
        preprocessing: Preprocessing,
        device: str = "auto",
    ) -> None:
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cuda" and not torch.cuda.is_available():
            raise ConfigError(f"device cuda: torch {torch.__version__} finds no GPU here; use cpu or auto")
        self.name, self.provider = name, device
        self._device = torch.device(device)
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
