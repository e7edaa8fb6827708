"""What cannot work together, refused before anything is trained."""

from __future__ import annotations

from rtreid_ros.errors import ConfigError
from rtreid_ros.gan.networks import DISCRIMINATORS
from rtreid_ros.gan.objectives import OBJECTIVES
from rtreid_ros.gan.training.config import GanConfig


def check_discriminator(config: GanConfig) -> None:
    """Refuse batch norm where an objective is of each picture for itself, and norms that undo clipping.

    Raises:
        ConfigError: saying what to take.
    """
    name, objective = config.discriminator.name, OBJECTIVES[config.objective.name]
    norm = ""
    if DISCRIMINATORS[name].batch_norm and not objective.batch_norm:
        norm = "batch norm"
    elif getattr(config.own["discriminator"], "spectral", False) and not objective.spectral:
        norm = "spectral normalisation"
    if norm:
        raise ConfigError(
            f"objective {config.objective.name} wants a critic without {norm}, and discriminator {name} has "
            "it; use discriminator.name=critic, or residual with discriminator.spectral=false"
        )


def check_turns(config: GanConfig, steps: int) -> None:
    """Refuse a generator whose turn comes less than once an epoch.

    Raises:
        ConfigError: saying what to take.
    """
    turns = config.objective_options.critic_steps
    if turns > steps:
        raise ConfigError(
            f"objective.critic_steps={turns}: an epoch has {steps} steps, so the generator would not learn "
            f"in every one; choose {steps} or less, or a smaller training.batch"
        )
