"""Generators and discriminators by name.

To add one: derive from `Generator` or `Discriminator`, give it `Options`, and register it below.
"""

from __future__ import annotations

from typing import Any

from rtreid_ros.gan.networks.base import Discriminator, Generator, Opinion, Size
from rtreid_ros.gan.networks.dcgan import Critic, DcganDiscriminator, DcganGenerator
from rtreid_ros.gan.networks.residual import ResidualDiscriminator, ResidualGenerator
from rtreid_ros.gan.networks.vae import Code, Encoder, EncoderOptions, VaeDecoder
from rtreid_ros.options import build
from rtreid_ros.registry import Registry

GENERATORS: Registry[type[Generator]] = Registry("generator")
GENERATORS.register("dcgan", DcganGenerator)
GENERATORS.register("residual", ResidualGenerator)
GENERATORS.register("vae_decoder", VaeDecoder)

DISCRIMINATORS: Registry[type[Discriminator]] = Registry("discriminator")
DISCRIMINATORS.register("dcgan", DcganDiscriminator)
DISCRIMINATORS.register("residual", ResidualDiscriminator)
DISCRIMINATORS.register("critic", Critic)

__all__ = [
    "DISCRIMINATORS",
    "GENERATORS",
    "Code",
    "Discriminator",
    "Encoder",
    "EncoderOptions",
    "Generator",
    "Opinion",
    "Size",
    "create_discriminator",
    "create_generator",
]


def create_generator(name: str, size: Size, groups: int = 0, **options: Any) -> Generator:
    """A generator with random weights.

    Args:
        name: one of ``GENERATORS``.
        size: ``(height, width)`` of its pictures.
        groups: how many groups pictures can be asked from; 0 = it is not conditional.
        options: fields of ``GENERATORS[name].Options``.

    Raises:
        ConfigError: an unknown network or option, a value out of range, or a size it cannot make.
    """
    cls = GENERATORS[name]
    return cls(size, groups, build(cls.Options, options))


def create_discriminator(name: str, size: Size, groups: int = 0, **options: Any) -> Discriminator:
    """The same of ``DISCRIMINATORS``."""
    cls = DISCRIMINATORS[name]
    return cls(size, groups, build(cls.Options, options))
