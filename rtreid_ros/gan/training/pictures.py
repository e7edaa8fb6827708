"""The pictures of a training, resident, and those that generated ones are compared with."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import torch

from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.datasets.identities.base import JUNK
from rtreid_ros.errors import ConfigError, InputError, SourceError
from rtreid_ros.gan.training.config import GanConfig
from rtreid_ros.reid.data.resident import ResidentImages
from rtreid_ros.types import Int64


def load_pictures(
    config: GanConfig, device: torch.device, *, progress: bool = True
) -> tuple[ResidentImages, torch.Tensor]:
    """Training pictures, and the ``(N, 3, H, W) uint8`` reference of judgements.

    Raises:
        SourceError: the data set cannot be opened, or has no training picture.
        InputError: fewer pictures than a step or a judgement takes.
        ConfigError: nothing is held out, and that is what was to be the reference.
    """
    options, judging, batch = config.data, config.judging, config.training.batch
    held_out = judging.reference == "held_out"
    parts = ("train", "query", "gallery") if held_out else ("train",)
    dataset = open_identities(options.dataset, options.root, options.split, parts, **asdict(config.dataset))
    size = (options.height, options.width)
    if not len(dataset.train):
        raise SourceError(f"{dataset.name}: no training picture in {options.root!r} (split {options.split})")
    train = ResidentImages.load(dataset.train, size, device, progress)
    if len(train) < batch:
        raise InputError(
            f"a step takes {batch} pictures, and there are {len(train)} to learn from: give more, or choose "
            "a smaller training.batch"
        )
    if held_out:
        if not len(dataset.query) + len(dataset.gallery):
            raise ConfigError(
                f"judging.reference=held_out: split {options.split!r} holds nothing out here; use train, or "
                "data.split=mod5"
            )
        parts_held = [part for part in (dataset.query, dataset.gallery) if len(part)]
        resident = [
            ResidentImages.load(part[part.identities != JUNK], size, "cpu", progress).images
            for part in parts_held
        ]
        reference = torch.cat(resident)
    else:
        reference = train.images
    for name, count in (("real pictures", len(reference)), ("pictures generated", judging.images)):
        if count < judging.subset_size:
            raise InputError(
                f"a subset of KID takes {judging.subset_size} pictures, and there are {count} {name}: "
                "choose a smaller judging.subset_size"
            )
    rows = np.random.default_rng(config.training.seed).permutation(len(reference))[: judging.images]
    return train, reference[torch.from_numpy(np.sort(rows)).to(reference.device)].cpu()


def batches(count: int, size: int, seed: int, epoch: int) -> Int64:
    """``(steps, size)`` rows of an epoch: all pictures shuffled, those left over wait for another."""
    rows = np.random.default_rng((seed, epoch)).permutation(count)
    return rows[: count // size * size].reshape(-1, size).astype(np.int64)
