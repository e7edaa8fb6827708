import pytest
import torch
from torch import nn

from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.models.base import ModelOptions, ReIDModel
from rtreid_ros.reid.models.cost import latency, model_cost


class Small(ReIDModel):
    """A strided, a depthwise and a linear layer."""

    def __init__(self):
        super().__init__(0, ModelOptions())
        self.strided = nn.Conv2d(3, 4, 3, 2, 1, bias=False)
        self.depthwise = nn.Conv2d(4, 4, 3, 1, 1, groups=4)
        self.linear = nn.Linear(4, 5)

    def forward(self, images, cameras=None):
        return self.linear(self.depthwise(self.strided(images)).mean((2, 3)))


def test_multiply_adds_are_counted_by_hand():
    cost = model_cost(Small(), (8, 6))
    assert cost.parameters == 3 * 4 * 9 + (4 * 9 + 4) + (4 * 5 + 5)
    pixels = 4 * 3
    assert cost.multiply_adds == pixels * 4 * 3 * 9 + pixels * 4 * 9 + 4 * 5
    assert cost.gflops == pytest.approx(cost.multiply_adds / 1e9)


class Clips(Small):
    def forward(self, images, cameras=None):
        return super().forward(images.flatten(0, 1)).mean(0, keepdim=True)


def test_a_clip_costs_its_frames():
    assert (
        model_cost(Clips(), (8, 6), frames=5).multiply_adds == 5 * model_cost(Small(), (8, 6)).multiply_adds
    )


@pytest.mark.parametrize(
    ("name", "published"), [("osnet_x0_25", 0.08), ("osnet_x1_0", 0.98), ("osnet_x0_5", 0.27)]
)
def test_osnet_costs_what_is_published(name, published):
    assert model_cost(create_model(name, 5), (256, 128)).gflops == pytest.approx(published, abs=0.005)


def test_the_network_is_left_as_it_was():
    model = create_model("resnet18", 5, width=0.125).train()
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    model_cost(model, (32, 32))
    assert model.training
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_latency_is_the_median_of_calls_that_count(monkeypatch):
    clock = iter(
        value for call in range(8) for value in (10.0 * call, 10.0 * call + (1 if call < 3 else call / 1000))
    )
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    shapes = []
    model = Small().train()
    model.register_forward_pre_hook(lambda _module, given: shapes.append(tuple(given[0].shape)))
    assert latency(model, (8, 6), calls=5) == pytest.approx(5)  # of 3, 4, 5, 6 and 7 ms
    assert set(shapes) == {(1, 3, 8, 6)}
    assert not model.training


def test_megabytes_are_those_of_single_precision():
    assert model_cost(Small(), (8, 6)).megabytes == pytest.approx(
        4 * model_cost(Small(), (8, 6)).parameters / 1e6
    )
