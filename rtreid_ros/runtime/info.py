"""Which model runs where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """For logs, ``/diagnostics`` and ``rtreid doctor``.

    Attributes:
        name: file name of the model.
        backend: ``onnx``, ``openvino``, ``torch``, ``ultralytics``.
        provider: device or execution provider really in use, such as ``CUDAExecutionProvider``.
        layout: how its output is read (``yolov5``, ``yolov8``, ``yolox``, ``embedding``, ...).
        input_size: ``(height, width)`` of its input in pixels.
    """

    name: str
    backend: str
    provider: str
    layout: str
    input_size: tuple[int, int]

    def __str__(self) -> str:
        height, width = self.input_size
        return f"{self.name} ({self.layout}, {width}x{height}, {self.backend} on {self.provider})"
