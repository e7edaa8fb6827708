"""``rtreid track``."""

from __future__ import annotations

import argparse
import contextlib
import logging
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtreid_ros.cli.settings import Settings
    from rtreid_ros.pipeline import TrackingPipeline
    from rtreid_ros.sinks.base import OutputSink
    from rtreid_ros.sources.base import Source

logger = logging.getLogger(__name__)

EXAMPLES = """\
SOURCE is a video, a folder or pattern of pictures, a MOTChallenge sequence, a rosbag2, a camera
(0, /dev/video0), a stream (rtsp://...) or the synthetic scene (synthetic, synthetic:seed=3,people=20).

examples:
  rtreid track street.mp4 --detector yolox.onnx --embedder osnet.onnx
  rtreid track 'shots/*.jpg' --frame-rate 15 --tracker bytetrack --no-video
  rtreid track recording/ --topic /camera/image_raw --bag
  rtreid track handheld.mp4 --camera-motion sparse_flow --detector yolox.onnx
  rtreid track MOT17-02 --set tracker.max_lost=2 --set detector.score_threshold=0.2
  rtreid track rtsp://camera/stream --frames 600 --classes person,bicycle
  rtreid track street.mp4 --detector yolox.onnx --cache out/cache       (the next run needs no model)
  rtreid track MOT17 --detections det/det.txt --part second-half --tracker bytetrack
  rtreid track KITTI/training --detections auto --tracker ocsort --classes car,pedestrian
  rtreid track --options --tracker bytetrack      (every option for --set and --config)"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("source", nargs="?", metavar="SOURCE", help="what to track; see below")
    stages = parser.add_argument_group("stages")
    stages.add_argument("--detector", metavar="MODEL", help="detector model; default: the built-in one")
    stages.add_argument("--embedder", metavar="MODEL", help="ReID model, or none; default: a built-in one")
    stages.add_argument(
        "--economy",
        action=argparse.BooleanOptionalAction,
        help="embed only those whose place alone does not tell who they are (default), or everybody",
    )
    stages.add_argument("--tracker", metavar="NAME", help="which tracker; default: strongsort")
    stages.add_argument(
        "--camera-motion",
        metavar="METHOD",
        help="how to tell the camera's motion: none, sparse_flow, ecc, orb, sift, or auto, as the tracker's "
        "paper does (default); with --detections: stored (gmc.txt), none, or auto",
    )
    stages.add_argument("--classes", metavar="A,B", help="classes to keep, by name or id; empty = all")
    stages.add_argument("--config", metavar="YAML", help="file of options by stage")
    stages.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="STAGE.OPTION=VALUE",
        dest="assignments",
        help="repeatable",
    )
    stages.add_argument("--options", action="store_true", help="list every option and its default, and end")
    stored = parser.add_argument_group("stored detections instead of pictures")
    stored.add_argument(
        "--detections",
        metavar="FILE",
        help="file in each sequence, such as det/det.txt, or a folder of NAME.txt or NAME.npz, or auto for "
        "the only one; SOURCE is a sequence or a folder of them: MOTChallenge, DanceTrack or KITTI",
    )
    stored.add_argument(
        "--embeddings",
        metavar="FILE",
        help=".npz in each sequence, or a folder of NAME.npz: a row per detection",
    )
    stored.add_argument("--sequences", default="", metavar="A,B", help="only these of a folder")
    stored.add_argument(
        "--part",
        choices=("all", "first-half", "second-half"),
        default="all",
        help="frames to track; second-half is the val-half of publications",
    )
    stored.add_argument(
        "--min-score",
        type=float,
        metavar="S",
        help="leave out detections below; default: the option detector.score_threshold",
    )
    reading = parser.add_argument_group("reading")
    reading.add_argument("--topic", help="image topic, for bags with several")
    reading.add_argument("--frame-rate", type=float, metavar="FPS", help="overrules the source's own")
    reading.add_argument("--start", type=int, default=0, metavar="N", help="begin at this frame, from 0")
    reading.add_argument("--frames", type=int, metavar="N", help="end after so many frames")
    reading.add_argument(
        "--cache",
        metavar="DIR",
        help="keep detections and embeddings of every frame there; another run on them needs no model",
    )
    writing = parser.add_argument_group("writing")
    writing.add_argument("--output", metavar="DIR", help="default: out/track/<name of the source>")
    writing.add_argument(
        "--video", action=argparse.BooleanOptionalAction, default=True, help="write annotated.mp4 (default)"
    )
    writing.add_argument("--bag", action="store_true", help="write bag/, a rosbag2 with images and tracks")
    writing.add_argument(
        "--bag-images",
        choices=("compressed", "raw", "none"),
        default="compressed",
        help="how the bag holds images",
    )
    writing.add_argument("--bag-storage", choices=("mcap", "sqlite3"), default="mcap", help="default: mcap")
    writing.add_argument(
        "--jsonl", action="store_true", help="write tracks.jsonl, every live track per frame"
    )
    writing.add_argument("--quiet", action="store_true", help="no progress bar and no summary")


def run(arguments: argparse.Namespace) -> int:
    """Track, write, and say what came of it."""
    from rtreid_ros.cli.settings import options_text, read_settings  # noqa: PLC0415
    from rtreid_ros.cli.track_stored import STORED  # noqa: PLC0415
    from rtreid_ros.cli.track_stored import run as run_stored  # noqa: PLC0415
    from rtreid_ros.errors import ConfigError  # noqa: PLC0415
    from rtreid_ros.tracking import DEFAULT_TRACKER  # noqa: PLC0415

    if arguments.options:
        print(options_text(arguments.tracker or DEFAULT_TRACKER))
        return 0
    if arguments.source is None:
        raise ConfigError("say what to track, such as street.mp4; see rtreid track --help")
    method, on_stored = arguments.camera_motion, arguments.detections is not None
    settings = read_settings(
        arguments.config,
        arguments.assignments,
        {
            "detector.model": arguments.detector,
            "detector.classes": arguments.classes,
            "embedder.model": None if arguments.embedder == "none" else arguments.embedder,
            "economy.enabled": arguments.economy,
            "tracker.name": arguments.tracker,
            "camera_motion.method": None if on_stored and method == STORED else method,
        },
    )
    if on_stored:
        return run_stored(arguments, settings)
    for name, silent in (("embeddings", None), ("sequences", ""), ("part", "all"), ("min_score", None)):
        if getattr(arguments, name) != silent:
            raise ConfigError(f"--{name.replace('_', '-')} is for stored detections; give --detections too")
    from tqdm.contrib.logging import logging_redirect_tqdm  # noqa: PLC0415

    from rtreid_ros.cli.track_summary import print_summary, write_summary  # noqa: PLC0415
    from rtreid_ros.pipeline import run as run_pipeline  # noqa: PLC0415
    from rtreid_ros.recordings.cached_pipeline import CachedPipeline  # noqa: PLC0415
    from rtreid_ros.sinks.protection import protect  # noqa: PLC0415

    # `timeout 60 rtreid track rtsp://...` must leave whole files, as Ctrl-C does
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        _open(arguments) as source,
        contextlib.ExitStack() as stack,
        logging_redirect_tqdm([logging.getLogger("rtreid_ros")]),
    ):
        if not settings.detector.model and not arguments.source.startswith("synthetic"):
            logger.warning(
                "the built-in detector knows only the synthetic scene; name a real one with --detector"
            )
        output = Path(arguments.output or Path("out", "track", source.name))
        pictures = {"annotated.mp4": arguments.video, "bag": arguments.bag}
        protect([arguments.source], (output / name for name, wanted in pictures.items() if wanted))
        pipeline = make_pipeline(settings, source, arguments.embedder != "none", arguments.cache)
        sinks = [stack.enter_context(sink) for sink in _sinks(arguments, settings, source, pipeline, output)]
        if isinstance(pipeline, CachedPipeline):
            stack.callback(pipeline.save)  # also what was made before a run broke off
        summary = run_pipeline(source, pipeline, sinks, progress=not arguments.quiet)
    write_summary(output / "summary.json", arguments, settings, pipeline, summary)
    if not arguments.quiet:
        print_summary(summary, pipeline, [*(sink.path for sink in sinks), output / "summary.json"])
    return 0


def _open(arguments: argparse.Namespace) -> Source:
    from rtreid_ros.sources import open_source  # noqa: PLC0415
    from rtreid_ros.sources.excerpt import Excerpt  # noqa: PLC0415

    source = open_source(arguments.source, topic=arguments.topic, frame_rate=arguments.frame_rate)
    if arguments.start or arguments.frames is not None:
        return Excerpt(source, arguments.start, arguments.frames)
    return source


def make_pipeline(
    settings: Settings, source: Source, with_embedder: bool, cache: str | None
) -> TrackingPipeline:
    """The stages for one camera; `cache` keeps what models find."""
    from rtreid_ros.camera_motion import camera_motion_from  # noqa: PLC0415
    from rtreid_ros.detection import create_detector  # noqa: PLC0415
    from rtreid_ros.pipeline import TrackingPipeline  # noqa: PLC0415
    from rtreid_ros.reid import create_embedder, embedder_beside  # noqa: PLC0415
    from rtreid_ros.reid.economy import EmbeddingEconomy  # noqa: PLC0415
    from rtreid_ros.tracking import TRACKERS  # noqa: PLC0415

    tracker = TRACKERS[settings.tracker](source.frame_rate, settings.tracker_options)
    model = embedder_beside(settings.detector.model, settings.embedder.model)
    embedding = replace(settings.embedder, model=model)
    wanted = with_embedder and tracker.uses_embeddings
    motion = camera_motion_from(settings.camera_motion, tracker.camera_motion)
    economy = EmbeddingEconomy(settings.economy)
    if cache is not None:
        from rtreid_ros.recordings.cached_pipeline import CachedPipeline  # noqa: PLC0415

        stage = embedding if wanted else None
        return CachedPipeline(Path(cache), source, settings.detector, stage, tracker, motion, economy)
    detector = create_detector(settings.detector)
    embedder = create_embedder(embedding) if wanted else None
    return TrackingPipeline(detector, embedder, tracker, motion, economy)


def _sinks(
    arguments: argparse.Namespace,
    settings: Settings,
    source: Source,
    pipeline: TrackingPipeline,
    output: Path,
) -> list[OutputSink]:
    from rtreid_ros.sinks.text import JsonLinesSink, MotSink, TruthSink  # noqa: PLC0415

    names = pipeline.detector.class_names
    sinks: list[OutputSink] = [MotSink(output / "tracks.txt")]
    if source.class_names:
        sinks.append(TruthSink(output / "gt.txt", source.class_names))
    if arguments.jsonl:
        sinks.append(JsonLinesSink(output / "tracks.jsonl", names))
    if arguments.video:
        from rtreid_ros.sinks.video import VideoSink  # noqa: PLC0415

        sinks.append(VideoSink(output / "annotated.mp4", source.frame_rate, settings.video))
    if arguments.bag:
        from rtreid_ros.sinks.bag import BagSink  # noqa: PLC0415

        bag = BagSink(
            output / "bag",
            class_names=names,
            truth_class_names=source.class_names,
            images=arguments.bag_images,
            storage=arguments.bag_storage,
        )
        sinks.append(bag)
    return sinks
