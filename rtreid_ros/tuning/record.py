"""``tuning.json``: how a search was made and every trial of it; a search goes on from there."""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from rtreid_ros.errors import ConfigError, SinkError
from rtreid_ros.tuning.search import Trial

logger = logging.getLogger(__name__)

_LIBRARIES = ("numpy", "scipy", "optuna", "trackeval")
_HOW_MANY = "trials"
"""The one setting that may change between runs: more trials go on where fewer ended."""


def versions() -> dict[str, str]:
    """Of everything that has a say in the result."""
    return {
        "python": platform.python_version(),
        **{name: _version(name) for name in ("rtreid_ros", *_LIBRARIES)},
    }


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "unknown"


def read_trials(path: Path, settings: Mapping[str, Any]) -> dict[str, list[Trial]]:
    """Trials of an earlier run with the same settings, by split; none where there is no file.

    Raises:
        ConfigError: the file is of a search with other settings, or is not one of ours.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        before, stored = dict(content["settings"]), content["studies"]
        trials = {name: [Trial.from_dict(item) for item in items] for name, items in stored.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path}: not a record of tuning ({error!r}); give another --output, or --restart"
        ) from None
    now = json.loads(json.dumps(settings))
    changed = [key for key in now if key != _HOW_MANY and now[key] != before.get(key)]
    if changed:
        what = _said(changed[0], before.get(changed[0]), now[changed[0]])
        raise ConfigError(f"{path} is of a search with another {what}: give another --output, or --restart")
    if content.get("versions") != versions():
        logger.warning("%s was begun with other versions of libraries: trials may not be comparable", path)
    return trials


def _said(key: str, before: Any, now: Any) -> str:
    if isinstance(now, (str, int)):
        return f"{key} ({before}, now {now})"
    return {"space": "set of options or ranges", "tuned_on": "set of sequences or detections"}.get(key, key)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write as a whole: a reader finds the old file or the new one.

    Raises:
        SinkError: it cannot be written.
    """
    write_text(path, json.dumps(content, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """The same for text."""
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error})") from None


def tracker_yaml(tracker: str, options: Mapping[str, Any], comment: str) -> str:
    """A file for ``rtreid track --config``."""
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
    heading = "".join(f"# {line}\n" for line in comment.splitlines())
    return heading + yaml.safe_dump({"tracker": {"name": tracker, **values}}, sort_keys=False)
