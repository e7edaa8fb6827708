"""Networks and the cameras or views that they know."""

from __future__ import annotations

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.models.base import ReIDModel
from rtreid_ros.reid.models.blocks.side_information import KnownSide, SideInformation
from rtreid_ros.reid.sides import Sides


def takes_side(model: ReIDModel) -> bool:
    """Whether the network makes anything of the side information it is given."""
    return any(isinstance(part, SideInformation) for part in model.modules())


def known_sides(model: ReIDModel, sides: Sides, name: str) -> Sides:
    """`sides`, if these are what the side information of `model` stands for; `name` is for messages.

    Raises:
        ConfigError: it has none, or nobody knows what it stands for.
    """
    if not model.cameras:
        raise ConfigError(f"{name} has no side information: it was trained with data.side=none")
    if not takes_side(model):
        raise ConfigError(f"{name} has no side information: its network takes none")
    if not len(sides):
        raise ConfigError(
            f"{name} does not say which cameras its side information is of: it is of an older training, or "
            "adapted to other cameras"
        )
    return sides


def fix_side(model: ReIDModel, number: int) -> None:
    """Let `model` take every picture to be of the camera or view `number`, whatever it is given."""
    for part in list(model.modules()):
        for name, child in part.named_children():
            if isinstance(child, SideInformation):
                setattr(part, name, KnownSide(child, number))
