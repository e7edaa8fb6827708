"""Batch renormalisation (Ioffe, NeurIPS 2017): batch norm that leans on running statistics in training."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from rtreid_ros.errors import InputError
from rtreid_ros.reid.models.blocks.precision import precise


@dataclass(frozen=True, slots=True)
class RenormSchedule:
    """How far the correction may go after so many batches; the defaults are the paper's (section 4).

    Attributes:
        start: batches normalised as batch norm does.
        r_end: batch at which the scale's bound reaches `r_max`.
        d_end: batch at which the shift's bound reaches `d_max`.
        r_max: the correction of the scale is kept within ``[1 / r_max, r_max]``.
        d_max: that of the shift within ``[-d_max, d_max]``.
    """

    start: int = 5000
    r_end: int = 40000
    d_end: int = 25000
    r_max: float = 3.0
    d_max: float = 5.0

    def bounds(self, batches: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """``(r_max, d_max)`` after `batches`, growing linearly; tensors, so that no device is waited for."""
        passed = batches - self.start
        r = (passed / max(self.r_end - self.start, 1)).clamp(0, 1)
        d = (passed / max(self.d_end - self.start, 1)).clamp(0, 1)
        return 1 + (self.r_max - 1) * r, self.d_max * d


class _BatchRenorm(nn.modules.batchnorm._BatchNorm):
    """See `BatchRenorm2d`."""

    def __init__(self, channels: int, schedule: RenormSchedule | None = None, groups: int = 1) -> None:
        super().__init__(channels)
        self.schedule = schedule or RenormSchedule()
        self.groups = groups

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, ...)``, normalised.

        Raises:
            InputError: in training, a batch that `groups` does not divide.
        """
        if not self.training:
            return super().forward(x)
        if x.shape[0] % self.groups:
            raise InputError(f"a batch of {x.shape[0]} cannot be normalised in {self.groups} groups")
        # group g of image i = i mod groups becomes channels of its own
        grouped = x.reshape(x.shape[0] // self.groups, self.groups * x.shape[1], *x.shape[2:])
        axes = [0, *range(2, x.dim())]
        with torch.no_grad():
            values = precise(grouped)
            count = values.numel() // values.shape[1]
            variances, means = (
                item.view(self.groups, -1) for item in torch.var_mean(values, axes, correction=0)
            )
            r_max, d_max = self.schedule.bounds(self.num_batches_tracked)
            deviation = (self.running_var + self.eps).sqrt()
            r = ((variances + self.eps).sqrt() / deviation).clamp(1 / r_max, r_max)
            d = ((means - self.running_mean) / deviation).clamp(-d_max, d_max)
            self._track(means, variances, count)
        # y = gamma (x_hat r + d) + beta is batch norm with other gammas and betas
        y = functional.batch_norm(
            grouped,
            None,
            None,
            (self.weight * r).flatten(),
            (self.weight * d + self.bias).flatten(),
            training=True,
            eps=self.eps,
        )
        return y.reshape(x.shape)

    def _track(self, means: torch.Tensor, variances: torch.Tensor, count: int) -> None:
        mean = means.mean(0)
        total = self.groups * count
        variance = (variances + (means - mean).square()).mean(0) * (total / max(total - 1, 1))
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
        self.running_var.lerp_(variance.to(self.running_var.dtype), self.momentum)
        self.num_batches_tracked.add_(1)


class BatchRenorm2d(_BatchRenorm, nn.BatchNorm2d):
    """Batch renormalisation of maps ``(B, C, H, W)``; in evaluation, batch norm.

    Parameters and buffers are batch norm's, so its weights load; the schedule follows
    ``num_batches_tracked``.

    Args:
        channels: of the map.
        schedule: bounds of the correction.
        groups: images i with the same ``i mod groups`` are a batch of their own. With P identities of
            `groups` images each, one after the other, every group holds one image of each identity, which
            is the remedy for batches that are not independent (section 4.3 of the paper). The running
            statistics are those of the whole batch.
    """


class BatchRenorm1d(_BatchRenorm, nn.BatchNorm1d):
    """The same for vectors ``(B, C)``."""
