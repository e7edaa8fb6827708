"""What every format is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rtreid_ros.errors import ConfigError
from rtreid_ros.registry import Registry
from rtreid_ros.reid import create_embedder
from rtreid_ros.reid.base import Embedder, EmbedderOptions
from rtreid_ros.reid.export.network import DeployedNetwork
from rtreid_ros.reid.models import ReIDModel

PRECISIONS: Registry[str] = Registry("precision")
for _name, _meaning in (
    ("fp32", "weights and arithmetic in single precision"),
    ("fp16", "weights and arithmetic in half precision, input and output in single"),
    ("fp16-weights", "weights stored in half precision, arithmetic in single: a file of half the size"),
):
    PRECISIONS.register(_name, _meaning)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written.

    Attributes:
        model: the network.
        size: ``(height, width)`` of its input.
        precision: one of `PRECISIONS` that the format has.
        metadata: what the file is to say about itself.
    """

    model: ReIDModel
    size: tuple[int, int]
    precision: str
    metadata: Mapping[str, str]

    def network(self, *, half: bool = False) -> DeployedNetwork:
        """The network as it is deployed."""
        return DeployedNetwork(self.model, self.size, half=half)


def nothing_missing() -> None:
    """The check of a format that needs nothing beyond the extra ``train``."""


@dataclass(frozen=True, slots=True)
class Format:
    """A file format.

    Attributes:
        suffix: of its files.
        summary: one line for users.
        precisions: those it has, of `PRECISIONS`.
        write: writes the file of a plan; may raise what its library raises.
        check: a `MissingDependencyError` or `ConfigError` where this machine cannot write it.
        open: the written file as an embedder.
        companions: suffixes of files that are written beside it.
    """

    suffix: str
    summary: str
    precisions: tuple[str, ...]
    write: Callable[[Plan, Path], None]
    check: Callable[[], None] = nothing_missing
    open: Callable[[EmbedderOptions], Embedder] = create_embedder
    companions: tuple[str, ...] = ()

    def refuse_precision(self, name: str, precision: str) -> None:
        """Nothing, for a precision it has.

        Raises:
            ConfigError: an unknown one, or one that format `name` does not have.
        """
        PRECISIONS[precision]
        if precision not in self.precisions:
            raise ConfigError(
                f"format {name} has no precision {precision}; it has: {', '.join(self.precisions)}"
            )
