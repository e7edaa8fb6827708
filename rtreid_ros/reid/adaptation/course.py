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
        best_round: after which round that was; 0 = before the first.
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

    def note(self, row: dict[str, Any], stable: float) -> bool:
        """Take in a round; whether its network is the best so far."""
        self.rounds += 1
        self.history.append(row)
        better = bool(row["silhouette"] > self.best)
        if better:
            self.best, self.best_round = row["silhouette"], self.rounds
        self.stale = 0 if better else self.stale + 1
        self.calm = self.calm + 1 if stable and row["agreement"] >= stable else 0
        return better

    def ending(self, options: AdaptationOptions) -> str:
        """Why there is no further round; empty where there is."""
        if self.calm >= _CALM:
            return f"clusters have been stable for {self.calm} rounds (agreement {options.stable:g} or more)"
        if options.patience and self.stale >= options.patience:
            return f"no better clusters in {self.stale} rounds"
        return f"all {self.rounds} rounds are done" if self.rounds >= options.rounds else ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return asdict(self)
