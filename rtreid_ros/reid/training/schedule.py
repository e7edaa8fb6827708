"""The learning rate as a pure function of time: resuming needs nothing but the step."""

from __future__ import annotations

import math

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.training.options import ScheduleOptions


class Schedule:
    """Factor of the learning rate at each step.

    Warm-up as in Luo et al. (Bag of Tricks, 2019, section 3.1): linear from `warmup_factor` to 1, then
    multistep drops, or half a cosine (Loshchilov and Hutter, SGDR, 2017, eq. 5) from the end of warm-up or
    delay to the floor. Times are in epochs; within an epoch they advance step by step.

    Args:
        options: kind and shape.
        epochs: of the whole training.
        steps: in an epoch.

    Raises:
        ConfigError: milestones that are no numbers.
    """

    def __init__(self, options: ScheduleOptions, epochs: int, steps: int) -> None:
        self._options, self._epochs, self._steps = options, epochs, steps
        try:
            self._milestones = sorted(float(text) for text in options.milestones)
        except ValueError:
            raise ConfigError(
                f"schedule.milestones must be epochs, got {', '.join(options.milestones)}"
            ) from None

    def factor(self, step: int) -> float:
        """What lr is multiplied by in step `step`, counted from 0 over the whole training."""
        options, time = self._options, step / self._steps
        if time < options.warmup:
            return options.warmup_factor + (1 - options.warmup_factor) * time / options.warmup
        if options.kind == "multistep":
            return float(options.gamma ** sum(time >= milestone for milestone in self._milestones))
        if options.kind == "constant":
            return 1.0
        begin = max(options.delay, options.warmup)
        if time <= begin:
            return 1.0
        done = min((time - begin) / (self._epochs - begin), 1.0) if self._epochs > begin else 1.0
        return options.floor + (1 - options.floor) * 0.5 * (1 + math.cos(math.pi * done))
