"""Figures kept between runs of the benchmarks of trackers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

PARTS = ("runs", "timing", "scaled", "soak", "made")


class ResultsFile:
    """A JSON file of figures by part and key; two commands may add to it at the same time.

    Attributes:
        content: figures by part and key, those of earlier runs included.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fresh: dict[str, dict[str, Any]] = {}
        self.content = self._read()

    def put(self, part: str, key: str, value: Any) -> None:
        """Take in something measured now."""
        self.content[part][key] = value
        self._fresh.setdefault(part, {})[key] = value

    def save(self) -> None:
        """Write what was measured now; what another command has written meanwhile stays."""
        kept = self._read()
        for part, values in self._fresh.items():
            kept[part].update(values)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        temporary.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        temporary.replace(self._path)

    def _read(self) -> dict[str, dict[str, Any]]:
        content: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
        if self._path.is_file():
            content.update(json.loads(self._path.read_text(encoding="utf-8")))
        return content
