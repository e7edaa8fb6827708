"""Python and packages."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from pathlib import Path

from rtreid_ros.cli.checks.base import Check, package_check
from rtreid_ros.version import version

_OLDEST, _NEWEST = (3, 10), (3, 13)
_NEEDED = {
    "numpy": "numpy",
    "scipy": "scipy",
    "cv2": "opencv-python-headless",
    "onnxruntime": "onnxruntime",
    "rosbags": "rosbags",
    "yaml": "pyyaml",
    "tqdm": "tqdm",
}
_EXTRAS = {
    "trackeval": ("trackeval", "eval", "rtreid eval"),
    "optuna": ("optuna", "tune", "rtreid tune"),
    "openvino": ("openvino", "openvino", "OpenVINO models (.xml)"),
    "ultralytics": ("ultralytics", "ultralytics", "models of Ultralytics (.pt, .engine)"),
    "torch": ("torch", "train", "training; embedders of torch (.torchscript, .pt2)"),
}


def core_checks() -> list[Check]:
    """What tracking needs."""
    return [
        Check("rtreid_ros", "ok", f"{version()}, in {Path(__file__).resolve().parents[2]}"),
        _python(),
        *(_needed(module, distribution) for module, distribution in _NEEDED.items()),
        *_doubles(),
    ]


def _needed(module: str, distribution: str) -> Check:
    # other builds of the same library bring the same module
    name = next((item for item in _builds_of(distribution) if _installed(item)), distribution)
    return package_check(module, name, needed=True, advice=f"pip install {distribution}")


def _builds_of(distribution: str) -> tuple[str, ...]:
    return {
        "opencv-python-headless": ("opencv-python-headless", "opencv-python", "opencv-contrib-python"),
        "onnxruntime": ("onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime"),
    }.get(distribution, (distribution,))


def _installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def _python() -> Check:
    detail = f"{platform.python_version()} on {platform.platform()}, {sys.executable}"
    if _OLDEST <= sys.version_info[:2] <= _NEWEST:
        return Check("python", "ok", detail)
    text = f"supported are {_OLDEST[0]}.{_OLDEST[1]} to {_NEWEST[0]}.{_NEWEST[1]}"
    return Check("python", "broken" if sys.version_info[:2] < _OLDEST else "warning", detail, text)


def _doubles() -> list[Check]:
    """Builds of one library that overwrite each other's files."""
    found = []
    for distribution in ("opencv-python-headless", "onnxruntime"):
        builds = [name for name in _builds_of(distribution) if _installed(name)]
        if len(builds) > 1:
            wanted = builds[0]
            advice = f"pip uninstall {' '.join(builds)} && pip install {wanted}"
            found.append(Check(distribution, "warning", f"{' and '.join(builds)} share their files", advice))
    return found


def extra_checks() -> list[Check]:
    """What is needed for some things only."""
    return [
        package_check(module, distribution, advice=f"for {purpose}: pip install 'rtreid_ros[{extra}]'")
        for module, (distribution, extra, purpose) in _EXTRAS.items()
    ]
