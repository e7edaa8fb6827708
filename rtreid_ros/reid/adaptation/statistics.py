"""Statistics of batch norm, estimated anew on other pictures."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from torch import nn

from rtreid_ros.reid.data.augmentation import normalise
from rtreid_ros.reid.preprocessing import Preprocessing

_BATCH = 128
_LEAST_DEVIATION = 1e-3
"""Of a channel that is always the same."""
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


def restore_statistics(
    model: nn.Module,
    names: Collection[str],
    images: torch.Tensor,
    preprocessing: Preprocessing,
    device: torch.device,
    layout: torch.memory_format = torch.contiguous_format,
) -> None:
    """Give statistics to batch norms that only add their bias, so that training can begin.

    Those are the ones that an export had folded (`load_exported`). Mean and variance become those of what
    `images` make of their inputs; weight and bias undo that, so that the network computes what it did.

    Args:
        model: changed in place, left in evaluation mode.
        names: of these batch norms.
        images: ``(N, 3, H, W) uint8``, wherever they are.
        preprocessing: how the network wants its pixels.
        device: where it computes.
        layout: memory layout of its input.
    """
    model.eval()
    norms = {name: model.get_submodule(name) for name in names}
    sums = {name: torch.zeros(3, 1, dtype=torch.float64, device=device) for name in names}

    def note(name: str) -> Callable[[nn.Module, tuple[torch.Tensor]], None]:
        def hook(norm: nn.Module, inputs: tuple[torch.Tensor]) -> None:
            rows = inputs[0].detach().transpose(0, 1).flatten(1).double()
            counts = torch.full((len(rows),), rows.shape[1], dtype=torch.float64, device=device)
            sums[name] = sums[name] + torch.stack([counts, rows.sum(1), rows.square().sum(1)])

        return hook

    hooks = [norm.register_forward_pre_hook(note(name)) for name, norm in norms.items()]
    try:
        with torch.no_grad():
            for pixels in images.split(_BATCH):
                given = normalise(pixels.to(device), preprocessing)
                model(given.contiguous(memory_format=layout))
    finally:
        for item in hooks:
            item.remove()
    for name, norm in norms.items():
        assert isinstance(norm, _KINDS)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        counts, first, second = sums[name]
        mean = first / counts
        variance = (second / counts - mean.square()).clamp_min(_LEAST_DEVIATION**2)
        with torch.no_grad():
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.copy_((variance + norm.eps).sqrt())
            norm.bias.add_(mean)
