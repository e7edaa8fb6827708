"""Any network of timm (PyTorch Image Models) with our neck. Needs the extra ``timm``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from rtreid_ros.errors import ConfigError, MissingDependencyError, ModelError
from rtreid_ros.options import option
from rtreid_ros.registry import suggest
from rtreid_ros.reid.models.base import ModelEntry, ModelOptions, ReIDModel, ReIDOutput
from rtreid_ros.reid.models.neck import bn_neck, classifier


@dataclass(frozen=True, slots=True)
class TimmOptions(ModelOptions):
    """Options of `TimmBody`."""

    body: str = option("vit_small_patch16_224", "timm's name of the network")
    height: int = option(256, "of the images, pixels, for networks of one size", ge=16, le=2048)
    width: int = option(128, "of the same, pixels", ge=16, le=2048)


class TimmBody(ReIDModel):
    """What timm pools, BN-neck and classifier.

    Raises:
        MissingDependencyError: timm, or torchvision, which it needs, is not there.
        ConfigError: timm has no network of that name.
        ModelError: timm cannot make the network, for example not in that size.
    """

    Options: ClassVar[type[ModelOptions]] = TimmOptions

    def __init__(self, classes: int, options: TimmOptions, cameras: int = 0) -> None:
        super().__init__(classes, options, cameras)
        self._name, self._size = options.body, (options.height, options.width)
        self.body = self._make()
        self.dim = int(self.body.head_hidden_size)
        self.branches = (self.dim,)
        self.neck = bn_neck(self.dim)
        self.classifier = classifier(self.dim, classes)

    def _make(self, *, pretrained: bool = False) -> Any:
        timm = _timm()
        if not timm.is_model(self._name):
            raise ConfigError(f"timm has no network {self._name!r}{suggest(self._name, timm.list_models())}")
        fixed = timm.models.get_pretrained_cfg_value(self._name, "fixed_input_size")
        size = {"img_size": self._size} if fixed else {}
        try:
            return timm.create_model(self._name, pretrained=pretrained, num_classes=0, **size)
        except (OSError, RuntimeError, ValueError, TypeError, AssertionError) as error:
            raise ModelError(f"timm cannot make {self._name}: {error}") from error

    def published(self) -> dict[str, torch.Tensor] | None:
        """Weights that timm fetches or has in its cache."""
        return {f"body.{name}": value for name, value in self._make(pretrained=True).state_dict().items()}

    def forward(self, images: torch.Tensor, cameras: torch.Tensor | None = None) -> ReIDOutput | torch.Tensor:
        """See `ReIDModel`; side information is not used."""
        embedding = self.body(images)
        neck = self.neck(embedding)
        return ReIDOutput(embedding, neck, self.classifier(neck)) if self.training else neck


def _timm() -> Any:
    try:
        import timm  # noqa: PLC0415 (optional)
    except ImportError as error:
        raise MissingDependencyError(
            f"the network 'timm' needs timm and torchvision ({error}); "
            "install them with: pip install 'rtreid_ros[timm]'"
        ) from None
    return timm


TIMM = {"timm": ModelEntry(TimmBody, {}, "any network of timm, option body, with a BN-neck")}
"""The name of this family."""
