"""The pipeline with a memory on disk: a frame seen before needs no model."""

from __future__ import annotations

import json
import logging
from abc import ABC, abstractmethod
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from rtreid_ros.detection import create_detector
from rtreid_ros.detection.backends import BUILTIN as BUILTIN_DETECTOR
from rtreid_ros.detection.base import Detector
from rtreid_ros.errors import ConfigError
from rtreid_ros.pipeline import TrackingPipeline
from rtreid_ros.recordings.cache import FrameCache
from rtreid_ros.recordings.identity import model_folder, source_identity
from rtreid_ros.reid import create_embedder
from rtreid_ros.reid.backends import BUILTIN as BUILTIN_EMBEDDER
from rtreid_ros.reid.base import Embedder
from rtreid_ros.runtime.images import check_image
from rtreid_ros.runtime.info import ModelInfo
from rtreid_ros.types import Detections

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from rtreid_ros.camera_motion.base import CameraMotion
    from rtreid_ros.detection.base import DetectorOptions
    from rtreid_ros.reid.base import EmbedderOptions
    from rtreid_ros.reid.economy import EmbeddingEconomy
    from rtreid_ros.sources.base import Source
    from rtreid_ros.stages import Step
    from rtreid_ros.tracking import Tracker
    from rtreid_ros.types import Float32, Frame, UInt8

logger = logging.getLogger(__name__)

Model = TypeVar("Model", Detector, Embedder)


class CachedPipeline(TrackingPipeline):
    """A `TrackingPipeline` whose detections and embeddings are looked up before they are made.

    Files lie in ``FOLDER/DETECTOR/NAME.npz`` and ``FOLDER/DETECTOR/EMBEDDER/NAME.npz``, named after
    the models and after the source. Models are loaded when first needed. Call `save` at the end.

    Args:
        folder: of the cache.
        source: whose frames will come.
        detector: options of the detector.
        embedder: options of the embedder, or None for none.
        tracker: as in `TrackingPipeline`.
        camera_motion: likewise.
        economy: likewise; the cache keeps all detections' embeddings, since another run may want others.

    Raises:
        ConfigError: a live source.
        ModelError: a model file is missing.
    """

    def __init__(
        self,
        folder: Path,
        source: Source,
        detector: DetectorOptions,
        embedder: EmbedderOptions | None,
        tracker: Tracker,
        camera_motion: CameraMotion | None = None,
        economy: EmbeddingEconomy | None = None,
    ) -> None:
        key, name = source_identity(source), f"{source.name}.npz"
        place = folder / model_folder(detector, BUILTIN_DETECTOR)
        self.detections = FrameCache(place / name, key, ("boxes", "scores", "class_ids"))
        self.embeddings: FrameCache | None = None
        lazy = None
        if embedder is not None and tracker.uses_embeddings:
            path = place / model_folder(embedder, BUILTIN_EMBEDDER) / name
            self.embeddings = FrameCache(path, key, ("embeddings",))
            lazy = _Embedder(embedder, self.embeddings)
        super().__init__(_Detector(detector, self.detections), lazy, tracker, camera_motion, economy)

    def _detect(self, frame: Frame) -> Detections:
        check_image(frame.image)  # what is unusable shall not wake a model
        found = self.detections.get(frame.index)
        if found is not None:
            return Detections(found["boxes"], found["scores"], found["class_ids"])
        made = super()._detect(frame)
        self.detections.put(frame.index, boxes=made.boxes, scores=made.scores, class_ids=made.class_ids)
        return made

    def _embed(self, embedder: Embedder, step: Step) -> Float32:
        cache = self.embeddings
        assert cache is not None  # there is an embedder
        found = cache.get(step.frame.index, len(step.detections))
        if found is not None:
            vectors: Float32 = found["embeddings"][step.rows]
            return vectors
        made = embedder.embed(step.frame.image, step.detections.boxes)
        cache.put(step.frame.index, embeddings=made)
        return made[step.rows]

    def save(self) -> None:
        """Write what was made.

        Raises:
            SinkError: a file cannot be written.
        """
        for cache in filter(None, (self.detections, self.embeddings)):
            cache.save()

    def as_dict(self) -> dict[str, Any]:
        """What came from where, for JSON."""
        stages = {"detections": self.detections, "embeddings": self.embeddings}
        return {
            name: {"path": str(cache.path), "read": cache.hits, "made": cache.made}
            for name, cache in stages.items()
            if cache is not None
        }


class _Lazy(ABC, Generic[Model]):
    """A model that is loaded when it is asked for something the cache does not know."""

    def __init__(self, cache: FrameCache) -> None:
        self._cache = cache
        self._real: Model | None = None

    @abstractmethod
    def _create(self) -> Model:
        """The model itself."""

    @property
    def info(self) -> ModelInfo:
        return _info(self._cache, self._real) or self._load().info

    @property
    def rejected(self) -> int:
        return 0 if self._real is None else self._real.rejected

    def _load(self) -> Model:
        if self._real is None:
            self._real = self._create()
            _note(self._cache, self._real.info)
        return self._real


class _Detector(_Lazy[Detector]):
    def __init__(self, options: DetectorOptions, cache: FrameCache) -> None:
        super().__init__(cache)
        self._options = options

    def _create(self) -> Detector:
        detector = create_detector(self._options)
        self._cache.notes["class_names"] = np.array(detector.class_names, dtype=np.str_)
        return detector

    @property
    def class_names(self) -> tuple[str, ...]:
        if "class_names" not in self._cache.notes:
            return self._load().class_names
        return tuple(map(str, self._cache.notes["class_names"]))

    @property
    def max_batch(self) -> int:
        return self._load().max_batch

    def adjust(self, options: DetectorOptions) -> None:
        raise ConfigError("what is cached was found with the options given at the start")

    def detect(self, image: UInt8) -> Detections:
        return self._load().detect(image)

    def detect_many(self, images: Sequence[UInt8]) -> list[Detections]:
        return self._load().detect_many(images)


class _Embedder(_Lazy[Embedder]):
    def __init__(self, options: EmbedderOptions, cache: FrameCache) -> None:
        super().__init__(cache)
        self._options = options

    def _create(self) -> Embedder:
        return create_embedder(self._options)

    @property
    def dim(self) -> int:
        return self._load().dim

    def embed(self, image: UInt8, boxes: Float32) -> Float32:
        return self._load().embed(image, boxes)

    def embed_many(self, pairs: Sequence[tuple[UInt8, Float32]]) -> list[Float32]:
        return self._load().embed_many(pairs)


def _note(cache: FrameCache, info: ModelInfo) -> None:
    cache.notes["model"] = np.array(json.dumps(asdict(info)))


def _info(cache: FrameCache, real: Detector | Embedder | None) -> ModelInfo | None:
    """Which model made the rows; None where nobody knows yet."""
    if real is not None:
        return real.info
    if "model" not in cache.notes:
        return None
    values = json.loads(str(cache.notes["model"]))
    info = ModelInfo(**{**values, "input_size": tuple(values["input_size"])})
    return replace(info, provider="nothing, from the cache")
