"""What a run uses: defaults, then a YAML file, then ``--set``, then the flags of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rtreid_ros.camera_motion import CameraMotionOptions
from rtreid_ros.detection.base import DetectorOptions
from rtreid_ros.errors import ConfigError
from rtreid_ros.options import Option, build, describe
from rtreid_ros.registry import suggest
from rtreid_ros.reid.base import EmbedderOptions
from rtreid_ros.reid.economy import EconomyOptions
from rtreid_ros.tracking import DEFAULT_TRACKER, TRACKERS
from rtreid_ros.visualization.annotator import VisualizationOptions

GROUPS: dict[str, type] = {
    "detector": DetectorOptions,
    "embedder": EmbedderOptions,
    "economy": EconomyOptions,
    "camera_motion": CameraMotionOptions,
    "video": VisualizationOptions,
}
"""Groups of options with a fixed set of names; `tracker` is one more, by its ``name``."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of every stage, checked."""

    detector: DetectorOptions
    embedder: EmbedderOptions
    economy: EconomyOptions
    tracker: str
    tracker_options: Any
    camera_motion: CameraMotionOptions
    video: VisualizationOptions


def read_settings(
    config: str | Path | None = None,
    assignments: Iterable[str] = (),
    flags: Mapping[str, Any] | None = None,
) -> Settings:
    """Checked settings.

    Args:
        config: YAML file: a mapping of ``detector``, ``embedder``, ``economy``, ``camera_motion``,
            ``tracker`` (with ``name``) and ``video`` to their options.
        assignments: ``group.option=value`` as typed.
        flags: values by ``group.option``; None where the user gave none.

    Raises:
        ConfigError: the file is unreadable, or a name or value is not allowed.
    """
    given: dict[str, dict[str, Any]] = {group: {} for group in (*GROUPS, "tracker")}
    for group, values in (_read_yaml(Path(config)) if config else {}).items():
        given[_known_group(group)].update(values)
    typed = [_split(text) for text in assignments]
    named = [text for group, name, text in typed if (group, name) == ("tracker", "name")]
    tracker = (flags or {}).get("tracker.name") or (named or [given["tracker"].get("name", DEFAULT_TRACKER)])[
        -1
    ]
    given["tracker"].pop("name", None)
    classes = {**GROUPS, "tracker": TRACKERS[tracker].Options}
    for group, name, text in typed:
        if (group, name) != ("tracker", "name"):
            given[group][name] = _option(classes[group], group, name).parse(text)
    for key, value in (flags or {}).items():
        group, _, name = key.partition(".")
        if value is not None and key != "tracker.name":
            given[group][name] = value
    made = {group: _build(classes[group], group, values) for group, values in given.items()}
    return Settings(
        detector=made["detector"],
        embedder=made["embedder"],
        economy=made["economy"],
        tracker=tracker,
        tracker_options=made["tracker"],
        camera_motion=made["camera_motion"],
        video=made["video"],
    )


def _read_yaml(path: Path) -> dict[str, dict[str, Any]]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read as YAML ({error})") from None
    content = {} if content is None else content
    if not isinstance(content, dict) or not all(isinstance(values, dict) for values in content.values()):
        raise ConfigError(
            f"{path}: expected groups ({', '.join([*GROUPS, 'tracker'])}), each a mapping of options"
        )
    return content


def _known_group(group: str) -> str:
    known = [*GROUPS, "tracker"]
    if group not in known:
        raise ConfigError(
            f"unknown group of options {group!r}{suggest(str(group), known)}; known: {', '.join(known)}"
        )
    return group


def _split(text: str) -> tuple[str, str, str]:
    key, equals, value = text.partition("=")
    group, dot, name = key.strip().partition(".")
    if not equals or not dot:
        raise ConfigError(f"expected group.option=value, got {text!r}")
    return _known_group(group), name, value.strip()


def _option(cls: type, group: str, name: str) -> Option:
    known = {item.name: item for item in describe(cls)}
    if name not in known:
        raise ConfigError(
            f"{group} has no option {name!r}{suggest(name, list(known))}; known: {', '.join(known)}"
        )
    return known[name]


def _build(cls: type, group: str, values: Mapping[str, Any]) -> Any:
    for name in values:
        _option(cls, group, name)
    return build(cls, values)


def options_text(tracker: str = DEFAULT_TRACKER) -> str:
    """Every option with its default, for ``--set`` and the YAML file."""
    lines = []
    for group, cls in {**GROUPS, "tracker": TRACKERS[tracker].Options}.items():
        lines.append(f"{group}{f' ({tracker})' if group == 'tracker' else ''}:")
        if group == "tracker":
            lines += [f"  tracker.name={DEFAULT_TRACKER}", f"      one of {', '.join(TRACKERS)}"]
        for item in describe(cls):
            default = ",".join(item.default) if item.kind is tuple else item.default
            lines += [f"  {group}.{item.name}={_plain(default)}", f"      {item.help}{_allowed(item)}"]
    return "\n".join(lines)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _allowed(item: Option) -> str:
    if item.choices is not None:
        return f" ({', '.join(item.choices)})"
    bounds = [
        f">= {item.ge:g}" if item.ge is not None else "",
        f"<= {item.le:g}" if item.le is not None else "",
    ]
    text = " and ".join(filter(None, bounds))
    return f" ({text})" if text else ""
