"""Every network of the registry, small enough to be trained in a test."""

import torch

from rtreid_ros.options import build
from rtreid_ros.reid.models import MODELS, create_model

SMALL = {
    "MobileNetV2": {"width": 0.25, "last_stride": 1, "dim": 64},
    "MobileNetV4": {"width": 0.25},
    "ResNet": {"width": 0.125, "dropout": 0.0},
    "ResNet3d": {"width": 0.125},
    "OSNet": {"width": 0.375, "dim": 64},
    "PLROSNet": {"width": 0.375, "dim": 64},
    "StripedMobile": {"width": 0.5, "dim": 32},
    "Temporal": {
        "frame_network": "seresnet18_ibn",
        "frame_options": ("width=0.125", "dropout=0"),
        "pooling": "attention",
        "hidden": 8,
    },
    "Swin": {"dim": 16, "depth": 2, "head": 8, "window": 2, "drop_path": 0.0},
    "ViT": {"dim": 64, "depth": 2, "patch": 8, "heads": 2, "height": 64, "width": 32, "drop_path": 0.0},
}
"""Options by class that make its networks small."""

SHAPE = (3, 64, 32)

SHAPES: dict[str, tuple[int, ...]] = {"ResNet3d": (4, *SHAPE), "Temporal": (4, *SHAPE)}
"""Shape of one input by class where it is not `SHAPE`."""


def small_options(name):
    """Options that narrow the network of that name."""
    entry = MODELS[name]
    options = SMALL.get(entry.cls.__name__, {})
    if entry.cls.__name__ == "ResNet3d":  # deeper ones have only more of the same blocks
        return options | {"depth": 10 if entry.preset["depth"] < 50 else 50}
    return options


def small_model(name, classes, cameras=0):
    """The network of that name, narrowed."""
    return create_model(name, classes, cameras, **small_options(name))


def distinct_models():
    """Names of all networks that still differ once they are narrowed; timm's have tests of their own."""
    names = {}
    for name in (name for name in MODELS if name != "timm"):
        entry = MODELS[name]
        options = build(entry.cls.Options, {**entry.preset, **small_options(name)})
        names.setdefault((entry.cls, options), name)
    return list(names.values())


def people(name, identities, images, generator):
    """Inputs of `identities` coarse patterns under noise of the same strength, and their classes."""
    *lead, height, width = SHAPES.get(MODELS[name].cls.__name__, SHAPE)
    coarse = torch.randn(identities, *lead, height // 8, width // 8, generator=generator)
    patterns = coarse.repeat_interleave(8, -2).repeat_interleave(8, -1)
    classes = torch.arange(identities).repeat_interleave(images)
    noise = torch.randn(len(classes), *lead, height, width, generator=generator)
    return patterns[classes] + noise, classes
