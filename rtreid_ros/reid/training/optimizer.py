"""Optimizers over parameter groups: who decays, who learns faster, who does not learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from rtreid_ros.errors import ConfigError, ModelError
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


def restore_optimizer(optimizer: torch.optim.Optimizer, saved: Mapping[str, Any], name: str) -> None:
    """Let it remember what a checkpoint's remembered; its own options stay as they are configured now.

    Args:
        optimizer: just made.
        saved: the other's ``state_dict``.
        name: what the other is called in configurations.

    Raises:
        ModelError: it is of another kind, which remembers something else.
        ValueError: it is that of another network.
    """
    here = type(optimizer).__name__.lower()
    if name != here:
        raise ModelError(
            f"the checkpoint was trained with optimizer.name={name}, here it is {here}, which cannot go on "
            f"from what the other remembers: resume with optimizer.name={name}, or begin anew"
        )
    configured = [{key: group[key] for key in group if key != "params"} for group in optimizer.param_groups]
    optimizer.load_state_dict(dict(saved))  # which takes the saved options, too
    for group, options in zip(optimizer.param_groups, configured, strict=True):
        group.update(options)
