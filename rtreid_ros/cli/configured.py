"""What commands share that learn by a configuration: arguments, the folder, what to go on from."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rtreid_ros.configuration import built_in_configs, find_config
from rtreid_ros.errors import ConfigError, MissingDependencyError

ConfigT = TypeVar("ConfigT")
CheckpointT = TypeVar("CheckpointT")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare CONFIG, ``--output``, ``--resume``, ``--print-config`` and ``--quiet``."""
    parser.add_argument(
        "words",
        nargs="*",
        metavar="CONFIG [SECTION.KEY=VALUE ...]",
        help="configuration, and options that differ from it",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--output", type=Path, metavar="FOLDER", help="new folder for what is made")
    where.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with what is in this folder")
    parser.add_argument("--print-config", action="store_true", help="show the whole configuration, and end")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no remarks")


def require_torch(doing: str) -> None:
    """Nothing if torch is here.

    Raises:
        MissingDependencyError: it is not; the message says how to get it.
    """
    try:
        import torch  # noqa: F401, PLC0415
    except ImportError as error:
        raise MissingDependencyError(
            f"{doing} needs torch ({error}); install it with: pip install 'rtreid_ros[train]'"
        ) from None


def folder_of(arguments: argparse.Namespace) -> Path:
    """Where everything goes.

    Raises:
        ConfigError: none is named, or a new one holds something to resume.
    """
    from rtreid_ros.reid.training.outputs import LAST  # noqa: PLC0415 (needs torch)

    folder: Path | None = arguments.resume or arguments.output
    if folder is None:
        raise ConfigError("where to? give --output FOLDER, or --resume FOLDER to go on")
    if arguments.resume is None and (folder / LAST).exists():
        raise ConfigError(f"{folder} holds work already: --resume it, or choose another --output")
    return folder


def read(
    arguments: argparse.Namespace,
    load: Callable[[Path], CheckpointT],
    build: Callable[[Any, Sequence[str]], ConfigT],
    kind: str,
) -> tuple[ConfigT, CheckpointT | None]:
    """The configuration, and what to resume.

    Args:
        arguments: as parsed.
        load: reads the checkpoint of a file; it has a `config`.
        build: the configuration from a file, or from what a checkpoint has, and the words after it.
        kind: of built-in configurations.

    Raises:
        ConfigError: there is neither a configuration nor a folder to go on with.
    """
    from rtreid_ros.reid.training.outputs import LAST  # noqa: PLC0415 (needs torch)

    words = list(arguments.words)
    name = words.pop(0) if words and "=" not in words[0] else None
    checkpoint: Any = load(arguments.resume / LAST) if arguments.resume else None
    if name is not None:
        return build(find_config(name, kind), words), checkpoint
    if checkpoint is not None:
        return build(checkpoint.config, words), checkpoint
    listing = ", ".join(built_in_configs(kind)) or "(none here)"
    raise ConfigError(f"which configuration? Give a YAML file, or one of {listing}")
