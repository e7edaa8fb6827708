"""One pass over the batches of an epoch."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch import nn

from rtreid_ros.errors import TrainingError
from rtreid_ros.reid.data.augmentation import Augmenter
from rtreid_ros.reid.data.clips import ClipSampler
from rtreid_ros.reid.data.mixture import MixedSampler
from rtreid_ros.reid.data.sampler import PKSampler
from rtreid_ros.reid.losses import Labels
from rtreid_ros.reid.models import ReIDOutput
from rtreid_ros.reid.preprocessing import PRESETS
from rtreid_ros.reid.training.config import TrainingConfig
from rtreid_ros.reid.training.optimizer import set_rate
from rtreid_ros.reid.training.pictures import Part
from rtreid_ros.reid.training.placement import Placement, layout_of, seed_of
from rtreid_ros.reid.training.progress import Progress
from rtreid_ros.reid.training.schedule import Schedule
from rtreid_ros.reid.training.state import State
from rtreid_ros.reid.training.synthetic import Added
from rtreid_ros.reid.training.validation import necks

_LOOK = 10
"""Steps between looks at the losses: to read one is to wait for the device."""

_AUGMENTATION = 1
"""What this module draws from the seed, unlike the first weights (0) and what layers draw (2)."""

_DIVERGED = (
    "training has diverged; try a smaller optimizer.lr, a longer schedule.warmup or a smaller "
    "optimizer.clip_norm"
)


class EpochLoop:
    """Trains over epochs, one call each.

    Args:
        config: see there.
        placement: device and share of the work.
        train: pictures to learn from.
        added: what is known of generated ones among them; None = all are real.
        sampler: batches of them, or of clips.
        augmenter: makes input of them.
        schedule: learning rate.
        state: what learns.
        network: ``state.model`` as it is to be called: compiled, or averaging gradients.
    """

    def __init__(
        self,
        config: TrainingConfig,
        placement: Placement,
        train: Part,
        *,
        added: Added | None = None,
        sampler: PKSampler | ClipSampler | MixedSampler,
        augmenter: Augmenter,
        schedule: Schedule,
        state: State,
        network: nn.Module,
    ) -> None:
        self._config, self._placement, self._state, self._network = config, placement, state, network
        self._sampler, self._augmenter, self._schedule = sampler, augmenter, schedule
        self._added = added
        self._train, self._images, self._sides = train, train.images.images, train.sides
        self._classes = torch.from_numpy(train.images.classes).to(self._images.device)
        self._generator = torch.Generator(placement.device)
        self._learning = [item for item in state.model.parameters() if item.requires_grad]
        self._layout = layout_of(config)

    def run(self, epoch: int, progress: Progress) -> dict[str, Any]:
        """Train epoch `epoch`, counted from 0; what it came to, for the log.

        Raises:
            TrainingError: a loss or a weight is no longer a finite number.
        """
        begin = time.perf_counter()
        if self._state.recipe.wants_features(epoch):
            self._begin_memories(epoch)
        self._learn()
        batches = np.stack(list(self._sampler.epoch(epoch)))
        rows = torch.from_numpy(batches).to(self._images.device)
        totals = torch.zeros(len(rows), device=self._placement.device)
        parts: dict[str, torch.Tensor] = {}
        seen = 0
        for step in range(len(rows)):
            total, values = self._step(epoch, step, self._share(rows[step]))
            totals[step] = total
            for name, value in values.items():
                parts[name] = parts[name] + value if name in parts else value
            if (step + 1) % _LOOK == 0 or step + 1 == len(rows):
                self._look(totals[seen : step + 1], epoch, seen)
                means = dict(zip(parts, (torch.stack([*parts.values()]) / (step + 1)).tolist(), strict=True))
                progress.step(epoch + 1, (step + 1 - seen) * rows.shape[1], means)
                seen = step + 1
        self._check_weights(epoch)
        seconds = time.perf_counter() - begin
        return {
            "epoch": epoch + 1,
            "loss": float(totals.mean()),
            "losses": means,
            "lr": self._rate(epoch, len(rows) - 1),
            "seconds": round(seconds, 3),
            "images_per_second": round(rows.shape[0] * rows.shape[1] / seconds, 1),
        }

    def _share(self, rows: torch.Tensor) -> torch.Tensor:
        """This process's part of a batch: of its real and of its generated pictures."""
        if not isinstance(self._sampler, MixedSampler):
            return self._placement.share(rows)
        first = len(rows) - self._sampler.added
        return torch.cat([self._placement.share(part) for part in rows.split([first, len(rows) - first])])

    def _begin_memories(self, epoch: int) -> None:
        """Let losses that remember identities begin with what the network makes of all training pictures."""
        model, placement = self._state.model.eval(), self._placement
        preprocessing = PRESETS[self._config.data.preprocessing]
        found = necks(model, self._train, preprocessing, placement.device, self._layout)
        classes = self._classes[torch.from_numpy(self._train.shown).to(self._classes.device)]
        self._state.recipe.initialise(found.clone(), classes.to(placement.device), epoch)

    def _learn(self) -> None:
        """Training mode, but for layers that are fixed: their statistics stay fixed, too."""
        self._network.train()
        if self._config.model.trainable:
            for module in self._state.model.modules():
                own = list(module.parameters())
                if own and not any(parameter.requires_grad for parameter in own):
                    module.eval()

    def _step(
        self, epoch: int, step: int, rows: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """One batch: forward, backward, clip, step; the loss and its parts, still on the device."""
        state, options, placement = self._state, self._config.optimizer, self._placement
        heads = rows if rows.ndim == 1 else rows[:, 0]  # all frames of a clip show the same
        labels = Labels(self._take(self._classes, heads), heads.to(placement.device, non_blocking=True))
        if self._added is not None and self._added.soft is not None:
            others, shares = (self._take(column, heads) for column in self._added.soft)
            labels = labels._replace(others=others, shares=shares)
        seed = seed_of(self._config.training.seed, _AUGMENTATION, epoch, step, placement.rank)
        self._generator.manual_seed(seed)
        batch, labels = self._augmenter(self._take(self._images, rows), labels, self._generator)
        batch = batch.contiguous(memory_format=self._layout)
        set_rate(state.optimizer, self._rate(epoch, step))
        with placement.autocast():
            if self._sides is None:
                output = self._network(batch)
            else:
                output = self._network(batch, self._take(self._sides, heads))
        output = _map(output, torch.Tensor.float)  # losses are computed in full precision
        total, values = state.recipe(output, labels, epoch)
        total.backward()
        if options.clip_norm:
            nn.utils.clip_grad_norm_(self._learning, options.clip_norm)
        state.optimizer.step()
        state.optimizer.zero_grad()
        with torch.no_grad():
            gathered = _map(output, lambda rows: placement.gather(rows.detach()))
            known = Labels(*(None if item is None else placement.gather(item) for item in labels))
            state.recipe.after_step(gathered, known)
        if state.average is not None:
            state.average.update()
        return total.detach(), values

    def _rate(self, epoch: int, step: int) -> float:
        factor = self._schedule.factor(epoch * len(self._sampler) + step)
        return self._config.optimizer.lr * factor

    def _take(self, source: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        taken = source[rows]
        device = self._placement.device
        if device.type == "cuda" and taken.device.type == "cpu":
            taken = taken.pin_memory()
        return taken.to(device, non_blocking=True)

    def _check_weights(self, epoch: int) -> None:
        """The last step may have spoilt weights that no loss has seen yet, and they are about to be saved."""
        if not all(torch.stack([item.detach().isfinite().all() for item in self._learning]).tolist()):
            raise TrainingError(f"weights are no finite numbers after epoch {epoch + 1}: {_DIVERGED}")

    @staticmethod
    def _look(totals: torch.Tensor, epoch: int, first: int) -> None:
        """Refuse to go on from a loss that is no finite number."""
        for step, value in enumerate(totals.tolist(), first):
            if not np.isfinite(value):
                raise TrainingError(f"the loss is {value} in epoch {epoch + 1}, step {step + 1}: {_DIVERGED}")


def _map(output: ReIDOutput, function: Any) -> ReIDOutput:
    """`function` of every tensor of an output."""
    return ReIDOutput(
        function(output.embedding),
        function(output.neck),
        function(output.logits),
        tuple(_map(branch, function) for branch in output.branches),
    )
