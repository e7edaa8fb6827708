"""An embedder over any `Session`: crop, run, normalise."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from rtreid_ros.errors import ModelError
from rtreid_ros.reid.base import EmbedderOptions
from rtreid_ros.reid.crops import CropBatch, cut, pixel_boxes
from rtreid_ros.reid.preprocessing import find_preprocessing
from rtreid_ros.runtime.images import check_image
from rtreid_ros.runtime.info import ModelInfo
from rtreid_ros.runtime.session import COMPILES_EACH_SHAPE, Array, Session, TensorSpec
from rtreid_ros.types import Bool, Float32, UInt8

logger = logging.getLogger(__name__)

ADVICE = "an embedder takes crops [batch, 3, height, width] and gives one vector each [batch, D]"


class SessionEmbedder:
    """An embedder over a loaded model. See `Embedder`.

    Attributes:
        rejected: crops so far for which the model gave no finite, non-zero vector.

    Raises:
        ModelError: the model is no embedder, or nothing says how it wants its pixels.
    """

    def __init__(self, session: Session, options: EmbedderOptions) -> None:
        self._session = session
        self.rejected = 0
        spec = _input(session)
        self._fixed = spec.shape[0]
        if session.provider == COMPILES_EACH_SHAPE:
            self._fixed = self._fixed or options.batch_size
        self._chunk = self._fixed or options.batch_size
        size = (spec.shape[2] or 0, spec.shape[3] or 0)
        preprocessing = find_preprocessing(options.preprocessing, session.metadata, session.name)
        self._crops = CropBatch(self._chunk, size, preprocessing, spec.dtype)
        self._output, self._dim = self._probe(size)
        self._info = ModelInfo(session.name, session.backend, session.provider, "embedding", size)

    @property
    def dim(self) -> int:
        """Length D of an embedding."""
        return self._dim

    @property
    def info(self) -> ModelInfo:
        """Which model runs where."""
        return self._info

    def embed(self, image: UInt8, boxes: Float32) -> Float32:
        """One unit vector for each box.

        A box without extent or wholly outside the image is embedded by the one pixel nearest to it. Where the
        model itself gives no finite, non-zero vector, or a box is not finite, the row is NaN, which
        `Detections.is_valid` refuses, and counts as `rejected`.

        Args:
            image: ``(H, W, 3) uint8`` BGR.
            boxes: ``(N, 4)`` corners in its pixels.

        Returns:
            ``(N, D) float32``.

        Raises:
            ImageError: `image` is no such array.
            ModelError: the model failed.
        """
        return self.embed_many([(image, boxes)])[0]

    def embed_many(self, pairs: Sequence[tuple[UInt8, Float32]]) -> list[Float32]:
        """What `embed` gives for each image and its boxes; crops of all images go through in common batches.

        Raises:
            ImageError: one of the images is no such array; nothing was run.
            ModelError: the model failed.
        """
        for image, _ in pairs:
            check_image(image)
        rows = [np.asarray(boxes, np.float32).reshape(-1, 4) for _, boxes in pairs]
        boxes = np.concatenate([np.zeros((0, 4), np.float32), *rows])
        finite: Bool = np.logical_and.reduce(np.isfinite(boxes), axis=1)
        ends = np.cumsum([len(part) for part in rows]).tolist()
        crops: list[UInt8] = []
        for (image, _), part in zip(pairs, np.split(np.where(finite[:, None], boxes, 0), ends), strict=False):
            crops += cut(image, pixel_boxes(part, image.shape[0], image.shape[1]))
        return np.split(self._vectors(crops, finite), ends)[:-1]

    def _vectors(self, crops: Sequence[UInt8], finite: Bool) -> Float32:
        vectors = np.empty((len(crops), self._dim), np.float32)
        for start in range(0, len(crops), self._chunk):
            part = crops[start : start + self._chunk]
            batch = self._crops.stack(part, self._fixed or len(part))
            output = self._session.run(batch)[self._output]
            vectors[start : start + len(part)] = output.reshape(len(output), -1)[: len(part)]
        norms: Float32 = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
        sound: Bool = finite & np.isfinite(norms) & (norms > 0)
        if not sound.all():
            if not self.rejected:
                logger.warning("%s gives vectors that are no direction (not finite or zero)", self.info.name)
            self.rejected += len(sound) - int(sound.sum())
            norms[~sound] = np.nan
        vectors /= norms[:, None]
        return vectors

    def _probe(self, size: tuple[int, int]) -> tuple[int, int]:
        """Which output is the embedding, and its length, found by running the model; also the warm-up."""
        rows = self._fixed or min(2, self._chunk)
        gray = np.full((*size, 3), 128, np.uint8)
        outputs = self._session.run(self._crops(gray, np.zeros((0, 4), np.int32), rows))
        vectors = [index for index, output in enumerate(outputs) if _is_vector(output, rows)]
        named = [index for index in vectors if "embed" in self._session.outputs[index].name.lower()]
        if not vectors:
            shapes = ", ".join(str(output.shape) for output in outputs)
            raise ModelError(
                f"{self._session.name} is no embedder: it gives {shapes} for a batch of {rows}; {ADVICE}"
            )
        chosen = (named or vectors)[0]
        return chosen, outputs[chosen].size // rows


def _is_vector(output: Array, rows: int) -> bool:
    """Whether it holds one vector per crop, if need be with trailing axes of size 1."""
    return (
        output.ndim >= 2
        and output.shape[0] == rows
        and output.shape[1] > 1
        and output[0].size == output.shape[1]
    )


def _input(session: Session) -> TensorSpec:
    """The one input, a batch of crops.

    Raises:
        ModelError: it is something else.
    """
    listing = ", ".join(str(item) for item in session.inputs)
    if len(session.inputs) != 1:
        raise ModelError(f"{session.name} takes {len(session.inputs)} inputs ({listing}); {ADVICE}")
    spec = session.inputs[0]
    if len(spec.shape) != 4 or spec.shape[1] != 3:
        raise ModelError(f"{session.name} takes {listing}; {ADVICE}")
    if None in spec.shape[2:]:
        raise ModelError(
            f"{session.name} takes crops of any size ({listing}); export it with the size it was trained at"
        )
    if spec.dtype not in (np.float32, np.float16):
        raise ModelError(
            f"{session.name} takes {spec.dtype} pixels; export it with a float32 or float16 input"
        )
    return spec
