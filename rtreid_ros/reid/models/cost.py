"""What a network costs: its size and its arithmetic."""

from __future__ import annotations

import copy
import statistics
import time
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from rtreid_ros.reid.models.base import ReIDModel


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of one embedding.

    Attributes:
        parameters: of the whole network as given; one made with ``classes=0, cameras=0`` is what is deployed.
        multiply_adds: of its convolutions and matrix products for one input, each counted once.
    """

    parameters: int
    multiply_adds: int

    @property
    def megabytes(self) -> float:
        """10^6 bytes of its parameters in single precision."""
        return 4 * self.parameters / 1e6

    @property
    def gflops(self) -> float:
        """10^9 multiply-adds: what papers on ReID call GFLOPs, half of what counts both operations."""
        return self.multiply_adds / 1e9


def model_cost(model: ReIDModel, size: tuple[int, int], frames: int = 0) -> Cost:
    """The cost of `model` in deployment; nothing is computed and `model` stays as it is.

    Args:
        model: any mode, any device.
        size: ``(height, width)`` of an image in pixels.
        frames: of a clip, for networks that take clips; 0 = an image.
    """
    parameters = sum(parameter.numel() for parameter in model.parameters())
    shape = (1, frames, 3, *size) if frames else (1, 3, *size)
    shapes_only = copy.deepcopy(model).to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        shapes_only(torch.empty(shape, device="meta"))
    return Cost(parameters, counter.get_total_flops() // 2)


def latency(model: ReIDModel, size: tuple[int, int], frames: int = 0, calls: int = 20) -> float:
    """Median milliseconds for one input on the processor, in torch; exported files are faster.

    Args:
        model: on the processor; it is in evaluation mode afterwards.
        size: as of `model_cost`.
        frames: likewise.
        calls: how often it is timed, after three calls that do not count.
    """
    given = torch.rand((1, frames, 3, *size) if frames else (1, 3, *size))
    model.eval()
    times = []
    with torch.inference_mode():
        for _ in range(3 + calls):
            begin = time.perf_counter()
            model(given)
            times.append(time.perf_counter() - begin)
    return 1000 * statistics.median(times[3:])
