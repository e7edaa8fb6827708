"""``rtreid``: picks the sub-command, imports only its module, and turns errors into one line.

A sub-command is a module with ``EXAMPLES`` (text), ``add_arguments(parser)`` and
``run(arguments) -> exit code``, and a line in `COMMANDS`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import logging
import sys
from collections.abc import Iterator, Sequence

from rtreid_ros.errors import RtreidError
from rtreid_ros.registry import suggest

COMMANDS: dict[str, tuple[str, str]] = {
    "track": ("rtreid_ros.cli.track", "track people in a video, folder, bag, camera or synthetic scene"),
    "eval": ("rtreid_ros.cli.eval", "judge tracks against ground truth: HOTA, CLEAR, Identity"),
    "postprocess": ("rtreid_ros.cli.postprocess", "link the tracklets and fill the gaps of finished results"),
    "train-aflink": ("rtreid_ros.cli.train_aflink", "train the tracklet linker on ground truth"),
    "train-reid": ("rtreid_ros.cli.train_reid", "train an appearance model"),
    "eval-reid": ("rtreid_ros.cli.eval_reid", "judge appearance models: Rank-k, mAP, mINP"),
    "export-reid": ("rtreid_ros.cli.export_reid", "write a trained appearance model for robots: ONNX, ..."),
    "train-gan": ("rtreid_ros.cli.train_gan", "train a generator of people's pictures"),
    "generate": ("rtreid_ros.cli.generate", "make pictures with a trained generator"),
    "harvest": ("rtreid_ros.cli.harvest", "gather crops of tracked people from a bag, video or camera"),
    "adapt": ("rtreid_ros.cli.adapt", "adapt an appearance model to pictures nobody has labelled"),
    "recrop": ("rtreid_ros.cli.recrop", "cut loose pictures of people anew by a detector"),
    "bag": ("rtreid_ros.cli.bag", "convert videos and MOTChallenge folders to rosbag2 and back"),
    "eval-bag": ("rtreid_ros.cli.eval_bag", "replay a rosbag2 through the tracking node and judge it"),
    "report": ("rtreid_ros.cli.report", "compare results in an HTML file with plots"),
    "tune": ("rtreid_ros.cli.tune", "search a tracker's options on stored detections with ground truth"),
    "demo": ("rtreid_ros.cli.demo", "run the whole ROS 2 graph on a synthetic street, or on your video"),
    "doctor": (
        "rtreid_ros.cli.doctor",
        "say what works here and what to do; with --graph, why no data comes",
    ),
}
"""Module and purpose of each sub-command."""

USER_ERROR = 2
_INTERRUPTED = 130

_EXAMPLES = """\
examples:
  rtreid track street.mp4 --detector yolox.onnx --embedder osnet.onnx
  rtreid track synthetic --output out/first
  rtreid eval out/track/street --gt MOT17-02
  rtreid COMMAND --help"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (None: of this process); the exit code.

    2 where something the user can mend is wrong, which is said on standard error in one line.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    parser = _top_level()
    # the first word decides which module is imported; everything else is that command's business
    name = next((word for word in words if not word.startswith("-")), None)
    if name is None or words[0] != name:
        parser.parse_args(words)  # --help, --version, or a complaint
    if name not in COMMANDS:
        known = list(COMMANDS)
        parser.error(f"no command {name!r}{suggest(str(name), known)}; there are {', '.join(known)}")
    module = importlib.import_module(COMMANDS[name][0])
    command = argparse.ArgumentParser(
        prog=f"rtreid {name}",
        description=f"{COMMANDS[name][1].capitalize()}.",
        epilog=module.EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("-v", "--verbose", action="store_true", help="also say what is going on")
    module.add_arguments(command)
    # options may stand anywhere, also between words; argparse cannot do so for commands that have actions
    parse = command.parse_intermixed_args if command._subparsers is None else command.parse_args
    arguments = parse(words[1:])
    with _logging(logging.INFO if arguments.verbose else logging.WARNING):
        try:
            return int(module.run(arguments))
        except RtreidError as error:
            print(f"rtreid {name}: error: {error}", file=sys.stderr)
            return USER_ERROR
        except KeyboardInterrupt:
            return _INTERRUPTED
        except BrokenPipeError:  # `rtreid eval ... | head`
            sys.stderr.close()
            return 0


@contextlib.contextmanager
def _logging(level: int) -> Iterator[None]:
    """Our own messages on standard error."""
    logger = logging.getLogger("rtreid_ros")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def _top_level() -> argparse.ArgumentParser:
    from rtreid_ros.version import version  # noqa: PLC0415 (reads files)

    width = max(map(len, COMMANDS))
    listing = "\n".join(f"  {name.ljust(width)}  {purpose}" for name, (_, purpose) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="rtreid",
        description="Detection, re-identification and multi-object tracking.",
        epilog=f"commands:\n{listing}\n\n{_EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="rtreid [-h] [--version] COMMAND ...",
    )
    parser.add_argument("--version", action="version", version=f"rtreid_ros {version()}")
    parser.add_argument("command", metavar="COMMAND", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
