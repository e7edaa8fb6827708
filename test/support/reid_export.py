"""Checkpoints of small networks, and what their exported files must compute."""

import cv2
import numpy as np
import torch
from torch import nn

from rtreid_ros.reid.checkpoint import Checkpoint
from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.models.blocks.side_information import SideInformation
from rtreid_ros.reid.preprocessing import Preprocessing
from rtreid_ros.reid.sides import Sides

SIZE = (32, 16)
MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)


def unsettle(model, seed=0):
    """Random batch norms and vectors of cameras, so that leaving one out shows."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.2, generator=generator)
            module.running_var.uniform_(0.6, 1.6, generator=generator)
            module.weight.data.uniform_(0.6, 1.4, generator=generator)
        if isinstance(module, SideInformation):
            module.table.data.normal_(0, 1, generator=generator)
    return model


def checkpoint_of(name="resnet18", size=SIZE, config=None, sides=None, **options):
    """A checkpoint of a network with random weights; by default a very small one."""
    sides = sides or Sides()
    torch.manual_seed(1)
    options = options or {"width": 0.125}
    return Checkpoint(
        model=name,
        options=options,
        classes=5,
        cameras=len(sides),
        size=size,
        preprocessing=Preprocessing("RGB", 255.0, MEAN, STD),
        weights=unsettle(create_model(name, 5, len(sides), **options)).state_dict(),
        epoch=7,
        figures={"map": 0.5, "rank1": 0.75},
        config=config or {},
        sides=sides,
    )


def vectors_of(checkpoint, images, side=None):
    """``(N, D)`` unit rows of the network in torch, every step spelt out; `side` is of all."""
    height, width = checkpoint.size
    mean, std = checkpoint.preprocessing.mean, checkpoint.preprocessing.std
    pixels = [
        (cv2.cvtColor(cv2.resize(image, (width, height)), cv2.COLOR_BGR2RGB) / 255 - mean) / std
        for image in images
    ]
    batch = torch.tensor(np.array(pixels).transpose(0, 3, 1, 2), dtype=torch.float32)
    numbers = None if side is None else torch.full((len(batch),), side)
    with torch.no_grad():
        rows = checkpoint.create_model()(batch, numbers).numpy()
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
