"""Judges tracks against ground truth while the graph runs."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from pathlib import Path

import numpy as np

from rtreid_ros.errors import ConfigError, RtreidError
from rtreid_ros.evaluation.judging import BENCHMARKS
from rtreid_ros.evaluation.metrics import NEEDED, can_judge
from rtreid_ros.evaluation.stamped import StampedEvaluator
from rtreid_ros.msg import TrackArray
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.flow.ledger import Entry
from rtreid_ros.nodes.main import run
from rtreid_ros.nodes.messages.conversions import ground_truth_from_message, stamp_ns, tracks_from_message
from rtreid_ros.nodes.stages.observer import ObserverNode

_LATENCIES = 100_000


class EvaluatorNode(ObserverNode):
    """Subscribes to ``tracks`` and ``ground_truth``; writes figures as JSON at the end of a run.

    Always: ``frames`` published, ``dropped`` (without tracks), and from image stamp to receipt of
    the tracks, in milliseconds, ``latency_ms_p50`` and ``_p99``, ``overhead_ms_p50`` and ``_p99``
    (the same without the time inside the stages); null where stamps are of another clock, or media
    time when lossless. With ground truth, and TrackEval to judge by, also the figures of
    `evaluation.Scores`.
    """

    kind = "evaluator_node"

    def configure(self) -> None:
        """Make sure that the figures can be written."""
        options = self.options()
        self.lossless, self.settle = options.lossless, options.settle
        self._output = Path(options.output)
        self._evaluator = StampedEvaluator(BENCHMARKS[options.rules])
        self._latencies: deque[tuple[float, float]] = deque(maxlen=_LATENCIES)
        self._has_truth = False
        self._judges = can_judge()
        if not self._judges:
            self.get_logger().warning(f"only latencies and counts, no scores: {NEEDED}")
        try:
            self._output.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"parameter output: cannot write {self._output}: {error.strerror}") from None
        super().configure()

    def activate(self) -> None:
        """Make topics."""
        super().activate()
        self.subscribe_to(TrackArray, "ground_truth", self._take_truth, qos.record_qos(publishing=False))

    def _take_truth(self, message: TrackArray) -> None:
        self._has_truth = True
        self.last_news = time.monotonic()
        self._evaluator.add_truth(stamp_ns(message), ground_truth_from_message(message))

    def receive(self, message: TrackArray) -> None:
        """Note when the tracks came."""
        latency = self.age_ms(stamp_ns(message))
        if latency is None:
            return
        models = message.detection_ms + message.embedding_ms + message.camera_motion_ms + message.tracking_ms
        self._latencies.append((latency, latency - models))

    def observe(self, entry: Entry[TrackArray]) -> None:
        """Keep the tracks for judging."""
        self._evaluator.add_tracks(entry.stamp_ns, tracks_from_message(entry.result))

    def conclude(self) -> None:
        """Judge and write the figures."""
        frames = max(self.published or 0, self.ledger.announced)
        figures: dict[str, float | int | None] = {}
        if self._has_truth and self._judges:
            try:
                figures.update(self._evaluator.evaluation().scores.as_dict())
            except RtreidError as error:
                self.exit_code = 1
                self.get_logger().error(f"cannot judge the tracks: {error}")
        figures.update(frames=frames, dropped=frames - self.ledger.answered)
        for name, column in (("latency", 0), ("overhead", 1)):
            values = [pair[column] for pair in self._latencies]
            for percentile in (50, 99):
                value = float(np.percentile(values, percentile)) if values else None
                figures[f"{name}_ms_p{percentile}"] = value
        self._output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        self.get_logger().info(f"wrote {self._output}: {frames} frames, {figures['dropped']} dropped")


def main() -> int:
    """Entry point."""
    return run(EvaluatorNode, EvaluatorNode.kind)


if __name__ == "__main__":
    sys.exit(main())
