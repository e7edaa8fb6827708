"""Detectors run by the Ultralytics package: ``.pt``, ``.engine`` and whatever else it reads.

That package is licensed under AGPL-3.0 and brings torch; it is imported only when this is used.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rtreid_ros.detection.base import DetectorOptions
from rtreid_ros.detection.labels import select
from rtreid_ros.errors import ConfigError, MissingDependencyError, ModelError
from rtreid_ros.runtime.images import check_image
from rtreid_ros.runtime.info import ModelInfo
from rtreid_ros.runtime.session import first_line
from rtreid_ros.types import Detections, UInt8

logger = logging.getLogger(__name__)


class UltralyticsDetector:
    """A detector over ``ultralytics.YOLO``. See `Detector`.

    The names of published weights (``yolo11n.pt``) are left to the package, which downloads what it knows.

    Attributes:
        rejected: rows dropped so far because they hold no finite box of positive size or no score in [0, 1].
        max_batch: 1, for the package pads images of a list in another way than single ones.

    Raises:
        MissingDependencyError: Ultralytics is not installed.
        ConfigError: no model is named, or `options.classes` names a class it does not have.
        ModelError: the model cannot be loaded, or finds no upright boxes.
    """

    max_batch = 1

    def __init__(self, options: DetectorOptions) -> None:
        if not options.model:
            raise ConfigError("the ultralytics backend needs a model, such as yolo11n.pt")
        try:
            import torch  # noqa: PLC0415 (optional)
            import ultralytics  # noqa: PLC0415 (optional, brings torch)
        except ImportError as error:
            raise MissingDependencyError(
                f"{options.model} needs the package ultralytics, which is not installed; "
                "run: pip install 'rtreid_ros[ultralytics]' (its licence is AGPL-3.0), "
                "or export the model to ONNX"
            ) from error
        if options.threads:
            torch.set_num_threads(options.threads)  # torch knows this setting per process only
        self.rejected = 0
        self._name = Path(options.model).name
        try:
            self._model: Any = ultralytics.YOLO(options.model)
            task = str(self._model.task)
            names = self._model.names
        except Exception as error:  # it raises whatever its file readers and torch raise
            raise ModelError(
                f"ultralytics cannot load {options.model!r}: {first_line(error)}; "
                "check the path, and that the file is complete"
            ) from error
        if task not in ("detect", "segment", "pose"):
            raise ModelError(f"{self._name} is made for the task {task!r}; a detector is needed")
        self._names = tuple(str(names[index]) for index in range(len(names)))
        self.adjust(options)
        self._predict(np.zeros((64, 64, 3), np.uint8))  # fuses layers and picks the device
        predictor = self._model.predictor
        height, width = predictor.imgsz
        self._info = ModelInfo(self._name, "ultralytics", str(predictor.device), task, (height, width))

    def adjust(self, options: DetectorOptions) -> None:
        """Go on with other thresholds, classes and most detections. See `Detector.adjust`."""
        wanted = select(options.classes, self._names)
        self._arguments: dict[str, Any] = {
            "conf": options.score_threshold,
            "iou": options.nms_threshold,
            "max_det": options.max_detections,
            "classes": None if wanted is None else wanted.tolist(),
            "verbose": False,
        }

    @property
    def class_names(self) -> tuple[str, ...]:
        """Name of each class id."""
        return self._names

    @property
    def info(self) -> ModelInfo:
        """Which model runs where."""
        return self._info

    def detect(self, image: UInt8) -> Detections:
        """Detections in a ``(H, W, 3) uint8`` BGR image, by descending score, in its pixels.

        Raises:
            ImageError: `image` is no such array.
            ModelError: the model failed.
        """
        check_image(image)
        found = self._predict(image).boxes.cpu().numpy()
        detections = Detections(found.xyxy, found.conf, found.cls)
        sound = detections.is_valid()
        self.rejected += len(sound) - int(sound.sum())
        rows = np.argsort(-detections.scores, kind="stable")
        return detections[rows[sound[rows]]]

    def detect_many(self, images: Sequence[UInt8]) -> list[Detections]:
        """What `detect` gives for each image, one after the other."""
        return [self.detect(image) for image in images]

    def _predict(self, image: UInt8) -> Any:
        try:
            return self._model.predict(image, **self._arguments)[0]
        except Exception as error:  # it raises whatever torch or the engine raises
            raise ModelError(
                f"{self._name} failed on an image of shape {image.shape}: {first_line(error)}"
            ) from error
