"""A detector over any `Session`: letterbox, run, decode, suppress, map back."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from rtreid_ros.detection.base import DetectorOptions
from rtreid_ros.detection.labels import select
from rtreid_ros.detection.layouts import YOLO, Probe, recognise
from rtreid_ros.detection.letterbox import GRAY, Letterbox, Placement
from rtreid_ros.detection.nms import suppress
from rtreid_ros.errors import ModelError
from rtreid_ros.runtime.images import check_image
from rtreid_ros.runtime.info import ModelInfo
from rtreid_ros.runtime.session import COMPILES_EACH_SHAPE, Array, Session
from rtreid_ros.types import Detections, UInt8

logger = logging.getLogger(__name__)

DEFAULT_SIZE = 640
"""Height and width for a model that takes any and names none: what YOLO is trained at."""

MOST_IMAGES = 8
"""Most images in one inference; bounds the memory it takes."""


class SessionDetector:
    """A detector over a loaded model. See `Detector`.

    Boxes are clipped to the image: measured on TUD-Stadtmitte that changes no figure, and crops, drawings and
    messages need no second thought.

    Attributes:
        rejected: rows dropped so far because the model gave no finite box of positive size, no score in
            [0, 1] or no class it names.

    Raises:
        ModelError: the model is no detector we can feed or read.
        ConfigError: `options.classes` names one the model does not have.
    """

    def __init__(self, session: Session, options: DetectorOptions) -> None:
        self._session = session
        self.rejected = 0
        size, dtype = _input(session)
        gray = np.full((*size, 3), GRAY, np.uint8)
        blob, _ = Letterbox(size, YOLO, dtype)(gray)
        outputs = session.run(blob)  # also the warm-up: the first run of a session allocates and tunes
        self._layout = recognise(Probe(session.name, size, session.metadata, outputs))
        self.adjust(options)
        self._letterbox = Letterbox(size, self._layout.style, dtype)
        self._info = ModelInfo(session.name, session.backend, session.provider, self._layout.name, size)

    def adjust(self, options: DetectorOptions) -> None:
        """Go on with other thresholds, classes and most detections. See `Detector.adjust`."""
        # at once, so that no image sees the thresholds of one and the classes of the other
        self._chosen = options, select(options.classes, self._layout.class_names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Name of each class id."""
        return self._layout.class_names

    @property
    def info(self) -> ModelInfo:
        """Which model runs where."""
        return self._info

    @cached_property
    def max_batch(self) -> int:
        """Most images in one inference."""
        # found by trying two: many a graph that takes any number reshapes to one inside
        session, output = self._session, self._layout.output
        if session.inputs[0].shape[0] == 1 or session.provider == COMPILES_EACH_SHAPE:
            return 1
        blob, _ = self._letterbox.stack([np.full((*self._info.input_size, 3), GRAY, np.uint8)] * 2)
        try:
            single, double = session.run(blob[:1])[output], session.run(blob)[output]
        except ModelError as error:
            logger.info("%s takes images one by one: %s", session.name, error)
            return 1
        return MOST_IMAGES if double.shape == (2, *single.shape[1:]) else 1

    def detect(self, image: UInt8) -> Detections:
        """Detections in a ``(H, W, 3) uint8`` BGR image, by descending score, in its pixels.

        Raises:
            ImageError: `image` is no such array.
            ModelError: the model failed.
        """
        return self.detect_many([image])[0]

    def detect_many(self, images: Sequence[UInt8]) -> list[Detections]:
        """What `detect` gives for each image, in common inferences where the model allows.

        Raises:
            ImageError: one of `images` is no such array; nothing was run.
            ModelError: the model failed.
        """
        for image in images:
            check_image(image)
        most = self.max_batch if len(images) > 1 else 1
        found = []
        for start in range(0, len(images), most):
            part = images[start : start + most]
            blob, placements = self._letterbox.stack(part)
            output = self._session.run(blob)[self._layout.output]
            for row, (image, placement) in enumerate(zip(part, placements, strict=True)):
                # decoders read the output of one image, whose first axis need not be the batch (SSD)
                own = output if len(part) == 1 else output[row : row + 1]
                found.append(self._read(own, placement, image.shape[:2]))
        return found

    def _read(self, output: Array, placement: Placement, size: tuple[int, ...]) -> Detections:
        options, wanted = self._chosen
        boxes, scores, class_ids = self._layout.decoder(output, options.score_threshold, wanted)
        boxes = placement.to_image(boxes)
        sound = np.isfinite(boxes).all(axis=1) & (scores >= 0) & (scores <= 1)
        sound &= (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        sound &= (class_ids >= 0) & (class_ids < len(self._layout.class_names))
        if not sound.all():
            self._reject(len(sound) - int(sound.sum()))
        height, width = size
        # what lies in the padding alone is nothing in the image
        sound &= (boxes[:, 0] < width) & (boxes[:, 1] < height) & (boxes[:, 2] > 0) & (boxes[:, 3] > 0)
        boxes, scores, class_ids = boxes[sound], scores[sound], class_ids[sound]
        if self._layout.nms:
            rows = suppress(boxes, scores, class_ids, options.nms_threshold, options.max_detections)
        else:
            rows = np.argsort(-scores, kind="stable")[: options.max_detections]
        boxes = np.clip(boxes[rows], 0, np.array([width, height, width, height], np.float32))
        return Detections(boxes, scores[rows], class_ids[rows])

    def _reject(self, count: int) -> None:
        if not self.rejected:
            logger.warning(
                "%s gives boxes or scores that are no numbers in range; such rows are dropped", self.info.name
            )
        self.rejected += count


def _input(session: Session) -> tuple[tuple[int, int], np.dtype[np.floating]]:
    """``(height, width)`` and type of the one image input.

    Raises:
        ModelError: the input is no image batch.
    """
    if len(session.inputs) != 1:
        listing = ", ".join(str(item) for item in session.inputs)
        raise ModelError(
            f"{session.name} takes {len(session.inputs)} inputs ({listing}); a detector takes one image"
        )
    spec = session.inputs[0]
    if len(spec.shape) != 4 or spec.shape[1] not in (3, None) or spec.shape[0] not in (1, None):
        raise ModelError(
            f"{session.name} takes {spec}; a detector takes one image as [1, 3, height, width] "
            "(export it in NCHW order with a batch of 1 or of any size)"
        )
    if spec.dtype not in (np.float32, np.float16):
        raise ModelError(
            f"{session.name} takes {spec.dtype} pixels; export it with a float32 or float16 input"
        )
    fallback = _stated_size(session)
    height = spec.shape[2] or fallback[0]
    width = spec.shape[3] or fallback[1]
    return (height, width), spec.dtype


def _stated_size(session: Session) -> tuple[int, int]:
    """``(height, width)`` of the metadata's ``imgsz``, else the default."""
    text = session.metadata.get("imgsz", "").strip()
    if not text:
        return DEFAULT_SIZE, DEFAULT_SIZE
    if not re.fullmatch(r"\d+|[\[(]\s*\d+\s*,\s*\d+\s*[\])]", text):
        raise ModelError(f"{session.name}: metadata imgsz is {text!r}, not a size such as 640 or [384, 640]")
    value = ast.literal_eval(text)
    height, width = value if isinstance(value, list | tuple) else (value, value)
    return int(height), int(width)
