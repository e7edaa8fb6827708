"""Pictures from a generator: each a function of the seed and its own number, of nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from rtreid_ros.errors import ConfigError
from rtreid_ros.gan.networks import Generator
from rtreid_ros.types import Float32, Int64

CHUNK = 32
"""Pictures made at once, always as many: kernels for other batches may round otherwise."""


def latents(seed: int, numbers: Sequence[int], length: int) -> Float32:
    """``(N, length)`` standard normal noise for pictures of these numbers."""
    noise = [
        np.random.default_rng((seed, number, 0)).standard_normal(length, np.float32) for number in numbers
    ]
    return np.stack(noise)


def draw_groups(seed: int, numbers: Sequence[int], counts: Sequence[int]) -> Int64:
    """``(N,)`` groups for pictures of these numbers, as frequent as `counts` says."""
    bounds = np.cumsum(counts) / np.sum(counts)
    chance = [np.random.default_rng((seed, number, 1)).random() for number in numbers]
    return np.searchsorted(bounds, chance, side="right").astype(np.int64)


def check_group(group: int, groups: int) -> None:
    """Refuse a group that a generator of `groups` does not know.

    Raises:
        ConfigError: saying which it knows.
    """
    if not groups:
        raise ConfigError(f"group {group}: this generator was trained without groups")
    if not 0 <= group < groups:
        raise ConfigError(f"group {group}: this generator knows the groups 0 to {groups - 1}")


def generate(
    generator: Generator, noise: Float32, groups: Int64 | None, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """``(N, 3, H, W) uint8`` RGB pictures on the processor.

    Args:
        generator: in evaluation mode, on `device`.
        noise: ``(N, latent)``.
        groups: ``(N,)`` for a conditional generator, else None.
        device: where it computes.
    """
    made = []
    with torch.inference_mode():
        for begin in range(0, len(noise), CHUNK):
            rows = np.arange(begin, begin + CHUNK).clip(max=len(noise) - 1)
            asked = None if groups is None else torch.from_numpy(groups[rows]).to(device)
            images = generator(torch.from_numpy(noise[rows]).to(device), asked)
            made.append(to_bytes(images[: len(noise) - begin]).cpu())
    return torch.cat(made)


def to_bytes(images: torch.Tensor) -> torch.Tensor:
    """-1..1 as 0..255, rounded."""
    return ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def from_bytes(images: torch.Tensor) -> torch.Tensor:
    """0..255 as -1..1."""
    return images.float() / 127.5 - 1
