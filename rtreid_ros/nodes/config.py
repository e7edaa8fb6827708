"""The files in ``config/``: every parameter of every node with its default, written from the options.

``python -m rtreid_ros.nodes.config [FOLDER]`` writes them anew; a test compares.
"""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

from rtreid_ros.nodes.options import NODES, NodeDescription
from rtreid_ros.options import Option, describe
from rtreid_ros.tracking import TRACKERS

_WIDTH = 100
_MADE_BY = (
    "# Defaults, written by `python -m rtreid_ros.nodes.config`: change a copy.\n"
    "# live: `ros2 param set` changes it at any time; the others are read when the node configures.\n"
)


def config_files() -> dict[str, str]:
    """Content of every file by its path below ``config/``: one for each node and each tracker."""
    files = {f"{kind}.yaml": _node_file(kind, description) for kind, description in NODES.items()}
    for name in TRACKERS:
        options = [(f"tracker.{item.name}", item) for item in describe(TRACKERS[name].Options)]
        title = f"# Options of the tracker {name}, for tracking_node and tracker_node.\n"
        chosen = f"    tracker:\n      name: {name}\n"
        files[f"trackers/{name}.yaml"] = _file(title, chosen + _group("tracker", options))
    return files


def _node_file(kind: str, description: NodeDescription) -> str:
    groups: dict[str, list[tuple[str, Option]]] = {}
    for name, item in description.options():
        groups.setdefault(name.rpartition(".")[0], []).append((name, item))
    body = "".join(
        (f"    {prefix}:\n" if prefix else "") + _group(prefix, options) for prefix, options in groups.items()
    )
    return _file(f"# {kind}: {description.summary}\n", body)


def _file(title: str, body: str) -> str:
    return f"{title}{_MADE_BY}/**:\n  ros__parameters:\n{body}"


def _group(prefix: str, options: list[tuple[str, Option]]) -> str:
    indent = " " * (6 if prefix else 4)
    lines = []
    for name, item in options:
        text = item.help + _allowed(item)
        lines += textwrap.wrap(text, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")
        lines.append(f"{indent}{name.rpartition('.')[2]}: {_scalar(item.default)}")
    return "\n".join(lines) + "\n"


def _allowed(item: Option) -> str:
    notes = [note for note in (_values(item), "live" if item.live else "") if note]
    return f" ({'; '.join(notes)})" if notes else ""


def _values(item: Option) -> str:
    if item.choices is not None:
        return ", ".join(item.choices)
    if item.ge is not None and item.le is not None:
        return f"{item.ge:g} to {item.le:g}"
    if item.ge is not None:
        return f"at least {item.ge:g}"
    return "" if item.le is None else f"at most {item.le:g}"


def _scalar(value: Any) -> str:
    """A YAML scalar or list that ROS reads with the right type."""
    if isinstance(value, float):
        text = f"{value:.12f}".rstrip("0")
        return text + "0" if text.endswith(".") else text
    if isinstance(value, tuple):
        return json.dumps(list(value) or [""])  # ROS cannot read an empty list
    return json.dumps(value)


def main(arguments: list[str]) -> int:
    """Write the files into a folder, ``config`` unless given."""
    folder = Path(arguments[0] if arguments else "config")
    for name, text in config_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
