"""``rtreid harvest``."""

from __future__ import annotations

import argparse
import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rtreid_ros.cli.settings import Settings
    from rtreid_ros.pipeline import TrackingPipeline
    from rtreid_ros.reid.adaptation.harvesting import HarvestOptions
    from rtreid_ros.sources.base import Source

logger = logging.getLogger(__name__)

EXAMPLES = """\
Tracks people and keeps some good, different crops of each track: sure of, large enough, not cut off by the
border, not covered by others, spread over the time of the track. Each SOURCE, as rtreid track takes it, is a
camera; of a bag, each image topic is. Who is who is not known: a folder holds one track, a person may have
several. index.jsonl tells camera, time, score, box and overlap of every crop, and which tracks were seen
beside each other, so that they are different people. `rtreid adapt` reads all of it with
data.dataset=tracklets.

--set STAGE.OPTION=VALUE changes options, of harvest and of all stages of rtreid track; --options lists them.

examples:
  rtreid harvest recording/ --detector yolox.onnx --embedder people.onnx --output out/harvest
  rtreid harvest lobby.mp4 stairs.mp4 --detector yolox.onnx --per-track 12 --output out/harvest.tar
  rtreid harvest recording/ --topic /front/image_raw --tracker botsort --set harvest.least_height=96 \\
      --detector yolox.onnx --output out/front
  rtreid harvest synthetic:seed=3,people=20 --output out/street"""

_GROUP = "harvest."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="video, folder, bag, camera; see below")
    parser.add_argument("--output", type=Path, metavar="DIR|FILE.tar", help="where crops go; new")
    stages = parser.add_argument_group("stages")
    stages.add_argument("--detector", metavar="MODEL", help="detector model; default: the built-in one")
    stages.add_argument("--embedder", metavar="MODEL", help="ReID model, or none; default: a built-in one")
    stages.add_argument("--tracker", metavar="NAME", help="which tracker; default: strongsort")
    stages.add_argument("--camera-motion", metavar="METHOD", help="as for rtreid track; default: auto")
    stages.add_argument("--classes", metavar="A,B", help="classes to keep, by name or id; default: person")
    stages.add_argument("--per-track", type=int, metavar="K", help="most crops of a track; default: 8")
    stages.add_argument("--config", metavar="YAML", help="file of options by stage, as for rtreid track")
    stages.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="STAGE.OPTION=VALUE",
        dest="assignments",
        help="repeatable",
    )
    stages.add_argument("--options", action="store_true", help="list every option and its default, and end")
    reading = parser.add_argument_group("reading")
    reading.add_argument("--topic", help="image topic of a bag; default: all")
    reading.add_argument("--frame-rate", type=float, metavar="FPS", help="overrules the source's own")
    reading.add_argument("--start", type=int, default=0, metavar="N", help="begin at this frame, from 0")
    reading.add_argument("--frames", type=int, metavar="N", help="end after so many frames of each camera")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no summary")


def run(arguments: argparse.Namespace) -> int:
    """Track, gather, and say what came of it."""
    from tqdm.contrib.logging import logging_redirect_tqdm  # noqa: PLC0415

    from rtreid_ros.cli.settings import options_text  # noqa: PLC0415
    from rtreid_ros.errors import ConfigError, InputError  # noqa: PLC0415
    from rtreid_ros.pipeline import run as run_pipeline  # noqa: PLC0415
    from rtreid_ros.reid.adaptation.harvesting import Harvester, open_stock  # noqa: PLC0415
    from rtreid_ros.sinks.base import remove  # noqa: PLC0415
    from rtreid_ros.tracking import DEFAULT_TRACKER  # noqa: PLC0415

    if arguments.options:
        print(f"{_own_options()}\n{options_text(arguments.tracker or DEFAULT_TRACKER)}")
        return 0
    if not arguments.sources or arguments.output is None:
        raise ConfigError("say what to harvest and where to: rtreid harvest street.mp4 --output out/harvest")
    options, settings = _options(arguments)
    # `timeout 60 rtreid harvest rtsp://...` must leave a whole harvest, as Ctrl-C does
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    frames, interrupted = 0, False
    cameras = _cameras(arguments)
    stock = open_stock(arguments.output)
    with logging_redirect_tqdm([logging.getLogger("rtreid_ros")]):
        try:
            with stock:
                for place in cameras:
                    with (
                        _open(arguments, place) as source,
                        Harvester(stock, place.name or source.name, options) as harvester,
                    ):
                        pipeline = _pipeline(arguments, settings, source)
                        summary = run_pipeline(source, pipeline, [harvester], progress=not arguments.quiet)
                    frames += summary.frames
                    interrupted = interrupted or summary.interrupted
                    if interrupted:
                        break
                if not stock.crops:
                    raise InputError(
                        f"no track of {frames} frames gave {options.least_crops} crops that are good enough; "
                        "try a lower harvest.least_score, least_height or least_change (see --options), or "
                        "another --detector"
                    )
        except Exception:
            if stock.crops:
                logger.warning("%d tracklets gathered so far are in %s", stock.tracklets, stock.partial)
            else:
                remove(stock.partial)
            raise
    if not arguments.quiet:
        print(f"{frames} frames, {stock.tracklets} tracklets, {stock.crops} crops: {arguments.output}")
    return 0


def _own_options() -> str:
    from rtreid_ros.options import describe  # noqa: PLC0415
    from rtreid_ros.reid.adaptation.harvesting import HarvestOptions  # noqa: PLC0415

    lines = ["harvest:"]
    for item in describe(HarvestOptions):
        lines += [f"  {_GROUP}{item.name}={item.default}", f"      {item.help}"]
    return "\n".join(lines)


def _options(arguments: argparse.Namespace) -> tuple[HarvestOptions, Settings]:
    """What is kept, and the stages."""
    from rtreid_ros.cli.settings import read_settings  # noqa: PLC0415
    from rtreid_ros.errors import ConfigError  # noqa: PLC0415
    from rtreid_ros.options import build_from_text  # noqa: PLC0415
    from rtreid_ros.reid.adaptation.harvesting import HarvestOptions  # noqa: PLC0415

    own: dict[str, str] = {}
    for text in arguments.assignments:
        if text.startswith(_GROUP):
            name, equals, value = text.removeprefix(_GROUP).partition("=")
            if not equals:
                raise ConfigError(f"expected harvest.option=value, got {text!r}")
            own[name] = value
    if arguments.per_track is not None:
        own["per_track"] = str(arguments.per_track)
    settings = read_settings(
        arguments.config,
        [text for text in arguments.assignments if not text.startswith(_GROUP)],
        {
            "detector.model": arguments.detector,
            "detector.classes": arguments.classes,
            "embedder.model": None if arguments.embedder == "none" else arguments.embedder,
            "tracker.name": arguments.tracker,
            "camera_motion.method": arguments.camera_motion,
        },
    )
    return build_from_text(HarvestOptions, own), settings


class _Camera(NamedTuple):
    """Where one films: a source, its image topic if it is a bag with several, and the camera's name there."""

    source: str
    topic: str | None
    name: str


def _cameras(arguments: argparse.Namespace) -> list[_Camera]:
    """Every camera of every source.

    Of several each is opened, so that what is wrong with the last is said before the first is looked at.
    """
    from rtreid_ros.bags.reader import is_bag  # noqa: PLC0415
    from rtreid_ros.sources.bag import BagCameras  # noqa: PLC0415

    found = []
    for text in arguments.sources:
        path = Path(text).expanduser()
        if arguments.topic is None and path.exists() and is_bag(path):
            with BagCameras(path) as bag:
                found += [_Camera(text, camera.image, name) for name, camera in bag.cameras.items()]
        else:
            found.append(_Camera(text, arguments.topic, ""))
    if len(found) > 1:
        for camera in found:
            with _open(arguments, camera):
                pass
    return found


def _open(arguments: argparse.Namespace, camera: _Camera) -> Source:
    from rtreid_ros.sources import open_source  # noqa: PLC0415
    from rtreid_ros.sources.excerpt import Excerpt  # noqa: PLC0415

    source = open_source(camera.source, topic=camera.topic, frame_rate=arguments.frame_rate)
    if arguments.start or arguments.frames is not None:
        return Excerpt(source, arguments.start, arguments.frames)
    return source


def _pipeline(arguments: argparse.Namespace, settings: Settings, source: Source) -> TrackingPipeline:
    from rtreid_ros.cli.track import make_pipeline  # noqa: PLC0415

    if not settings.detector.model and not source.name.startswith("synthetic"):
        logger.warning(
            "the built-in detector knows only the synthetic scene; name a real one with --detector"
        )
    return make_pipeline(settings, source, arguments.embedder != "none", None)
