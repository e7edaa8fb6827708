"""``rtreid generate``."""

from __future__ import annotations

import argparse
from pathlib import Path

from rtreid_ros.errors import ConfigError, MissingDependencyError

EXAMPLES = """\
MODEL is best.pt or last.pt of rtreid train-gan. Picture i of a seed is always the same, to the byte on the
same machine and number of threads, whatever --count and --first are. The output, a folder or a .tar file,
also gets index.csv: file, seed, number and group of each picture. A conditional model draws groups as
frequent as they were in training, unless --group asks for one. Needs the extra `train` (torch).

examples:
  rtreid generate out/gan/best.pt --count 1000 --output pictures
  rtreid generate out/gan/best.pt --count 500 --first 1000 --output more.tar --format png
  rtreid generate out/groups/best.pt --group 3 --count 64 --output group3 --grid group3.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("model", type=Path, help="a generator's checkpoint")
    parser.add_argument("--count", type=int, default=1000, help="pictures (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all of them (default: %(default)s)")
    parser.add_argument("--group", type=int, help="of a conditional model, counted from 0")
    parser.add_argument("--output", type=Path, required=True, help="new folder, or FILE.tar")
    parser.add_argument("--grid", type=Path, metavar="FILE", help="also the first 96 on one picture")
    parser.add_argument("--format", choices=("jpg", "png"), default="jpg", help="default: %(default)s")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto")
    parser.add_argument(
        "--threads", type=int, default=0, metavar="N", help="of torch; 0: its own choice (default: 0)"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no remarks")


def run(arguments: argparse.Namespace) -> int:
    """Make pictures and write them."""
    try:
        import torch  # noqa: PLC0415
    except ImportError as error:
        raise MissingDependencyError(
            f"generating needs torch ({error}); install it with: pip install 'rtreid_ros[train]'"
        ) from None
    from rtreid_ros.gan.checkpoint import load_gan  # noqa: PLC0415
    from rtreid_ros.gan.generation import generate_files  # noqa: PLC0415

    least = {"count": 1, "first": 0, "seed": 0, "threads": 0}
    for name, value in least.items():
        if getattr(arguments, name) < value:
            raise ConfigError(f"--{name} must be at least {value}, got {getattr(arguments, name)}")
    gpu = torch.cuda.is_available()
    if arguments.device == "cuda" and not gpu:
        raise ConfigError("--device cuda: torch finds no GPU here; use --device cpu or auto")
    checkpoint = load_gan(arguments.model)
    before = torch.get_num_threads()
    torch.set_num_threads(arguments.threads or before)
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
            generate_files(
                checkpoint,
                arguments.output,
                range(arguments.first, arguments.first + arguments.count),
                seed=arguments.seed,
                group=arguments.group,
                kind=arguments.format,
                grid=arguments.grid,
                device="cuda" if gpu and arguments.device != "cpu" else "cpu",
                progress=not arguments.quiet,
            )
    finally:
        torch.set_num_threads(before)
    if not arguments.quiet:
        print(f"written: {arguments.output}" + (f", {arguments.grid}" if arguments.grid else ""))
    return 0
