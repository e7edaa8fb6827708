"""Networks that are not exported: as a `Session`, which the deployed embedder runs, and on clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from rtreid_ros.errors import ConfigError, ModelError
from rtreid_ros.evaluation.retrieval.tracklets import ClipEmbedder
from rtreid_ros.reid.base import Embedder, EmbedderOptions
from rtreid_ros.reid.checkpoint import Checkpoint, load_checkpoint
from rtreid_ros.reid.crops import CropBatch
from rtreid_ros.reid.models import MODELS
from rtreid_ros.reid.models.base import ReIDModel
from rtreid_ros.reid.preprocessing import METADATA_KEY, Preprocessing
from rtreid_ros.reid.session_embedder import SessionEmbedder
from rtreid_ros.runtime.info import ModelInfo
from rtreid_ros.runtime.session import Array, TensorSpec, first_line
from rtreid_ros.types import Float32, UInt8


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


class NetworkOfClips:
    """A network for clips in evaluation mode. See `ClipEmbedder`.

    Side information is left unknown, as by `NetworkSession`.

    Args:
        checkpoint: its file's content.
        name: for messages.
        providers: as of `NetworkSession`.

    Raises:
        ModelError: the checkpoint's weights are those of another architecture.
    """

    def __init__(self, checkpoint: Checkpoint, name: str, providers: Sequence[str] = ("cuda", "cpu")) -> None:
        gpu = "cuda" in providers and torch.cuda.is_available()
        self._device = torch.device("cuda" if gpu else "cpu")
        self._model = checkpoint.create_model().to(self._device)
        self._size, self._preprocessing = checkpoint.size, checkpoint.preprocessing
        self.dim = self._model.dim
        self.frames = int(checkpoint.config.get("data", {}).get("frames", 0))
        self.info = ModelInfo(name, "torch", self._device.type, "clips", checkpoint.size)

    def embed_clips(self, clips: Sequence[Sequence[UInt8]]) -> Float32:
        """See `ClipEmbedder`.

        Raises:
            ModelError: the network fails, or gives no direction for a clip.
        """
        frames = len(clips[0])
        batch = CropBatch(len(clips) * frames, self._size, self._preprocessing, np.dtype(np.float32))
        pixels = batch.stack([image for clip in clips for image in clip], len(clips) * frames)
        try:
            with torch.inference_mode():
                given = torch.from_numpy(np.array(pixels)).to(self._device).unflatten(0, (len(clips), frames))
                vectors: Float32 = self._model(given).float().cpu().numpy()
        except RuntimeError as error:
            raise ModelError(f"{self.info.name} failed on clips of {frames}: {first_line(error)}") from error
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(norms).all() and norms.all()):
            raise ModelError(f"{self.info.name} gives no direction for a clip")
        vectors /= norms
        return vectors


def open_judged(path: Path, options: EmbedderOptions) -> Embedder | ClipEmbedder:
    """The network of a checkpoint file, whatever it takes; see `open_checkpoint`."""
    checkpoint = load_checkpoint(path)
    if MODELS[checkpoint.model].takes_clips:
        return NetworkOfClips(checkpoint, path.name, options.providers)
    return _embedder(checkpoint, path, options)


def open_checkpoint(path: Path, options: EmbedderOptions) -> Embedder:
    """The network of a checkpoint file as an embedder; `options.model` is not looked at.

    Raises:
        ModelError: the file is no checkpoint, or of another architecture than it says.
        ConfigError: none of the options' providers is there.
    """
    return _embedder(load_checkpoint(path), path, options)


def _embedder(checkpoint: Checkpoint, path: Path, options: EmbedderOptions) -> Embedder:
    session = NetworkSession(
        checkpoint.create_model(), path.name, checkpoint.size, checkpoint.preprocessing, options.providers
    )
    return SessionEmbedder(session, options)
