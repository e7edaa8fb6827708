"""The link network. Needs torch: only training and export import this."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from rtreid_ros.postprocess.aflink.features import CHANNELS, ROWS

_WIDTHS = (24, 32, 48)
_SUMMARY = 48


class _Branch(nn.Sequential):  # type: ignore[misc]
    """One tracklet ``(N, channels, ROWS)`` to ``(N, _SUMMARY)``: convolutions over time."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        before, length = len(CHANNELS), ROWS
        for number, width in enumerate(_WIDTHS):
            stride = 1 if number == 0 else 2
            layers += [nn.Conv1d(before, width, 5, stride, 2), nn.BatchNorm1d(width), nn.ReLU()]
            before, length = width, (length - 1) // stride + 1
        super().__init__(*layers, nn.Flatten(), nn.Linear(before * length, _SUMMARY), nn.ReLU())


class LinkNet(nn.Module):  # type: ignore[misc]
    """Two branches, for the end of one tracklet and the beginning of another, fused and classified.

    As in the paper (its figure 5), with fewer weights: what a branch makes of its tracklet is kept
    in order of time rather than averaged, since where a motion goes matters more than that it does.
    """

    def __init__(self) -> None:
        super().__init__()
        self.earlier, self.later = _Branch(), _Branch()
        self.classifier = nn.Sequential(
            nn.Linear(2 * _SUMMARY, 48), nn.ReLU(), nn.Dropout(0.1), nn.Linear(48, 1)
        )

    def forward(self, pairs: Any) -> Any:
        """Logits ``(N,)`` of pairs ``(N, 2, ROWS, channels)``."""
        series = pairs.transpose(2, 3)
        both = torch.cat([self.earlier(series[:, 0]), self.later(series[:, 1])], dim=1)
        return self.classifier(both).squeeze(1)


class ExportedLinkNet(nn.Module):  # type: ignore[misc]
    """The network as a model file holds it: confidence from 0 to 1 instead of a logit."""

    def __init__(self, net: LinkNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, pairs: Any) -> Any:
        """Confidence ``(N,)``."""
        return torch.sigmoid(self.net(pairs))
