"""Statistics of batch norm, estimated anew on other pictures."""

from __future__ import annotations

import torch
from torch import nn

from rtreid_ros.reid.data.augmentation import normalise
from rtreid_ros.reid.preprocessing import Preprocessing

_BATCH = 128
_KINDS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def estimate_statistics(
    model: nn.Module,
    images: torch.Tensor,
    preprocessing: Preprocessing,
    device: torch.device,
    seed: int,
    layout: torch.memory_format = torch.contiguous_format,
) -> int:
    """Give every batch norm the mean and variance of what `images` make of its input.

    Li et al., Revisiting Batch Normalization for Practical Domain Adaptation (AdaBN), 2016, section 3:
    weights say what to look for, statistics where it was looked for. Means over batches in random order,
    since pictures of a set lie sorted by who is on them; batch renormalisation keeps its statistics.

    Args:
        model: changed in place, left in evaluation mode.
        images: ``(N, 3, H, W) uint8``, wherever they are.
        preprocessing: how the network wants its pixels.
        device: where it computes.
        seed: of the order.
        layout: memory layout of its input.

    Returns:
        how many batch norms there are.
    """
    model.eval()
    norms = [module for module in model.modules() if type(module) in _KINDS and module.track_running_stats]
    before = [norm.momentum for norm in norms]
    if not norms or len(images) < 2:
        return 0
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches
        norm.train()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    batches = max(len(images) // _BATCH, 1)
    try:
        with torch.no_grad():
            for rows in order.tensor_split(batches):
                pixels = images[rows.to(images.device)].to(device)
                model(normalise(pixels, preprocessing).contiguous(memory_format=layout))
    finally:
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum
            norm.eval()
    return len(norms)
