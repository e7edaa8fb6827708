"""Figures kept between runs of benchmarks, and what they belong to."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
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


def digest_of(values: Mapping[str, Mapping[str, Any]], *, without: Sequence[str]) -> str:
    """A short name for plain values of a configuration, but for these sections or ``section.key``."""
    kept = {section: dict(content) for section, content in values.items() if content}
    for word in without:
        section, _, key = word.partition(".")
        if key:
            kept.get(section, {}).pop(key, None)
        else:
            kept.pop(section, None)
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:8]
