"""Networks that are not exported: as a `Session`, which the deployed embedder runs, and on clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
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
from rtreid_ros.reid.models.known_side import known_sides
from rtreid_ros.reid.preprocessing import METADATA_KEY, Preprocessing
from rtreid_ros.reid.session_embedder import SessionEmbedder
from rtreid_ros.reid.sides import Sides
from rtreid_ros.runtime.info import ModelInfo
from rtreid_ros.runtime.session import Array, TensorSpec, first_line
from rtreid_ros.types import Float32, Int64, UInt8


class _Network:
    """A network in evaluation mode, and the side information of what it gets next."""

    def __init__(self, model: ReIDModel, device: torch.device) -> None:
        self._model, self._device = model.to(device).eval(), device
        self._told = np.zeros(0, np.int64)

    @contextmanager
    def told(self, numbers: Int64) -> Iterator[None]:
        """See `SideInformed`."""
        self._told = numbers
        try:
            yield
        finally:
            self._told = numbers[:0]

    def __call__(self, given: Array) -> Float32:
        """``(B, D)`` of pictures or clips."""
        numbers, self._told = np.split(self._told, [len(given)])
        sides = torch.from_numpy(numbers).to(self._device) if len(numbers) else None
        with torch.inference_mode():
            output = self._model(torch.from_numpy(given).to(self._device), sides)
        vectors: Float32 = output.float().cpu().numpy()
        return vectors


class NetworkSession:
    """A network in evaluation mode and single precision. See `Session`.

    Side information is unknown, as it is where models are deployed, unless it is `told`.

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
        self._network = _Network(model, torch.device(self.provider))
        self.inputs = (TensorSpec("images", (None, 3, *size), np.dtype(np.float32)),)
        self.outputs = (TensorSpec("embedding", (None, model.dim), np.dtype(np.float32)),)
        self.metadata: Mapping[str, str] = {METADATA_KEY: preprocessing.to_json()}

    def told(self, numbers: Int64) -> AbstractContextManager[None]:
        """See `SideInformed`."""
        return self._network.told(numbers)

    def run(self, array: Array) -> Sequence[Array]:
        """The one output for the input `array`; see `Session.run`."""
        try:
            return [self._network(array)]
        except RuntimeError as error:
            raise ModelError(
                f"{self.name} failed on an input of shape {array.shape}: {first_line(error)}"
            ) from error


class NetworkEmbedder(SessionEmbedder):
    """The network of a checkpoint as the deployed embedder runs it. See `Embedder` and `SideInformed`.

    Args:
        checkpoint: its file's content.
        name: for messages.
        options: see there; `options.model` is not looked at.

    Raises:
        ModelError: the checkpoint's weights are those of another architecture.
        ConfigError: none of the options' providers is there.
    """

    def __init__(self, checkpoint: Checkpoint, name: str, options: EmbedderOptions) -> None:
        self._model, self._sides = checkpoint.create_model(), checkpoint.sides
        self._network = NetworkSession(
            self._model, name, checkpoint.size, checkpoint.preprocessing, options.providers
        )
        super().__init__(self._network, options)

    def known_sides(self) -> Sides:
        """See `SideInformed`."""
        return known_sides(self._model, self._sides, self.info.name)

    def told(self, numbers: Int64) -> AbstractContextManager[None]:
        """See `SideInformed`; crops go to the network in the order of their boxes."""
        return self._network.told(numbers)


class NetworkOfClips:
    """A network for clips in evaluation mode. See `ClipEmbedder` and `SideInformed`.

    Args:
        checkpoint: its file's content.
        name: for messages.
        providers: as of `NetworkSession`.

    Raises:
        ModelError: the checkpoint's weights are those of another architecture.
    """

    def __init__(self, checkpoint: Checkpoint, name: str, providers: Sequence[str] = ("cuda", "cpu")) -> None:
        gpu = "cuda" in providers and torch.cuda.is_available()
        device = torch.device("cuda" if gpu else "cpu")
        self._model, self._sides = checkpoint.create_model(), checkpoint.sides
        self._network = _Network(self._model, device)
        self._size, self._preprocessing = checkpoint.size, checkpoint.preprocessing
        self.dim = self._model.dim
        self.frames = int(checkpoint.config.get("data", {}).get("frames", 0))
        self.info = ModelInfo(name, "torch", device.type, "clips", checkpoint.size)

    def embed_clips(self, clips: Sequence[Sequence[UInt8]]) -> Float32:
        """See `ClipEmbedder`.

        Raises:
            ModelError: the network fails, or gives no direction for a clip.
        """
        frames = len(clips[0])
        batch = CropBatch(len(clips) * frames, self._size, self._preprocessing, np.dtype(np.float32))
        pixels = batch.stack([image for clip in clips for image in clip], len(clips) * frames)
        try:
            vectors = self._network(np.array(pixels).reshape(len(clips), frames, *pixels.shape[1:]))
        except RuntimeError as error:
            raise ModelError(f"{self.info.name} failed on clips of {frames}: {first_line(error)}") from error
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(norms).all() and norms.all()):
            raise ModelError(f"{self.info.name} gives no direction for a clip")
        vectors /= norms
        return vectors

    def known_sides(self) -> Sides:
        """See `SideInformed`."""
        return known_sides(self._model, self._sides, self.info.name)

    def told(self, numbers: Int64) -> AbstractContextManager[None]:
        """See `SideInformed`; a number for each clip."""
        return self._network.told(numbers)


def open_judged(path: Path, options: EmbedderOptions) -> Embedder | ClipEmbedder:
    """The network of a checkpoint file, whatever it takes; see `open_checkpoint`."""
    checkpoint = load_checkpoint(path)
    if MODELS[checkpoint.model].takes_clips:
        return NetworkOfClips(checkpoint, path.name, options.providers)
    return NetworkEmbedder(checkpoint, path.name, options)


def open_checkpoint(path: Path, options: EmbedderOptions) -> Embedder:
    """The network of a checkpoint file as an embedder; `options.model` is not looked at.

    Raises:
        ModelError: the file is no checkpoint, or of another architecture than it says.
        ConfigError: none of the options' providers is there.
    """
    return NetworkEmbedder(load_checkpoint(path), path.name, options)
