"""What checkpoints of all networks share: the file, and weights on their way into it and out of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import torch
from torch import nn

from rtreid_ros.errors import ModelError, SinkError

NetworkT = TypeVar("NetworkT", bound=nn.Module)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, which takes its place at the end of the block: if that fails, nothing has changed.

    Raises:
        SinkError: it cannot be written.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        raise SinkError(f"cannot write {path}: {error}") from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def write_content(content: dict[str, Any], path: Path) -> None:
    """Write what `read_content` reads, in one piece: if that fails, what was there before is untouched.

    Raises:
        SinkError: it cannot be written.
    """
    with whole_file(path) as file:
        torch.save(content, file)


def read_content(path: Path, format_: str, maker: str) -> dict[str, Any]:
    """What `write_content` wrote with that format, which only `maker` makes. Nothing in it is executed.

    Raises:
        ModelError: it is missing, damaged or something else.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ModelError(f"no checkpoint {path}") from None
    except Exception as error:  # of damaged files torch raises whatever its parts raise
        raise ModelError(f"{path} is no checkpoint: {error}") from error
    if not isinstance(content, dict) or content.pop("format", None) != format_:
        raise ModelError(f"{path} is no checkpoint of {maker}")
    return content


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """In it, what `read_content` gave becomes a checkpoint.

    Raises:
        ModelError: something is missing in it, or is something else.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{path} is damaged, or of another version of this package: it does not hold what a checkpoint "
            f"does ({type(error).__name__}: {error})"
        ) from error


def copied(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """On the processor, in the usual memory layout, and no longer changing."""
    return {
        name: value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, value in weights.items()
    }


def rebuilt(make: Callable[[], NetworkT], weights: Mapping[str, torch.Tensor], name: str) -> NetworkT:
    """The network of that name that `make` makes with these weights, in evaluation mode.

    Raises:
        ModelError: the weights are those of another architecture, or no finite numbers.
    """
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, only to be replaced
        network = make()
    try:
        network.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise ModelError(f"the weights do not fit {name}: {error}") from error
    spoilt = [key for key, value in network.state_dict().items() if not value.isfinite().all()]
    if spoilt:
        raise ModelError(
            f"{len(spoilt)} weights of {name}, {spoilt[0]} first, are no finite numbers: its training has "
            "diverged, or the file is damaged"
        )
    network.eval()
    return network


@contextmanager
def fitting(what: str) -> Iterator[None]:
    """In it, what a checkpoint holds is loaded into `what`.

    Raises:
        ModelError: it does not fit.
    """
    try:
        yield
    except (RuntimeError, ValueError, KeyError) as error:
        raise ModelError(f"the checkpoint does not fit {what}: {error}") from error
