"""Side information in use: telling an embedder which camera or view each picture is of."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import numpy as np

from rtreid_ros.datasets.identities.base import UNKNOWN, IdentitySet
from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.sides import Sides
from rtreid_ros.types import Int64

if TYPE_CHECKING:
    from rtreid_ros.evaluation.retrieval.features import Features
    from rtreid_ros.evaluation.retrieval.tracklets import ClipEmbedder
    from rtreid_ros.reid.base import Embedder


@runtime_checkable
class SideInformed(Protocol):
    """What an embedder of pictures or clips has, too, where it can be told side information."""

    def known_sides(self) -> Sides:
        """What it knows.

        Raises:
            ConfigError: nothing, and why.
        """

    def told(self, numbers: Int64) -> AbstractContextManager[None]:
        """Within it, what is embedded is of these ``(N,)`` numbers, in their order; outside it is unknown."""


class SideUse(NamedTuple):
    """For how many of `vectors` the side information of that kind was `unknown`."""

    kind: str
    unknown: int
    vectors: int

    def __str__(self) -> str:
        return f"side information ({self.kind}) unknown for {self.unknown} of {self.vectors}"


class SideTeller:
    """Tells an embedder the side information of its pictures, or nothing.

    Args:
        embedder: who is told.
        pictures: what it embeds.
        side: whether it is told at all.

    Attributes:
        tricks: what is done is called so; empty where nothing is told.

    Raises:
        ConfigError: it knows nothing.
    """

    def __init__(self, embedder: Embedder | ClipEmbedder, pictures: IdentitySet, *, side: bool) -> None:
        self._informed: SideInformed | None = None
        self.tricks: tuple[str, ...] = ()
        if side:
            self._informed = informed(embedder)
            sides = self._informed.known_sides()
            self._numbers = sides.numbers(pictures.cameras, pictures.sequences)
            self.tricks = (f"side information ({sides.kind})",)

    def about(self, rows: Int64) -> AbstractContextManager[None]:
        """Within it, what is embedded is of these rows of the pictures, in their order."""
        return nullcontext() if self._informed is None else self._informed.told(self._numbers[rows])


def informed(embedder: Embedder | ClipEmbedder) -> SideInformed:
    """`embedder`, if it can be told side information.

    Raises:
        ConfigError: it cannot.
    """
    if isinstance(embedder, SideInformed):
        return embedder
    raise ConfigError(
        f"{embedder.info.name} cannot be told which camera a picture is of: checkpoints of trainings with "
        "data.side=camera or view can"
    )


def check_side(embedder: Embedder | ClipEmbedder, dataset: str) -> None:
    """Nothing, for an embedder that knows cameras or views of `dataset`.

    Raises:
        ConfigError: it knows none, or those of another data set, whose numbers mean other cameras.
    """
    sides = informed(embedder).known_sides()
    if sides.dataset != dataset:
        raise ConfigError(
            f"{embedder.info.name} knows the cameras of {sides.dataset}, not those of {dataset}"
        )


def side_use(sides: Sides, *parts: Features) -> SideUse:
    """What `sides` know of the cameras or views of `parts`."""
    numbers = np.concatenate([sides.numbers(part.cameras, part.sequences) for part in parts])
    return SideUse(sides.kind, int(np.count_nonzero(numbers == UNKNOWN)), len(numbers))
