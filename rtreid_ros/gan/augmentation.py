"""What a discriminator sees instead of pictures: augmented the same way, real or not, and noisy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch

from rtreid_ros.options import option


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """Options of `Views`."""

    policy: tuple[str, ...] = option(
        ("colour", "translation", "cutout"),
        "differentiable augmentation of real and generated pictures alike; none of them: off",
        choices=("colour", "translation", "cutout"),
    )
    noise: float = option(0.0, "standard deviation of the noise on all pictures at the beginning", ge=0, le=2)
    noise_until: float = option(0.5, "share of the training after which that noise has faded", ge=1e-6, le=1)


class Draws(NamedTuple):
    """What chance decided for each of B pictures.

    Attributes:
        noise: ``(B, 3, H, W)`` that is added; None where it has faded.
        colour: ``(B, 3)`` in 0..1: brightness, saturation, contrast.
        shift: ``(B, 2)`` in -1..1: translation down and right, in the largest allowed.
        hole: ``(B, 2)`` in 0..1: centre of the hole.
    """

    noise: torch.Tensor | None
    colour: torch.Tensor
    shift: torch.Tensor
    hole: torch.Tensor


class Views:
    """Differentiable augmentation, and instance noise that fades.

    Zhao et al., Differentiable Augmentation for Data-Efficient GAN Training, NeurIPS 2020, section 3.2 and
    appendix: colour, translation by up to an eighth, a hole of half the size. Noise: Sønderby et al.,
    Amortised MAP Inference for Image Super-resolution, ICLR 2017, section 3.3. The gradient goes through
    all of it to the generator.

    Args:
        options: see there.
        generator: of all that is drawn.
        progress: how much of the training is done, 0 to 1.
    """

    def __init__(self, options: ViewOptions, generator: torch.Generator, progress: float) -> None:
        self._options, self._generator = options, generator
        self.noise = options.noise * max(1 - progress / options.noise_until, 0.0)

    def draw(self, images: torch.Tensor) -> Draws:
        """Decide for pictures of this shape."""
        found = torch.rand(len(images), 7, generator=self._generator, device=images.device)
        noise = None
        if self.noise:
            normal = torch.randn(images.shape, generator=self._generator, device=images.device)
            noise = self.noise * normal
        return Draws(noise, found[:, :3], 2 * found[:, 3:5] - 1, found[:, 5:])

    def __call__(self, images: torch.Tensor, draws: Draws | None = None) -> torch.Tensor:
        """``(B, 3, H, W)`` pictures in -1..1 as the discriminator sees them.

        Args:
            images: see above.
            draws: of an earlier `draw`; None = new ones.
        """
        draws = self.draw(images) if draws is None else draws
        policy = self._options.policy
        if "colour" in policy:
            images = recolour(images, draws.colour)
        if "translation" in policy:
            images = translate(images, draws.shift)
        if "cutout" in policy:
            images = cut_out(images, draws.hole)
        return images if draws.noise is None else images + draws.noise


def recolour(images: torch.Tensor, amounts: torch.Tensor) -> torch.Tensor:
    """Brightness by up to ±0.5, saturation by a factor of 0 to 2, contrast of 0.5 to 1.5, in this order."""
    brightness, saturation, contrast = amounts[:, :, None, None, None].unbind(1)
    images = images + (brightness - 0.5)
    grey = images.mean(1, keepdim=True)
    images = (images - grey) * (2 * saturation) + grey
    mean = images.mean((1, 2, 3), keepdim=True)
    return (images - mean) * (contrast + 0.5) + mean


def translate(images: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Moved by whole pixels, at most an eighth of height and width; what comes in is 0."""
    count, _, height, width = images.shape
    most = torch.tensor([height, width], device=images.device) / 8
    down, right = (shares * most).round().long().unbind(1)
    rows = torch.arange(height, device=images.device) - down[:, None]
    columns = torch.arange(width, device=images.device) - right[:, None]
    known = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None]
    rows, columns = rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None]
    which = torch.arange(count, device=images.device)[:, None, None]
    moved = images.permute(0, 2, 3, 1)[which, rows, columns].permute(0, 3, 1, 2)
    return moved * known[:, None]


def cut_out(images: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """A hole of half the height and width, 0 inside, its centre anywhere."""
    sides = images.shape[2:]
    inside = []
    for axis, side in enumerate(sides):
        places = torch.arange(side, device=images.device)
        begin = (centres[:, axis] * side).floor() - side // 4
        inside.append((places >= begin[:, None]) & (places < begin[:, None] + side // 2))
    hole = inside[0][:, :, None] & inside[1][:, None]
    return images * ~hole[:, None]
