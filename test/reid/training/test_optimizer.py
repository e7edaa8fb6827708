import pytest
import torch

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.training.optimizer import freeze, make_optimizer, set_rate
from rtreid_ros.reid.training.options import OptimizerOptions


@pytest.fixture
def model():
    return create_model("osnet_x0_25", 5, width=0.0625, dim=8)


def group_of(optimizer, parameter):
    return next(
        group for group in optimizer.param_groups if any(item is parameter for item in group["params"])
    )


def test_norms_and_biases_do_not_decay(model):
    optimizer = make_optimizer(model, OptimizerOptions(weight_decay=0.3))
    for name, parameter in model.named_parameters():
        decays = parameter.ndim > 1
        assert group_of(optimizer, parameter)["weight_decay"] == (0.3 if decays else 0.0), name
    assert group_of(optimizer, model.classifier.bias)["weight_decay"] == 0


def test_every_trainable_parameter_is_in_one_group():
    model = create_model("osnet_x0_25", 5, width=0.0625, dim=8)
    model.fc[1].bias.requires_grad_(False)  # as a neck's
    optimizer = make_optimizer(model, OptimizerOptions())
    listed = [id(item) for group in optimizer.param_groups for item in group["params"]]
    assert len(listed) == len(set(listed))
    assert set(listed) == {id(item) for item in model.parameters() if item.requires_grad}


def test_the_head_has_a_rate_of_its_own(model):
    optimizer = make_optimizer(model, OptimizerOptions(head_factor=10))
    set_rate(optimizer, 0.02)
    assert group_of(optimizer, model.classifier.weight)["lr"] == pytest.approx(0.2)
    assert group_of(optimizer, model.conv1.conv.weight)["lr"] == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        # by hand, from the weight 2 and the gradient 3, with lr 0.1
        ({"name": "sgd", "momentum": 0.0, "weight_decay": 0.5}, 2 - 0.1 * (3 + 0.5 * 2)),
        ({"name": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.0}, 2 - 0.1 * (3 + 0.9 * 3)),
        ({"name": "sgd", "momentum": 0.9, "nesterov": False, "weight_decay": 0.0}, 2 - 0.1 * 3),
        ({"name": "adam", "weight_decay": 0.5}, 2 - 0.1),
        ({"name": "adamw", "weight_decay": 0.5}, 2 * (1 - 0.1 * 0.5) - 0.1),
    ],
)
def test_a_first_step_by_hand(options, expected):
    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(layer.weight, 2.0)
    optimizer = make_optimizer(layer, OptimizerOptions(**options))
    set_rate(optimizer, 0.1)
    layer.weight.grad = torch.full((1, 1), 3.0)
    optimizer.step()
    assert layer.weight.item() == pytest.approx(expected, rel=1e-6)


def test_betas_are_those_asked_for(model):
    optimizer = make_optimizer(model, OptimizerOptions(beta1=0.8, beta2=0.99))
    assert {group["betas"] for group in optimizer.param_groups} == {(0.8, 0.99)}


def test_only_what_is_named_is_trainable(model):
    freeze(model, ("fc", "classifier.weight"))
    assert {name.split(".")[0] for name, item in model.named_parameters() if item.requires_grad} == {
        "fc",
        "classifier",
    }
    assert not model.classifier.bias.requires_grad
    with pytest.raises(ConfigError, match=r"no parameter begins with 'head'; the network has classifier, "):
        freeze(model, ("head",))
