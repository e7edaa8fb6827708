"""``rtreid bag``: conversions of rosbag2 folders, without ROS."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtreid_ros.bags.annotations import MotAnnotations
    from rtreid_ros.bags.writing import WritingOptions
    from rtreid_ros.sources.base import Source

EXAMPLES = """\
A bag is a folder of rosbag2 (metadata version 8, which Humble and everything later plays), or its
.mcap or .db3 file. Several cameras go into one bag as NAME=SOURCE, each into a namespace of its name,
interleaved in time.

examples:
  rtreid bag from-video street.mp4 street_bag/
  rtreid bag from-video left=a.mp4 right=b.mp4 pair/ --images raw --storage sqlite3
  rtreid bag from-video synthetic:frames=100,seed=3 scene/        (its ground truth comes along)
  rtreid bag from-mot MOT15/TUD-Stadtmitte tud/ --start 1700000000
  rtreid bag to-mot tud/ out/TUD-Stadtmitte
  rtreid bag info tud/
  rtreid bag from-mot --help
  rtreid eval-bag tud/ --detector yolox.onnx      (track it and judge the tracks)"""

_FROM_VIDEO = """\
VIDEO is anything `rtreid track` takes: a video, folder of pictures, sequence, bag, synthetic scene.
Topics: /image (or /image/compressed), and /ground_truth where the source has one.

examples:
  rtreid bag from-video street.mp4 street_bag/
  rtreid bag from-video front=a.mp4 rear=b.mp4 car/ --namespace robot --frame-id ''
  rtreid bag from-video shots/ bag/ --frame-rate 15 --images raw"""
_FROM_MOT = """\
SEQUENCE is a MOTChallenge folder with seqinfo.ini and pictures or a video. Topics: /image (or
/image/compressed), /ground_truth (TrackArray: true ids, visibility as score, tentative where not to be
judged) and /detections, with the boxes exactly as in gt/gt.txt and det/det.txt. JPEG pictures go in as
they are.

examples:
  rtreid bag from-mot MOT15/TUD-Stadtmitte tud/
  rtreid bag from-mot MOT17-02 bag/ --detections det/det.txt --storage sqlite3
  rtreid bag from-mot left=A right=B pair/ --frames 100"""
_TO_MOT = """\
Writes img1/, seqinfo.ini, gt/gt.txt, det/det.txt and tracks.txt (confirmed tracks), the last three where
the bag has them; of several cameras a folder each, below DIR. Numbers have all their digits.

examples:
  rtreid bag to-mot tud/ out/tud
  rtreid bag to-mot recording/ out/front --topic /front/image_raw
  rtreid eval out/tud/tracks.txt --gt out/tud"""
_INFO = """\
examples:
  rtreid bag info recording/
  rtreid bag info recording/recording_0.mcap"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, purpose: str, epilog: str) -> argparse.ArgumentParser:
        added = actions.add_parser(
            name,
            help=purpose,
            description=f"{purpose.capitalize()}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        assert isinstance(added, argparse.ArgumentParser)
        return added

    video = action("from-video", "write a bag of one or more videos", _FROM_VIDEO)
    video.add_argument("sources", nargs="+", metavar="[NAME=]VIDEO", help="what to record")
    video.add_argument("--frame-rate", type=float, metavar="FPS", help="overrules the source's own")
    _add_writing(video)
    mot = action("from-mot", "write a bag of MOTChallenge sequences with what is known of them", _FROM_MOT)
    mot.add_argument("sources", nargs="+", metavar="[NAME=]SEQUENCE", help="what to record")
    mot.add_argument(
        "--detections",
        metavar="FILE",
        help="file in each sequence, or none; default: the only one of det/, if any",
    )
    _add_writing(mot)
    back = action("to-mot", "write the images and texts of a bag as a MOTChallenge sequence", _TO_MOT)
    back.add_argument("bag", type=Path, metavar="BAG")
    back.add_argument("folder", type=Path, metavar="DIR")
    back.add_argument(
        "--topic",
        action="append",
        default=[],
        dest="topics",
        metavar="TOPIC",
        help="image topic, repeatable; default: every camera",
    )
    back.add_argument("--quiet", action="store_true", help="no progress bar and no summary")
    info = action("info", "say what is in a bag: topics, cameras, gaps and jumps in time", _INFO)
    info.add_argument("bag", type=Path, metavar="BAG")


def _add_writing(parser: argparse.ArgumentParser) -> None:
    from rtreid_ros.bags.writing import IMAGES, WritingOptions  # noqa: PLC0415
    from rtreid_ros.sinks.bag_output import STORAGES  # noqa: PLC0415

    default = WritingOptions()
    parser.add_argument("bag", type=Path, metavar="BAG", help="folder to write; an older bag is replaced")
    parser.add_argument("--storage", choices=STORAGES, default=default.storage, help="default: %(default)s")
    parser.add_argument("--images", choices=IMAGES, default=default.images, help="default: %(default)s")
    parser.add_argument(
        "--jpeg-quality",
        type=int,
        metavar="Q",
        help="1 to 100; default: JPEG pictures as they are, everything else 92",
    )
    parser.add_argument(
        "--topic", default=default.topic, metavar="NAME", help="base name of the image topic; default: image"
    )
    parser.add_argument("--namespace", default="", metavar="NS", help="in front of all topics")
    parser.add_argument("--frame-id", default="", metavar="ID", help="of the headers; default: the camera")
    parser.add_argument(
        "--start",
        metavar="SECONDS",
        help="stamp of the first frame since 1970, to the nanosecond; default: as the source has it, 0 of "
        "files",
    )
    parser.add_argument("--frames", type=int, metavar="N", help="only the first N of each source")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no summary")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked."""
    actions: dict[str, Callable[[argparse.Namespace], None]] = {
        "from-video": _from_video,
        "from-mot": _from_mot,
        "to-mot": _to_mot,
        "info": _info,
    }
    actions[arguments.action](arguments)
    return 0


def _from_video(arguments: argparse.Namespace) -> None:
    from rtreid_ros.sources import open_source  # noqa: PLC0415

    def opened(text: str) -> tuple[Source, None]:
        return open_source(text, frame_rate=arguments.frame_rate), None

    _write(arguments, opened)


def _from_mot(arguments: argparse.Namespace) -> None:
    from rtreid_ros.bags.annotations import MotAnnotations  # noqa: PLC0415
    from rtreid_ros.sources.mot_sequence import open_sequence  # noqa: PLC0415

    def opened(text: str) -> tuple[Source, MotAnnotations]:
        return open_sequence(text), MotAnnotations(text, arguments.detections)

    _write(arguments, opened)


def _write(
    arguments: argparse.Namespace, opened: Callable[[str], tuple[Source, MotAnnotations | None]]
) -> None:
    from rtreid_ros.bags.writing import Recording, write_bag  # noqa: PLC0415
    from rtreid_ros.sinks.protection import protect  # noqa: PLC0415
    from rtreid_ros.sources.excerpt import Excerpt  # noqa: PLC0415

    options = _writing_options(arguments)
    named = _named(arguments.sources)
    protect([text for _, text in named], [arguments.bag])
    with ExitStack() as stack:
        recordings = []
        for name, text in named:
            source, annotations = opened(text)
            stack.enter_context(source)
            length = None if annotations is None else annotations.length
            if arguments.frames is not None:
                source = Excerpt(source, 0, arguments.frames)
                length = None if length is None else min(length, arguments.frames)
            recordings.append(Recording(name, source, annotations, length))
        written = write_bag(arguments.bag, recordings, options, progress=not arguments.quiet)
        lost = sum(getattr(recording.source, "lost", 0) for recording in recordings)
    if arguments.quiet:
        return
    parts = [f"{count} on {topic}" for topic, count in written.messages.items()]
    if written.missing:
        parts.append(f"{written.missing} pictures missing, in their place are images without content")
    elif lost:
        parts.append(f"{lost} frames of the source could not be read and are left out")
    print(f"{arguments.bag}: {', '.join(parts)}")


def _writing_options(arguments: argparse.Namespace) -> WritingOptions:
    from decimal import Decimal, InvalidOperation  # noqa: PLC0415

    from rtreid_ros.bags.writing import WritingOptions  # noqa: PLC0415
    from rtreid_ros.errors import ConfigError  # noqa: PLC0415

    try:
        # a float64 of seconds since 1970 does not hold nanoseconds
        start = None if arguments.start is None else int(Decimal(arguments.start) * 1_000_000_000)
    except (InvalidOperation, OverflowError, ValueError):
        raise ConfigError(f"--start takes seconds, such as 1700000000.5, got {arguments.start!r}") from None
    for name in (arguments.topic, arguments.namespace):
        _check_name(name)
    return WritingOptions(
        storage=arguments.storage,
        images=arguments.images,
        jpeg_quality=arguments.jpeg_quality,
        topic=arguments.topic,
        namespace=arguments.namespace,
        frame_id=arguments.frame_id,
        start_ns=start,
    )


def _named(texts: Sequence[str]) -> list[tuple[str, str]]:
    """Name and source of each ``NAME=SOURCE``; the only camera needs no name."""
    pairs = []
    for text in texts:
        name, equals, rest = text.partition("=")
        # synthetic:seed=3 and files with = in their names are no cameras
        if equals and re.fullmatch(r"[A-Za-z_][\w/]*", name) and not Path(text).exists():
            pairs.append((_check_name(name).strip("/"), rest))
        else:
            pairs.append(("", text))
    return pairs


def _check_name(name: str) -> str:
    from rtreid_ros.errors import ConfigError  # noqa: PLC0415

    if name and not re.fullmatch(r"/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*/?", name, re.ASCII):
        raise ConfigError(f"{name!r} is no name for ROS topics: letters, digits and _, parts separated by /")
    return name


def _to_mot(arguments: argparse.Namespace) -> None:
    from rtreid_ros.bags.cameras import find_cameras  # noqa: PLC0415
    from rtreid_ros.bags.mot_export import export_mot  # noqa: PLC0415
    from rtreid_ros.bags.reader import BagReader  # noqa: PLC0415
    from rtreid_ros.sinks.protection import protect  # noqa: PLC0415

    with BagReader(arguments.bag) as reader:
        cameras = find_cameras(reader, arguments.topics)
        folders = [arguments.folder / camera.name for camera in cameras]
        folders = folders if len(cameras) > 1 else [arguments.folder]
        protect([arguments.bag], folders)
        for camera, folder in zip(cameras, folders, strict=True):
            done = export_mot(reader, camera, folder, progress=not arguments.quiet)
            if arguments.quiet:
                continue
            rows = "".join(f", {count} rows in {file}" for file, count in done.rows.items())
            notes = f", {done.unusable} unusable images" if done.unusable else ""
            if done.without_image:
                notes += f", {done.without_image} messages without an image of their stamp left out"
            print(f"{folder}: {done.images} images{rows}{notes}")


def _info(arguments: argparse.Namespace) -> None:
    from rtreid_ros.bags.overview import overview  # noqa: PLC0415
    from rtreid_ros.bags.reader import BagReader  # noqa: PLC0415

    with BagReader(arguments.bag) as reader:
        print(overview(reader))
