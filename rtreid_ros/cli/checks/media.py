"""Reading and writing video."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from rtreid_ros.cli.checks.base import Check


def media_checks(codecs: tuple[str, ...] | None = None) -> list[Check]:
    """Which of `codecs` (None: those we try) annotated videos get, and whether they can be read back."""
    return [_codec(codecs), _ffmpeg()]


def _codec(codecs: tuple[str, ...] | None) -> Check:
    try:
        import numpy as np  # noqa: PLC0415

        from rtreid_ros.sinks.video import CODECS, VideoOutput  # noqa: PLC0415
        from rtreid_ros.sources.video import VideoSource  # noqa: PLC0415

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "probe.mp4"
            with VideoOutput(path, 25.0, codecs or CODECS) as output:
                for level in range(3):
                    output.append(np.full((48, 64, 3), 60 * level, np.uint8))
            count = len(list(VideoSource(path)))
    except Exception as error:  # OpenCV's own errors and ours alike
        advice = "reinstall opencv-python-headless; until then use --no-video"
        return Check("mp4", "warning", f"cannot be written and read: {error}", advice)
    detail = f"written with {output.codec}, {count} of 3 frames read back"
    if count != 3:
        return Check("mp4", "warning", detail, "reinstall opencv-python-headless")
    if output.codec == "mp4v":
        return Check("mp4", "ok", f"{detail} (MPEG-4 part 2: players show it, browsers need H.264)")
    return Check("mp4", "ok", detail)


def _ffmpeg() -> Check:
    path = shutil.which("ffmpeg")
    if path:
        return Check("ffmpeg", "ok", path)
    advice = "not needed by us; to convert videos for browsers: apt install ffmpeg"
    return Check("ffmpeg", "missing", "no ffmpeg command", advice)
