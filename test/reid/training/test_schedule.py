"""The learning rate over time, against torch's schedulers and published formulae."""

import math

import pytest
import torch

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.training.options import ScheduleOptions
from rtreid_ros.reid.training.schedule import Schedule


def rates_of_torch(scheduler, steps):
    rates = []
    for _ in range(steps):
        rates.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.optimizer.step()
        scheduler.step()
    return rates


@pytest.fixture
def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)


def test_warm_up_rises_linearly_step_by_step():
    schedule = Schedule(ScheduleOptions(kind="constant", warmup=2, warmup_factor=0.1), epochs=5, steps=10)
    assert schedule.factor(0) == pytest.approx(0.1)
    assert schedule.factor(5) == pytest.approx(0.1 + 0.9 * 0.25)
    assert schedule.factor(19) == pytest.approx(0.1 + 0.9 * 0.95)
    assert schedule.factor(20) == schedule.factor(49) == 1


def test_multistep_is_that_of_torch(optimizer):
    options = ScheduleOptions(kind="multistep", warmup=0, milestones=("4", "7"), gamma=0.1)
    schedule = Schedule(options, epochs=10, steps=3)
    expected = rates_of_torch(torch.optim.lr_scheduler.MultiStepLR(optimizer, [12, 21], 0.1), 30)
    assert [schedule.factor(step) for step in range(30)] == pytest.approx(expected)


def test_cosine_is_that_of_torch(optimizer):
    schedule = Schedule(ScheduleOptions(warmup=0, floor=0.02), epochs=8, steps=5)
    expected = rates_of_torch(torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40, 0.02), 40)
    assert [schedule.factor(step) for step in range(40)] == pytest.approx(expected)


def test_delayed_cosine_at_whole_epochs():
    """Warm-up over 10 epochs from 0.01, full rate until 30, then cosine to 7e-7 of 3.5e-4."""
    schedule = Schedule(ScheduleOptions(warmup=10, warmup_factor=0.01, delay=30, floor=0.002), 120, 7)
    for epoch, expected in {
        0: 0.01,
        3: 0.01 * 0.7 + 0.3,
        10: 1.0,
        29: 1.0,
        30: 1.0,
        75: 0.002 + 0.998 * 0.5,
        119: 0.002 + 0.998 * 0.5 * (1 + math.cos(math.pi * 89 / 90)),
    }.items():
        assert schedule.factor(7 * epoch) == pytest.approx(expected), epoch


def test_a_delay_beyond_the_end_leaves_the_rate_as_it_is():
    schedule = Schedule(ScheduleOptions(warmup=0, delay=9), epochs=4, steps=2)
    assert {schedule.factor(step) for step in range(8)} == {1.0}


def test_milestones_must_be_numbers():
    with pytest.raises(ConfigError, match="milestones must be epochs, got 4, many"):
        Schedule(ScheduleOptions(kind="multistep", milestones=("4", "many")), 10, 3)
