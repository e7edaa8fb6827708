"""Training of the link model. Needs torch: nothing else imports this."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from rtreid_ros.errors import SinkError, SourceError
from rtreid_ros.postprocess.aflink.features import CHANNELS, ROWS
from rtreid_ros.postprocess.aflink.judge import judge
from rtreid_ros.postprocess.aflink.model import LinkModel, model_metadata
from rtreid_ros.postprocess.aflink.network import ExportedLinkNet, LinkNet
from rtreid_ros.postprocess.aflink.sampling import PairSampler
from rtreid_ros.postprocess.options import PostprocessOptions, TrainingOptions
from rtreid_ros.runtime.onnx_export import OWN, export_onnx

if TYPE_CHECKING:
    from rtreid_ros.postprocess.aflink.truth import Scene

_HELD_OUT = 5
"""Every fifth person of each sequence is kept from training and used to judge."""

_JUDGED_PAIRS = 8192


def split(scenes: Sequence[Scene], seed: int) -> tuple[list[Scene], list[Scene]]:
    """Scenes of the people to train on, and of those held out: a fifth of each, drawn by `seed`.

    Raises:
        SourceError: too few people for both.
    """
    rng = np.random.default_rng([seed, 1])
    kept: list[Scene] = []
    held: list[Scene] = []
    for scene in scenes:
        turn = rng.permutation(len(scene.people)) % _HELD_OUT
        for out, chosen in ((kept, turn != 0), (held, turn == 0)):
            people = tuple(person for person, wanted in zip(scene.people, chosen, strict=True) if wanted)
            if people:
                out.append(replace(scene, people=people))
    for part, name in ((kept, "train on"), (held, "hold out")):
        if sum(len(scene.people) for scene in part) < 2:
            total = sum(len(scene.people) for scene in scenes)
            raise SourceError(f"of {total} people too few are left to {name}; give more ground truth")
    return kept, held


def train(
    scenes: Sequence[Scene], options: TrainingOptions, *, progress: bool = True
) -> tuple[LinkNet, list[float]]:
    """A network trained on pairs drawn from `scenes`, and the mean loss of each epoch.

    The same scenes, options and torch give the same weights.
    """
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    sampler = PairSampler(scenes, np.random.default_rng([options.seed, 2]))
    net = LinkNet().train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=options.rate, weight_decay=0.01)
    steps = max(options.pairs // options.batch, 1)
    total = steps * options.epochs
    losses: list[float] = []
    bar = tqdm(total=total, desc="train", unit="step", disable=not progress)
    for epoch in range(options.epochs):
        pairs, labels = sampler.draw(steps * options.batch)
        summed = 0.0
        for step in range(steps):
            now = epoch * steps + step
            rate = options.rate * min((now + 1) / 50, 0.01 + 0.495 * (1 + math.cos(math.pi * now / total)))
            for group in optimizer.param_groups:
                group["lr"] = rate
            rows = slice(step * options.batch, (step + 1) * options.batch)
            logits = net(torch.from_numpy(pairs[rows]))
            loss = functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(labels[rows]))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            summed += loss.item()
            bar.update()
        losses.append(summed / steps)
        bar.set_postfix(epoch=epoch + 1, loss=f"{losses[-1]:.4f}")
    bar.close()
    return net.eval(), losses


def make_model(
    scenes: Sequence[Scene], path: Path, options: TrainingOptions, *, frames: str, progress: bool = True
) -> dict[str, Any]:
    """Train on four fifths of the people, write the model, and judge the file on the others.

    Args:
        scenes: ground truth.
        path: ``.onnx`` file to write.
        options: how to train.
        frames: which part of the sequences `scenes` is, for the record.
        progress: whether to show a bar.

    Returns:
        What it was made from and the figures on held-out people, as stored in the model.

    Raises:
        SourceError: too few people.
        SinkError: `path` cannot be written.
    """
    kept, held = split(scenes, options.seed)
    net, losses = train(kept, options, progress=progress)
    recipe = {
        **asdict(options),
        "frames": frames,
        "sequences": [scene.name for scene in scenes],
        "people": sum(len(scene.people) for scene in kept),
        "held_out_people": sum(len(scene.people) for scene in held),
        "torch": torch.__version__,
    }
    figures = {"loss": round(losses[-1], 4), **validate(net, held, options.seed)}
    metadata = {
        **OWN,
        "description": "Appearance-free tracklet linker (AFLink), trained by rtreid train-aflink",
        **model_metadata(),
        "recipe": json.dumps(recipe),
        "figures": json.dumps(figures),
    }
    example = torch.zeros(2, 2, ROWS, len(CHANNELS))
    try:
        export_onnx(
            ExportedLinkNet(net), example, path, metadata, inputs="pairs", output="confidence", batched=True
        )
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error})") from None
    LinkModel(str(path))  # what cannot be loaded again is no result
    return {"recipe": recipe, "figures": figures}


def validate(net: LinkNet, held: Sequence[Scene], seed: int) -> dict[str, float]:
    """Figures on pairs of held-out people, drawn and spoiled as those trained on."""
    pairs, labels = PairSampler(held, np.random.default_rng([seed, 3])).draw(_JUDGED_PAIRS)
    with torch.no_grad():
        confidence = torch.sigmoid(net(torch.from_numpy(pairs))).numpy()
    figures = judge(confidence, labels, PostprocessOptions().link_confidence)
    return {"pairs": _JUDGED_PAIRS, **{name: round(value, 4) for name, value in figures.items()}}
