"""What an exported file says about itself."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

from rtreid_ros.reid.checkpoint import Checkpoint
from rtreid_ros.reid.preprocessing import METADATA_KEY
from rtreid_ros.runtime.torch_file import SIZE_KEY
from rtreid_ros.version import version


def describe_export(checkpoint: Checkpoint, precision: str, side: str) -> dict[str, str]:
    """Text by key; what is no text is JSON. Of paths in the recipe only the last part is kept."""
    values: dict[str, Any] = {
        "description": f"Appearance embedder {checkpoint.model}, trained by rtreid train-reid",
        "task": "reid",
        METADATA_KEY: checkpoint.preprocessing.to_json(),
        "normalized": True,
        SIZE_KEY: checkpoint.size,
        "model": checkpoint.model,
        "options": checkpoint.options,
        "classes": checkpoint.classes,
        "cameras": checkpoint.cameras,
        "side": side,
        "precision": precision,
        "epoch": checkpoint.epoch,
        "figures": checkpoint.figures,
        "recipe": _without_folders(checkpoint.config),
        "version": version(),
    }
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def _without_folders(value: Any) -> Any:
    """`value`, with the file's name in place of each path: others have other folders."""
    if isinstance(value, dict):
        return {key: _without_folders(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_folders(item) for item in value]
    if isinstance(value, str) and value.startswith(("/", "~", "./", "../")):
        return PurePath(value).name
    return value
