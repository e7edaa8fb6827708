"""Retrieval figures of a network on resident images, during training."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from rtreid_ros.evaluation.retrieval import Features, RetrievalFigures, judge_retrieval
from rtreid_ros.reid.data.augmentation import normalise
from rtreid_ros.reid.preprocessing import Preprocessing
from rtreid_ros.reid.training.pictures import Part

_PICTURES = 256
"""At once, frames of clips each for themselves."""


class Judgement(NamedTuple):
    """What a validation gave.

    Attributes:
        figures: by name: map, rank1, rank5, rank10, minp; from 0 to 1.
        retrieval: all that the protocol knows.
    """

    figures: dict[str, float]
    retrieval: RetrievalFigures


class Validator:
    """Judges networks on one pair of query and gallery by the single-query protocol, nothing added.

    Args:
        query: pictures to search with.
        gallery: pictures to search in.
        preprocessing: how the network wants its pixels.
        device: where it computes.
        layout: memory layout of its input.
    """

    def __init__(
        self,
        query: Part,
        gallery: Part,
        preprocessing: Preprocessing,
        device: torch.device,
        layout: torch.memory_format = torch.contiguous_format,
    ) -> None:
        self._query, self._gallery, self._preprocessing = query, gallery, preprocessing
        self._device, self._layout = device, layout

    def judge(self, model: nn.Module) -> Judgement:
        """Figures of `model`, which is in evaluation mode."""
        found = judge_retrieval(self._features(model, self._query), self._features(model, self._gallery))
        figures = {
            "map": found.map,
            **{f"rank{k}": found.rank(k) for k in (1, 5, 10)},
            "minp": found.minp,
        }
        return Judgement({name: float(value) for name, value in figures.items()}, found)

    def _features(self, model: nn.Module, part: Part) -> Features:
        found = necks(model, part, self._preprocessing, self._device, self._layout)
        images, shown = part.images, part.shown
        return Features(
            functional.normalize(found).cpu().numpy(),
            images.identities[shown],
            images.cameras[shown],
            images.sequences[shown],
        )


def necks(
    model: nn.Module,
    part: Part,
    preprocessing: Preprocessing,
    device: torch.device,
    layout: torch.memory_format = torch.contiguous_format,
) -> torch.Tensor:
    """``(M, D)`` of what `part` judges, pictures as they are, as `model` gives it in evaluation mode."""
    vectors = []
    images, sides = part.images, part.sides
    every = torch.from_numpy(part.rows).to(images.images.device)
    with torch.inference_mode():
        for rows in every.split(max(_PICTURES // every[0].numel(), 1)):
            pixels = images.images[rows].to(device, non_blocking=True)
            batch = normalise(pixels, preprocessing).contiguous(memory_format=layout)
            heads = rows if rows.ndim == 1 else rows[:, 0]
            side = None if sides is None else sides[heads].to(device)
            found = model(batch) if side is None else model(batch, side)
            vectors.append(found.float())
    return torch.cat(vectors)
