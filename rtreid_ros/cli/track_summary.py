"""What ``rtreid track`` says at its end."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtreid_ros.recordings.cached_pipeline import CachedPipeline

if TYPE_CHECKING:
    import argparse

    from rtreid_ros.cli.settings import Settings
    from rtreid_ros.pipeline import RunSummary, TrackingPipeline


def write_summary(
    path: Path,
    arguments: argparse.Namespace,
    settings: Settings,
    pipeline: TrackingPipeline,
    summary: RunSummary,
) -> None:
    """``summary.json``: everything the run was told, and its figures."""
    content: dict[str, Any] = {
        "source": arguments.source,
        "detector": {**asdict(settings.detector), "runs": str(pipeline.detector.info)},
        "embedder": None,
        "camera_motion": asdict(settings.camera_motion),
        "tracker": {"name": settings.tracker, **asdict(settings.tracker_options)},
        **summary.as_dict(),
    }
    if isinstance(pipeline, CachedPipeline):
        content["cache"] = pipeline.as_dict()
    if pipeline.embedder is not None:
        content["embedder"] = {**asdict(settings.embedder), "runs": str(pipeline.embedder.info)}
    if pipeline.economy is not None:
        content["economy"] = {**asdict(settings.economy), **pipeline.economy.counts()}
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def print_summary(summary: RunSummary, pipeline: TrackingPipeline, written: list[Path]) -> None:
    """The same in short, for people."""
    figures = summary.as_dict()
    detail = (
        f"{summary.frames} frames, {len(summary.ids)} ids, {summary.frames_per_second:.1f} frames per second"
    )
    notes = {
        "skipped": summary.skipped,
        "late": summary.late,
        "lost": summary.lost,
        "rejected detections": summary.rejected,
        "frames without camera motion": summary.motion_failures,
    }
    detail += "".join(f", {count} {name}" for name, count in notes.items() if count)
    print(detail)
    print(f"detector  {pipeline.detector.info}: {figures['detection_ms']['p50']:.1f} ms")
    if pipeline.embedder is not None:
        print(f"embedder  {pipeline.embedder.info}: {figures['embedding_ms']['p50']:.1f} ms")
    if pipeline.economy is not None:
        counts = pipeline.economy.counts()
        print(f"economy   {counts['embedded']} of {sum(counts.values())} detections embedded")
    if pipeline.camera_motion is not None:
        name = type(pipeline.camera_motion).__name__
        print(f"camera    {name}: {figures['camera_motion_ms']['p50']:.2f} ms")
    print(f"tracker   {type(pipeline.tracker).__name__}: {figures['tracking_ms']['p50']:.2f} ms")
    print("(medians per frame)")
    if isinstance(pipeline, CachedPipeline):
        stages = pipeline.as_dict()
        for stage, found in stages.items():
            print(f"cache     {stage}: {found['read']} frames read, {found['made']} made: {found['path']}")
        if not any(found["made"] for found in stages.values()):
            print("cache     no model ran")
    for path in filter(Path.exists, written):
        print(f"  {path}{'/' if path.is_dir() else ''}")
