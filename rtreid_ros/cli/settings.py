"""What a run uses: defaults, then a YAML file, then ``--set``, then the flags of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtreid_ros.camera_motion import CameraMotionOptions
from rtreid_ros.configuration import build_section, read_override, read_sections
from rtreid_ros.detection.base import DetectorOptions
from rtreid_ros.options import Option, describe
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
        assignments: ``section.key=value`` as typed.
        flags: values by ``section.key``; None where the user gave none.

    Raises:
        ConfigError: the file is unreadable, or a name or value is not allowed.
    """
    known = [*GROUPS, "tracker"]
    given = read_sections(Path(config) if config else {}, known)
    for text in assignments:
        group, name, word = read_override(text, known)
        given[group][name] = word
    for key, value in (flags or {}).items():
        group, _, name = key.partition(".")
        if value is not None:
            given[group][name] = value
    tracker = str(given["tracker"].pop("name", DEFAULT_TRACKER))
    classes = {**GROUPS, "tracker": TRACKERS[tracker].Options}
    made: dict[str, Any] = {group: build_section(classes[group], group, given[group]) for group in known}
    return Settings(
        detector=made["detector"],
        embedder=made["embedder"],
        economy=made["economy"],
        tracker=tracker,
        tracker_options=made["tracker"],
        camera_motion=made["camera_motion"],
        video=made["video"],
    )


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
