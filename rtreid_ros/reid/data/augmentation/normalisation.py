"""From pixels to what a network sees."""

from __future__ import annotations

from functools import lru_cache

import torch

from rtreid_ros.reid.preprocessing import Preprocessing


def normalise(images: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    """``(..., 3, H, W)`` RGB levels 0..255, uint8 or float, as the float32 the network was promised."""
    if preprocessing.color == "BGR":
        images = images.flip(-3)
    gain, bias = _factors(preprocessing, images.device)
    return (images * gain).add_(bias)


@lru_cache(maxsize=16)  # else every batch would copy six numbers to the device
def _factors(preprocessing: Preprocessing, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """(x / scale - mean) / std as one multiplication and one addition."""
    mean, std = (
        torch.tensor(numbers, dtype=torch.float64) for numbers in (preprocessing.mean, preprocessing.std)
    )
    gain, bias = 1 / (preprocessing.scale * std), -mean / std
    return gain.float().view(3, 1, 1).to(device), bias.float().view(3, 1, 1).to(device)
