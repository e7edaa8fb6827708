"""How long the stages took, image by image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

PERCENTILES = (50, 99)


class Latencies:
    """Milliseconds by stage, of one camera.

    Attributes:
        seconds: of the whole run, reading and writing included.
    """

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}
        self._count = 0
        self.seconds = 0.0

    def __len__(self) -> int:
        """Images."""
        return self._count

    def add(self, milliseconds: Mapping[str, float]) -> None:
        """What one image took."""
        self._count += 1
        for stage, value in milliseconds.items():
            self._values.setdefault(stage, []).append(value)

    def percentiles(self, stage: str) -> tuple[float, float]:
        """Of a stage: the median and the 99th percentile, to the microsecond; 0 where it never ran."""
        p50, p99 = np.percentile(self._values.get(stage, [0.0]), PERCENTILES)
        return round(float(p50), 3), round(float(p99), 3)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON."""
        stages: dict[str, Any] = {}
        for stage in self._values:
            stages[stage] = dict(zip(("p50", "p99"), self.percentiles(stage), strict=True))
        return {"images": len(self), "seconds": round(self.seconds, 3), **stages}


def latency_table(latencies: Mapping[str, Latencies], stages: Sequence[str]) -> str:
    """Median and 99th percentile of every stage, a column pair per camera."""
    header = ["ms per image", *(f"{name} p{q}" for name in latencies for q in PERCENTILES)]
    rows = [header]
    for stage in stages:
        cells = [f"{value:.2f}" for item in latencies.values() for value in item.percentiles(stage)]
        rows.append([stage.removesuffix("_ms").replace("_", " "), *cells])
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )
