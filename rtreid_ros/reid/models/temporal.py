"""Clips by a network for single pictures, whose vectors of the frames are pooled.

Gao and Nevatia, "Revisiting Temporal Modeling for Video-based Person ReID", BMVC Workshops 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.options import build, build_from_text, describe, option
from rtreid_ros.reid.models.base import ModelEntry, ModelOptions, ReIDModel, ReIDOutput
from rtreid_ros.reid.models.neck import classifier

NAME = "temporal"


@dataclass(frozen=True, slots=True)
class TemporalOptions(ModelOptions):
    """Options of `Temporal`."""

    frame_network: str = option("osnet_x0_25", "network of the frames: any that takes single pictures")
    frame_options: tuple[str, ...] = option((), "its own options, each KEY=VALUE")
    pooling: str = option(
        "average",
        "from the vectors of the frames to one; attention: weights that a small network gives each frame",
        choices=("average", "attention"),
    )
    hidden: int = option(128, "units of that small network", ge=1)
    height: int = option(256, "height of the input, for networks made for one size", ge=16, le=1024)
    width: int = option(128, "width of the input, likewise", ge=16, le=1024)


class Attention(nn.Module):
    """Weights of frames: a softmax of ``w tanh(V x)`` (Ilse et al., ICML 2018, equation 8).

    The last layer begins with zeros, so that learning begins with the average.
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.inside, self.score = nn.Linear(dim, hidden), nn.Linear(hidden, 1, bias=False)
        nn.init.zeros_(self.score.weight)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """``(B, T, 1)`` weights, each row's sum 1, of ``(B, T, D)`` vectors."""
        weights: torch.Tensor = self.score(self.inside(frames).tanh()).softmax(1)
        return weights


class Temporal(ReIDModel):
    """Clips in; every frame through the same network; pooled over time; classifier.

    What is pooled is what the network gives in use: its vectors after the neck, with the same weights for
    those before it, which metric losses see. So the average of a track's vectors, as a robot has them, is
    what ``pooling=average`` was trained for, and weights of a training on single pictures fit.

    Raises:
        ConfigError: an unknown network or option, or a network that takes clips itself.
    """

    Options: ClassVar[type[ModelOptions]] = TemporalOptions

    def __init__(self, classes: int, options: TemporalOptions, cameras: int = 0) -> None:
        super().__init__(classes, options, cameras)
        self.frame = frame_network(options, cameras)
        self.dim, self.branches = self.frame.dim, self.frame.branches
        self.imagenet = self.frame.imagenet
        attention = options.pooling == "attention"
        self.attention = Attention(self.dim, options.hidden) if attention else None
        self.classifiers = nn.ModuleList(classifier(dim, classes) for dim in self.branches)

    def published(self) -> dict[str, torch.Tensor] | None:
        """See `ReIDModel`."""
        return self.frame.published()

    def adapt(self, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Weights of clips as they are; those of single pictures are the frames' network's."""
        if any(name.startswith("frame.") for name in weights):
            return weights
        adapted = self.frame.adapt(weights)
        return {
            f"frame.{name}": value for name, value in adapted.items() if not name.startswith("classifier")
        }

    def forward(self, images: torch.Tensor, cameras: torch.Tensor | None = None) -> ReIDOutput | torch.Tensor:
        """See `ReIDModel`; `images` are clips ``(B, T, 3, H, W)``.

        Raises:
            InputError: single images instead of clips.
        """
        if images.dim() != 5:
            raise InputError(f"clips have the shape (B, T, 3, H, W), got {tuple(images.shape)}")
        rows, frames = images.shape[:2]
        known = None if cameras is None else cameras.repeat_interleave(frames)
        output = self.frame(images.flatten(0, 1), known)
        necks = (output.neck if self.training else output).unflatten(0, (rows, frames))
        weights = torch.full_like(necks[..., :1], 1 / frames)
        if self.attention is not None:
            weights = self.attention(necks)
        if not self.training:
            return (necks * weights).sum(1)
        parts = output.branches or (output,)
        pooled = [
            self._pool(part, weights, layer) for part, layer in zip(parts, self.classifiers, strict=True)
        ]
        if not output.branches:
            return pooled[0]
        logits = torch.stack([part.logits for part in pooled]).mean(0)
        embedding = torch.cat([part.embedding for part in pooled], 1)
        return ReIDOutput(embedding, (necks * weights).sum(1), logits, tuple(pooled))

    @staticmethod
    def _pool(frames: ReIDOutput, weights: torch.Tensor, layer: nn.Module) -> ReIDOutput:
        """Of ``(B * T, D)`` vectors, those of the clips, and what the classifier makes of them."""
        shape = weights.shape[:2]
        embedding, neck = (
            (vectors.unflatten(0, shape) * weights).sum(1) for vectors in (frames.embedding, frames.neck)
        )
        return ReIDOutput(embedding, neck, layer(neck))

    def deployed(self) -> ReIDModel:
        """The network of the frames: a robot averages the vectors of a track itself.

        Raises:
            InputError: attention weighs frames by each other, which single pictures cannot show.
        """
        if self.attention is not None:
            raise InputError(
                "model.pooling=attention weighs the frames of a clip by each other; train with "
                "model.pooling=average to export the network of the frames"
            )
        return self.frame


def frame_network(options: TemporalOptions, cameras: int = 0) -> ReIDModel:
    """The network of the frames, without a classifier.

    Raises:
        ConfigError: an unknown network or option, or a network that takes clips.
    """
    from rtreid_ros.reid.models import MODELS  # noqa: PLC0415 (this one is among them)

    entry = MODELS[options.frame_network]
    if entry.takes_clips:
        raise ConfigError(
            f"model.frame_network={options.frame_network} takes clips itself; choose one for pictures"
        )
    given: dict[str, str] = {}
    for text in options.frame_options:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"model.frame_options takes KEY=VALUE, got {text!r}")
        given[key.strip()] = value.strip()
    typed = build_from_text(entry.cls.Options, given)
    chosen: dict[str, Any] = {key: getattr(typed, key) for key in given}
    size = {"height": options.height, "width": options.width}
    if size.keys() <= {item.name for item in describe(entry.cls.Options)}:
        chosen = size | chosen
    return entry.cls(0, build(entry.cls.Options, {**entry.preset, **chosen}), cameras)


TEMPORAL = {NAME: ModelEntry(Temporal, {}, "any network for pictures, pooled over a clip", takes_clips=True)}
"""The names of this family."""
