"""Objectives by name.

To add one: derive from `Objective`, give it `Options`, and register it below.
"""

from rtreid_ros.gan.objectives.adversarial import (
    Hinge,
    NonSaturating,
    PenalisedWasserstein,
    Wasserstein,
    gradient_penalty,
)
from rtreid_ros.gan.objectives.base import Deal, Losses, Objective, ObjectiveOptions, Players
from rtreid_ros.gan.objectives.encoding import VaeGan, VaeWgan, VaeWganGp
from rtreid_ros.registry import Registry

OBJECTIVES: Registry[type[Objective]] = Registry("objective")
OBJECTIVES.register("non_saturating", NonSaturating)
OBJECTIVES.register("hinge", Hinge)
OBJECTIVES.register("wgan", Wasserstein)
OBJECTIVES.register("wgan_gp", PenalisedWasserstein)
OBJECTIVES.register("vae_gan", VaeGan)
OBJECTIVES.register("vae_wgan", VaeWgan)
OBJECTIVES.register("vae_wgan_gp", VaeWganGp)

__all__ = [
    "OBJECTIVES",
    "Deal",
    "Losses",
    "Objective",
    "ObjectiveOptions",
    "Players",
    "gradient_penalty",
]
