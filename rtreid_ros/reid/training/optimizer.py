"""Optimizers over parameter groups: who decays, who learns faster, who does not learn."""

from __future__ import annotations

import torch
from torch import nn

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.training.options import OptimizerOptions

HEAD = "classifier"
"""Modules of this name are heads, wherever they stand in a network."""


def freeze(model: nn.Module, trainable: tuple[str, ...]) -> None:
    """Fix all parameters but those whose names begin with one of `trainable` (empty: fix none).

    Raises:
        ConfigError: one that no parameter begins with.
    """
    names = [name for name, _ in model.named_parameters()]
    for prefix in trainable:
        if not any(name.startswith(prefix) for name in names):
            known = sorted({name.split(".")[0] for name in names})
            raise ConfigError(
                f"model.trainable: no parameter begins with {prefix!r}; the network has {', '.join(known)}"
            )
    if trainable:
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(parameter.requires_grad and name.startswith(trainable))


def make_optimizer(model: nn.Module, options: OptimizerOptions) -> torch.optim.Optimizer:
    """An optimizer of a network's trainable parameters.

    Vectors, which norms and biases are, do not decay (He et al., Bag of Tricks for Image Classification,
    2019, section 3.1). Each group's ``factor`` tells `set_rate` its share of the learning rate.
    """
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            key = (HEAD in name.split("."), parameter.ndim > 1)
            groups.setdefault(key, []).append(parameter)
    described = [
        {
            "params": parameters,
            "weight_decay": options.weight_decay if decays else 0.0,
            "factor": options.head_factor if head else 1.0,
        }
        for (head, decays), parameters in groups.items()
    ]
    # the fused kernels update all parameters in one pass, on processors as well
    if options.name == "sgd":
        nesterov = options.nesterov and options.momentum > 0
        return torch.optim.SGD(
            described, options.lr, momentum=options.momentum, nesterov=nesterov, fused=True
        )
    kind = torch.optim.AdamW if options.name == "adamw" else torch.optim.Adam
    return kind(described, options.lr, betas=(options.beta1, options.beta2), fused=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give each group its share of the learning rate `rate`."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]
