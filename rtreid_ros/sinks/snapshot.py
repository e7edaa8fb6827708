"""One moment as files: the picture, the picture with its tracks, and the tracks as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from rtreid_ros.boxes import xyxy_to_ltwh
from rtreid_ros.errors import SinkError
from rtreid_ros.types import TrackState

if TYPE_CHECKING:
    from rtreid_ros.types import Tracks, UInt8


def save_snapshot(
    folder: str | Path,
    stamp_ns: int,
    tracks: Tracks,
    class_names: Sequence[str] | Mapping[int, str] = (),
    image: UInt8 | None = None,
    camera: str = "",
) -> list[Path]:
    """Write ``[CAMERA-]SECONDS.NANOSECONDS.json`` and, with an image, ``.png`` and ``-tracks.png``.

    The JSON holds ``stamp_ns`` and, of every live track, id, state, class, score, box (left, top, width,
    height in pixels), velocity (pixels per second), age and time since it was seen (seconds).

    Args:
        folder: where to; made if missing.
        stamp_ns: time of the picture, nanoseconds.
        tracks: all live tracks at that time.
        class_names: names by class id.
        image: ``(H, W, 3) uint8`` BGR.
        camera: goes before the name, where there are several.

    Returns:
        the files written.

    Raises:
        SinkError: they cannot be written there.
    """
    from rtreid_ros.visualization import Annotator  # noqa: PLC0415 (most runs take no snapshot)

    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    stem = f"{camera.strip('/').replace('/', '_')}-" if camera else ""
    base = Path(folder) / f"{stem}{seconds}.{nanoseconds:09d}"
    listing = base.with_name(f"{base.name}.json")
    files = [listing]
    try:
        base.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "stamp_ns": stamp_ns,
            "camera": camera,
            "tracks": _rows(tracks, class_names),
        }
        listing.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise SinkError(f"{listing}: cannot be written ({error.strerror})") from None
    if image is not None:
        annotated = Annotator().draw(image, tracks, stamp_ns)
        for name, picture in ((f"{base.name}.png", image), (f"{base.name}-tracks.png", annotated)):
            files.append(base.with_name(name))
            if not cv2.imwrite(str(files[-1]), picture):
                raise SinkError(f"{files[-1]}: cannot be written")
    return files


def _rows(tracks: Tracks, class_names: Sequence[str] | Mapping[int, str]) -> list[dict[str, object]]:
    names = class_names if isinstance(class_names, Mapping) else dict(enumerate(class_names))
    boxes = xyxy_to_ltwh(tracks.boxes).tolist()
    rows = []
    for row, (identity, class_id) in enumerate(
        zip(tracks.ids.tolist(), tracks.class_ids.tolist(), strict=True)
    ):
        rows.append(
            {
                "id": identity,
                "state": TrackState(int(tracks.states[row])).name.lower(),
                "class": names.get(class_id, class_id),
                "score": round(float(tracks.scores[row]), 4),
                "box": [round(value, 2) for value in boxes[row]],
                "velocity": [round(value, 2) for value in tracks.velocities[row].tolist()],
                "age": round(float(tracks.ages[row]), 3),
                "time_since_update": round(float(tracks.time_since_update[row]), 3),
            }
        )
    return rows
