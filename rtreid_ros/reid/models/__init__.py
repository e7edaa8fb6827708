"""Appearance networks by name. Needs torch; nothing that runs on a robot imports it.

To add one: derive from `ReIDModel`, give it `Options`, and register its names below.
"""

from __future__ import annotations

from typing import Any

from rtreid_ros.options import build
from rtreid_ros.registry import Registry
from rtreid_ros.reid.models.base import ModelEntry, ModelOptions, ReIDModel, ReIDOutput
from rtreid_ros.reid.models.mobilenet import MOBILENET
from rtreid_ros.reid.models.osnet import OSNET
from rtreid_ros.reid.models.plr_osnet import PLR_OSNET
from rtreid_ros.reid.models.resnet import RESNET
from rtreid_ros.reid.models.resnet3d import RESNET3D
from rtreid_ros.reid.models.striped_mobile import STRIPED_MOBILE
from rtreid_ros.reid.models.swin import SWIN
from rtreid_ros.reid.models.temporal import TEMPORAL
from rtreid_ros.reid.models.timm_body import TIMM
from rtreid_ros.reid.models.vit import VIT

MODELS: Registry[ModelEntry] = Registry("ReID model")
for _family in (MOBILENET, OSNET, PLR_OSNET, RESNET, RESNET3D, STRIPED_MOBILE, SWIN, TEMPORAL, TIMM, VIT):
    for _name, _entry in _family.items():
        MODELS.register(_name, _entry)

__all__ = ["MODELS", "ModelEntry", "ModelOptions", "ReIDModel", "ReIDOutput", "create_model"]


def create_model(name: str, classes: int, cameras: int = 0, **options: Any) -> ReIDModel:
    """A new network with random weights.

    Args:
        name: one of ``MODELS``.
        classes: training identities; 0 = no classifier.
        cameras: how many cameras or views the side information knows; 0 = none.
        options: fields of ``MODELS[name].cls.Options``; what is not given is as the name says.

    Raises:
        ConfigError: an unknown network or option, or a value out of range.
    """
    entry = MODELS[name]
    return entry.cls(classes, build(entry.cls.Options, {**entry.preset, **options}), cameras)
