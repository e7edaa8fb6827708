"""From what a user types to a source of frames."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import TYPE_CHECKING

from rtreid_ros.errors import ConfigError, SourceError

if TYPE_CHECKING:
    from rtreid_ros.sources.base import Source

UNDERSTOOD = """understood are:
  video.mp4                      a video file
  folder/ or 'folder/*.jpg'      pictures, in natural order of their names
  MOT17-02/                      a MOTChallenge sequence (a folder with seqinfo.ini)
  bag/, bag.mcap, bag.db3        a rosbag2 with an image topic
  0, /dev/video0                 a camera
  rtsp://host/stream             a network stream (rtsp, rtmp, udp, http, https)
  synthetic, synthetic:seed=3    the synthetic street scene"""
_URL = re.compile(r"(rtsps?|rtmps?|udp|tcp|https?|srt)://", re.IGNORECASE)


def open_source(text: str, *, topic: str | None = None, frame_rate: float | None = None) -> Source:
    """The source a path, camera index, URL or ``synthetic:key=value,...`` stands for.

    Args:
        text: what to open.
        topic: image topic, for bags with several.
        frame_rate: frames per second; overrules what the source says of itself, and is the rate of
            pictures (30 unless given).

    Raises:
        SourceError: nothing there, or nothing we understand (what is understood is listed).
        ConfigError: an option of the synthetic scene, the topic or the rate makes no sense here.
    """
    if frame_rate is not None and not 0 < frame_rate <= 1000:
        raise ConfigError(f"frame_rate must be above 0 and at most 1000, got {frame_rate:g}")
    path = Path(text).expanduser()
    bag = _is_bag(path)
    if topic is not None and not bag:
        raise ConfigError(f"topic {topic!r} was given, but {text} is no bag")
    if bag:
        from rtreid_ros.sources.bag import BagSource  # noqa: PLC0415

        return BagSource(path, topic, frame_rate=frame_rate)
    name, _, rest = text.partition(":")
    if name == "synthetic":
        return _synthetic(rest, frame_rate)
    if text.isdigit() or text.startswith("/dev/video") or _URL.match(text):
        from rtreid_ros.sources.camera import CameraSource  # noqa: PLC0415

        return CameraSource(int(text) if text.isdigit() else text, frame_rate=frame_rate)
    return _from_path(text, path, frame_rate)


def _is_bag(path: Path) -> bool:
    if not path.exists():
        return False
    from rtreid_ros.bags.reader import is_bag  # noqa: PLC0415

    return is_bag(path)


def _from_path(text: str, path: Path, frame_rate: float | None) -> Source:
    from rtreid_ros.sources.images import DEFAULT_RATE, IMAGE_SUFFIXES, ImageSource, images_in, natural_key  # noqa: PLC0415
    from rtreid_ros.sources.mot_sequence import open_sequence  # noqa: PLC0415
    from rtreid_ros.sources.video import VIDEO_SUFFIXES, VideoSource  # noqa: PLC0415

    rate = frame_rate or DEFAULT_RATE
    if path.is_dir():
        if (path / "seqinfo.ini").is_file():
            return open_sequence(path, frame_rate=frame_rate)
        images = images_in(path)
        if not images:
            raise SourceError(
                f"{text}: this folder has no pictures, seqinfo.ini or metadata.yaml; {UNDERSTOOD}"
            )
        return ImageSource(images, name=path.resolve().name, frame_rate=rate)
    if path.is_file():
        suffix = path.suffix.lower()
        if suffix in VIDEO_SUFFIXES:
            return VideoSource(path, frame_rate=frame_rate)
        if suffix in IMAGE_SUFFIXES:
            return ImageSource([path], name=path.stem, frame_rate=rate)
        raise SourceError(f"{text}: files ending in {suffix or 'nothing'} are not understood; {UNDERSTOOD}")
    if glob.has_magic(text):
        # a pattern may name folders too, so Path.glob of one folder is not enough
        found = [Path(item) for item in glob.glob(str(path), recursive=True)]  # noqa: PTH207
        images = sorted((item for item in found if item.suffix.lower() in IMAGE_SUFFIXES), key=natural_key)
        if not images:
            raise SourceError(
                f"{text}: no picture matches this pattern; known suffixes are {', '.join(IMAGE_SUFFIXES)}"
            )
        return ImageSource(images, name=images[0].resolve().parent.name, frame_rate=rate)
    raise SourceError(f"{text}: no such file or folder; {UNDERSTOOD}")


def _synthetic(settings: str, frame_rate: float | None) -> Source:
    from rtreid_ros.datasets.synthetic import SceneOptions, SyntheticScene  # noqa: PLC0415
    from rtreid_ros.options import build_from_text  # noqa: PLC0415

    values = {}
    for item in filter(None, settings.split(",")):
        key, equals, value = item.partition("=")
        if not equals:
            raise ConfigError(f"synthetic: {item!r} is not of the form option=value")
        values[key.strip()] = value.strip()
    if frame_rate is not None:
        values["frame_rate"] = str(frame_rate)
    scene: Source = SyntheticScene(build_from_text(SceneOptions, values))
    return scene
