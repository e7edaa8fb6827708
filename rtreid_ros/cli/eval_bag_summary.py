"""What ``rtreid eval-bag`` says at its end."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtreid_ros.bags.latency import latency_table
from rtreid_ros.cli.eval import write_text
from rtreid_ros.evaluation.metrics import Evaluation, combine
from rtreid_ros.evaluation.mot_text import read_mot
from rtreid_ros.evaluation.report import table

if TYPE_CHECKING:
    from rtreid_ros.bags.judging import CameraJudge
    from rtreid_ros.bags.latency import Latencies

_STAGES = ("detection_ms", "embedding_ms", "camera_motion_ms", "tracking_ms", "node_ms")


def tracks_file(output: Path, name: str, cameras: Collection[str]) -> Path:
    """Where the tracks of a camera are written: in a folder of its name where there are several."""
    return output / "tracks.txt" if len(cameras) == 1 else output / name / "tracks.txt"


def files_of(output: Path, cameras: Collection[str]) -> list[Path]:
    """All that is written for these cameras; the last is the bag."""
    texts = [tracks_file(output, name, cameras) for name in cameras]
    return [*texts, *(output / f"{name}.json" for name in ("metrics", "latency", "trace")), output / "bag"]


@dataclass
class Outcome:
    """A bag that was replayed, and how its cameras fared.

    Attributes:
        output: folder of the results.
        judges: by camera.
        latencies: by camera.
        models: what ran where, by stage.
        evaluations: scores of the cameras with ground truth, of what ``tracks.txt`` says.
    """

    output: Path
    judges: Mapping[str, CameraJudge]
    latencies: Mapping[str, Latencies]
    models: Mapping[str, str]
    evaluations: dict[str, Evaluation] = field(init=False)

    def __post_init__(self) -> None:
        files = {name: tracks_file(self.output, name, self.judges) for name in self.judges}
        judged = {name: judge.evaluation(read_mot(files[name])) for name, judge in self.judges.items()}
        self.evaluations = {name: item for name, item in judged.items() if item is not None}

    def write(self) -> None:
        """``metrics.json``, in which nothing was measured with a clock, and ``latency.json``.

        Raises:
            SinkError: they cannot be written.
        """
        latencies = {name: item.as_dict() for name, item in self.latencies.items()}
        for name, content in (("metrics", self._metrics()), ("latency", latencies)):
            write_text(self.output / f"{name}.json", json.dumps(content, indent=2) + "\n")

    def text(self) -> str:
        """The same for people."""
        lines = [self._camera_line(name) for name in self.judges]
        lines += [f"{stage.ljust(9)} {model}" for stage, model in self.models.items()]
        rows = list(self.evaluations.values())
        if rows:
            lines.append(table([*rows, combine(rows)] if len(rows) > 1 else rows))
        elif any(judge.truth is not None for judge in self.judges.values()):
            lines.append("no scores: the ground truth tells of none of these images")
        else:
            lines.append("no ground truth, no scores: give --gt, or a bag with a topic ground_truth")
        lines.append(latency_table(self.latencies, _STAGES))
        *files, bag = files_of(self.output, self.judges)
        return "\n".join([*lines, *(f"  {path}" for path in files), f"  {bag}/"])

    def _refused(self, name: str) -> int:
        judge = self.judges[name]
        return judge.images - judge.late - len(self.latencies[name])

    def _without_truth(self, name: str) -> int:
        judge = self.judges[name]
        return 0 if judge.truth is None else judge.unknown

    def _unused(self, name: str) -> int:
        truth = self.judges[name].truth
        return 0 if truth is None else truth.unused

    def _camera_line(self, name: str) -> str:
        judge = self.judges[name]
        notes = {
            "late": judge.late,
            "refused": self._refused(name),
            "without ground truth, not judged": self._without_truth(name),
        }
        text = "".join(f", {count} {what}" for what, count in notes.items() if count)
        if unused := self._unused(name):
            text += f", {unused} frames of the ground truth without an image"
        if judge.restarts:
            text += (
                f", {judge.restarts} jumps back in time: tracks began anew there, each part is judged apart"
            )
        return f"{name}: {judge.images} images, {len(self.latencies[name])} tracked{text}"

    def _metrics(self) -> dict[str, Any]:
        cameras = {}
        for name, judge in self.judges.items():
            evaluation = self.evaluations.get(name)
            cameras[name] = {
                "images": judge.images,
                "tracked": len(self.latencies[name]),
                "late": judge.late,
                "refused": self._refused(name),
                "restarts": judge.restarts,
                "judged": judge.judged,
                "without_truth": self._without_truth(name),
                "truth_without_image": self._unused(name),
                "scores": None if evaluation is None else evaluation.scores.as_dict(),
            }
        rows = list(self.evaluations.values())
        combined = combine(rows).scores.as_dict() if rows else None
        return {"models": dict(self.models), "cameras": cameras, "combined": combined}
