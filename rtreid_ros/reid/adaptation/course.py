"""How an adaptation goes, and when it has gone far enough: told by clusters alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from rtreid_ros.reid.adaptation.options import AdaptationOptions

_CALM = 2
"""Rounds in a row with stable clusters that end it."""


@dataclass(slots=True)
class AdaptationCourse:
    """How it went so far.

    Figures of an evaluation may be in what it holds; nothing here looks at them.

    Attributes:
        rounds: done.
        best: the highest silhouette so far.
        best_round: after which round the network is kept; 0 = before the first.
        stale: rounds since.
        calm: rounds in a row, the last among them, whose clusters agree with those before.
        before: what was known of the network as it came.
        statistics: the same with the target's statistics, from where rounds begin.
        history: what each round came to, as in ``log.jsonl``.
        kept: figures of the network that is kept, once all is over.
    """

    rounds: int = 0
    best: float = -1.0
    best_round: int = 0
    stale: int = 0
    calm: int = 0
    before: dict[str, Any] = field(default_factory=dict)
    statistics: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)

    def begin(self, silhouette: float) -> None:
        """Take in the clusters before the first round."""
        self.best = silhouette

    def note(self, row: dict[str, Any], options: AdaptationOptions) -> bool:
        """Take in a round; whether its network is kept.

        It is, unless its silhouette lies clearly below the highest so far: learning is expected to help,
        which a silhouette, that changes with eps from round to round, shows only roughly; what it shows
        is that clusters fall apart or flow together.
        """
        self.rounds += 1
        self.history.append(row)
        kept = bool(row["silhouette"] >= self.best - options.tolerance)
        self.best = max(self.best, row["silhouette"])
        if kept:
            self.best_round = self.rounds
        self.stale = 0 if kept else self.stale + 1
        calm = options.stable and row["agreement"] >= options.stable
        self.calm = self.calm + 1 if calm else 0
        return kept

    def ending(self, options: AdaptationOptions) -> str:
        """Why there is no further round; empty where there is."""
        if self.calm >= _CALM:
            return f"clusters have been stable for {self.calm} rounds (agreement {options.stable:g} or more)"
        if options.patience and self.stale >= options.patience:
            return f"worse clusters in {self.stale} rounds in a row"
        return f"all {self.rounds} rounds are done" if self.rounds >= options.rounds else ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return asdict(self)
