"""The detector backends by name.

To add one: write a function from `DetectorOptions` to a `Detector`, register it here, and name the
suffixes it reads in `rtreid_ros.runtime.session.SUFFIXES`. Each imports its library when called.
"""

from __future__ import annotations

from collections.abc import Callable

from rtreid_ros.detection.base import Detector, DetectorOptions
from rtreid_ros.detection.session_detector import SessionDetector
from rtreid_ros.registry import Registry
from rtreid_ros.runtime.session import backend_for, model_path

BUILTIN = "person_synthetic.onnx"
"""The detector that an empty model name means."""

backends: Registry[Callable[[DetectorOptions], Detector]] = Registry("detector backend")


def _onnx(options: DetectorOptions) -> Detector:
    from rtreid_ros.runtime.ort import OrtSession  # noqa: PLC0415 (see above)

    path = model_path(options.model, BUILTIN)
    return SessionDetector(OrtSession(path, options.providers, options.threads), options)


def _openvino(options: DetectorOptions) -> Detector:
    from rtreid_ros.runtime.openvino_ir import OpenVinoSession  # noqa: PLC0415 (see above)

    return SessionDetector(OpenVinoSession(model_path(options.model, BUILTIN), options.threads), options)


def _ultralytics(options: DetectorOptions) -> Detector:
    from rtreid_ros.detection.ultralytics_detector import UltralyticsDetector  # noqa: PLC0415 (see above)

    return UltralyticsDetector(options)


backends.register("onnx", _onnx)
backends.register("openvino", _openvino)
backends.register("ultralytics", _ultralytics)


def create_detector(options: DetectorOptions | None = None) -> Detector:
    """The detector that `options` describe, loaded and warmed up.

    Raises:
        ConfigError: an unknown backend, file suffix, class name or provider.
        ModelError: the file is missing, unreadable, or of a layout we do not know.
        MissingDependencyError: the backend's package is not installed.
    """
    options = options or DetectorOptions()
    return backends[backend_for(options.model or BUILTIN, options.backend, list(backends))](options)
