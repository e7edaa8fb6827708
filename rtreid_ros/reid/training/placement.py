"""Where a training runs: which device, how many processes, in which precision."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.data.resident import free_memory
from rtreid_ros.reid.training.options import TrainingOptions
from rtreid_ros.reid.training.sections import TrainingConfig

T = TypeVar("T")

_SHARE = 0.5
"""Of a device's free memory that resident images may take; the rest is for the network."""


class Placement:
    """The device of this process, and its share of the work where several train together.

    Several processes are what ``accelerate launch`` or ``torchrun`` start; only then is accelerate imported,
    so that a single process has nothing of it.

    Args:
        options: device and precision.

    Attributes:
        device: of network and batches.
        rank: number of this process; 0 writes files and speaks.
        world: number of processes.

    Raises:
        ConfigError: a GPU is asked for and there is none.
    """

    def __init__(self, options: TrainingOptions) -> None:
        if options.device == "cuda" and not torch.cuda.is_available():
            raise ConfigError(
                "training.device=cuda: torch finds no GPU here "
                f"(torch {torch.__version__}); use training.device=cpu or auto, or install torch with CUDA"
            )
        gpu = options.device != "cpu" and torch.cuda.is_available()
        self._half = options.precision == "bf16"
        self._accelerator: Any = None
        self.rank, self.world = 0, int(os.environ.get("WORLD_SIZE", "1"))
        self.device = torch.device("cuda" if gpu else "cpu")
        if self.world > 1:
            from accelerate import Accelerator  # noqa: PLC0415 (only where several processes train)

            self._accelerator = Accelerator(cpu=not gpu, mixed_precision="no")
            self.device, self.rank = self._accelerator.device, self._accelerator.process_index

    @property
    def main(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def wrap(self, model: nn.Module) -> nn.Module:
        """The network as it is called in training: with several processes, its gradients are averaged."""
        return model if self._accelerator is None else self._accelerator.prepare_model(model)

    def share(self, rows: torch.Tensor) -> torch.Tensor:
        """This process's part of a batch's rows: whole identities, as equally as it goes."""
        return rows if self.world == 1 else rows.tensor_split(self.world)[self.rank]

    def gather(self, tensor: torch.Tensor) -> torch.Tensor:
        """The rows of all processes, one after another, the same in each."""
        if self._accelerator is None:
            return tensor
        gathered: torch.Tensor = self._accelerator.gather(tensor)
        return gathered

    def from_main(self, value: T) -> T:
        """What process 0 has, in every process."""
        if self._accelerator is None:
            return value
        from accelerate.utils import broadcast_object_list  # noqa: PLC0415

        received: T = broadcast_object_list([value])[0]
        return received

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Mixed precision, where it is asked for."""
        if not self._half:
            return contextlib.nullcontext()
        context: contextlib.AbstractContextManager[Any] = torch.autocast(self.device.type, torch.bfloat16)
        return context

    def for_images(self, images: int, height: int, width: int) -> torch.device:
        """Where resident images live: on the device where they fit beside the network."""
        fits = 3 * images * height * width < _SHARE * free_memory(self.device)
        return self.device if fits else torch.device("cpu")

    @contextlib.contextmanager
    def settings(self, threads: int) -> Iterator[None]:
        """Global settings of torch for the time of a training; before and after, they are as they were."""
        before, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
        benchmark = torch.backends.cudnn.benchmark
        if threads:
            torch.set_num_threads(threads)
        if self.device.type == "cuda":
            torch.set_float32_matmul_precision("high")
            torch.backends.cudnn.benchmark = True
        try:
            yield
        finally:
            torch.set_num_threads(before)
            torch.set_float32_matmul_precision(precision)
            torch.backends.cudnn.benchmark = benchmark

    @contextlib.contextmanager
    def randomness(self, *seeds: int) -> Iterator[None]:
        """Layers that draw from torch's global generators do so from `seeds`; afterwards all is as before."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(seed_of(*seeds))
            yield


def seed_of(*parts: int) -> int:
    """One seed from several numbers, unlike that of any others as many."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))


def layout_of(config: TrainingConfig) -> torch.memory_format:
    """Memory layout of batches and kernels; clips have only one."""
    last = config.training.channels_last and not config.data.frames
    return torch.channels_last if last else torch.contiguous_format


def device_name(device: torch.device) -> str:
    """What figures of speed belong to."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "a processor"
