"""One pass over the batches of an epoch."""

from __future__ import annotations

import time
from typing import Any

import torch

from rtreid_ros.errors import TrainingError
from rtreid_ros.gan.augmentation import Views
from rtreid_ros.gan.objectives import OBJECTIVES, Deal, Losses
from rtreid_ros.gan.sampling import from_bytes
from rtreid_ros.gan.training.config import GanConfig
from rtreid_ros.gan.training.pictures import batches
from rtreid_ros.gan.training.state import State
from rtreid_ros.reid.training.placement import seed_of
from rtreid_ros.reid.training.progress import Progress
from rtreid_ros.reid.training.schedule import Schedule

_LOOK = 10
"""Steps between looks at the losses: to read one is to wait for the device."""

_STEPS = 1
"""What this module draws from the seed, unlike the first weights (0)."""


class EpochLoop:
    """Trains over epochs, one call each.

    Args:
        config: see there.
        images: ``(N, 3, H, W) uint8`` to learn from.
        state: what learns.
        device: where it does.
    """

    def __init__(self, config: GanConfig, images: torch.Tensor, state: State, device: torch.device) -> None:
        self._config, self._images, self._state, self._device = config, images, state, device
        self._objective = OBJECTIVES[config.objective.name](config.objective_options)
        groups = state.groups
        self._groups = None if groups is None else torch.from_numpy(groups.labels).to(images.device)
        self._steps = len(images) // config.training.batch
        self._schedule = Schedule(config.schedule, config.training.epochs, self._steps)
        self._generator = torch.Generator(device)
        self._parameters = {name: list(player.parameters()) for name, player in state.players.named().items()}

    def run(self, epoch: int, progress: Progress) -> dict[str, Any]:
        """Train epoch `epoch`, counted from 0; what it came to, for the log.

        Raises:
            TrainingError: a loss or a weight is no longer a finite number.
        """
        begin, training = time.perf_counter(), self._config.training
        for player in self._state.players.named().values():
            player.train()
        rows = torch.from_numpy(batches(len(self._images), training.batch, training.seed, epoch))
        rows = rows.to(self._images.device)
        seen: list[torch.Tensor] = []
        sums: dict[str, torch.Tensor] = {}
        counts: dict[str, int] = {}
        done = 0
        means: dict[str, float] = {}
        for step in range(len(rows)):
            losses = self._step(epoch, step, rows[step])
            seen.append(torch.stack([*losses.values()]).sum())
            for name, value in losses.items():
                sums[name] = sums[name] + value if name in sums else value
                counts[name] = counts.get(name, 0) + 1
            if (step + 1) % _LOOK == 0 or step + 1 == len(rows):
                self._look(torch.stack(seen).tolist(), epoch, done)
                means = {name: value / counts[name] for name, value in _numbers(sums).items()}
                progress.step(epoch + 1, (step + 1 - done) * training.batch, means)
                done, seen = step + 1, []
        self._check_weights(epoch)
        seconds = time.perf_counter() - begin
        return {
            "epoch": epoch + 1,
            "losses": means,
            "lr": self._config.optimizer.generator_lr * self._factor(epoch, len(rows) - 1),
            "seconds": round(seconds, 3),
            "images_per_second": round(rows.numel() / seconds, 1),
        }

    def _step(self, epoch: int, step: int, rows: torch.Tensor) -> Losses:
        """A step of the discriminator and, where it is its turn, one of the generator."""
        state, objective = self._state, self._objective
        number = epoch * self._steps + step
        self._generator.manual_seed(seed_of(self._config.training.seed, _STEPS, epoch, step))
        deal = self._deal(rows, number)
        factor = self._factor(epoch, step)
        losses = objective.discriminator_losses(state.players, deal)
        torch.stack([*losses.values()]).sum().backward(inputs=self._parameters["discriminator"])
        self._take_step("discriminator", factor)
        objective.after_step(state.players.discriminator)
        found = {f"discriminator/{name}": value.detach() for name, value in losses.items()}
        if (number + 1) % self._config.objective_options.critic_steps:
            return found
        aims, parts = objective.generator_losses(state.players, deal)
        for place, (name, loss) in enumerate(aims.items(), start=1):
            # for one player alone, though it goes through others
            loss.backward(inputs=self._parameters[name], retain_graph=place < len(aims))
        for name in aims:
            self._take_step(name, factor)
        if state.average is not None:
            state.average.update()
        return {**found, **parts}

    def _deal(self, rows: torch.Tensor, number: int) -> Deal:
        """Pictures, mirrored by chance, and all else a step is given."""
        config, generator = self._config, self._generator
        real = from_bytes(self._images[rows].to(self._device, non_blocking=True))
        mirrored = torch.rand(len(real), generator=generator, device=self._device) < config.data.flip
        real = torch.where(mirrored[:, None, None, None], real.flip(3), real)
        groups = None if self._groups is None else self._groups[rows].to(self._device)
        done = number / (config.training.epochs * self._steps)
        return Deal(real, groups, Views(config.views, generator, done), generator)

    def _take_step(self, name: str, factor: float) -> None:
        optimizer, options = self._state.optimizers[name], self._config.optimizer
        rate = options.discriminator_lr if name == "discriminator" else options.generator_lr
        for group in optimizer.param_groups:
            group["lr"] = rate * factor
        optimizer.step()
        optimizer.zero_grad()

    def _factor(self, epoch: int, step: int) -> float:
        return self._schedule.factor(epoch * self._steps + step)

    def _check_weights(self, epoch: int) -> None:
        """The last step may have spoilt weights that no loss has seen yet, and they are about to be saved."""
        for name, parameters in self._parameters.items():
            if not all(torch.stack([item.detach().isfinite().all() for item in parameters]).tolist()):
                raise TrainingError(
                    f"weights of the {name} are no finite numbers after epoch {epoch + 1}: training has "
                    "diverged; try smaller learning rates"
                )

    @staticmethod
    def _look(totals: list[float], epoch: int, first: int) -> None:
        """Refuse to go on from a loss that is no finite number."""
        for step, value in enumerate(totals, first):
            if not abs(value) < float("inf"):
                raise TrainingError(
                    f"the losses sum up to {value} in epoch {epoch + 1}, step {step + 1}: training has "
                    "diverged; try smaller learning rates"
                )


def _numbers(values: dict[str, torch.Tensor]) -> dict[str, float]:
    """All at once: each look at one by one would wait for the device."""
    return dict(zip(values, torch.stack([*values.values()]).tolist(), strict=True))
