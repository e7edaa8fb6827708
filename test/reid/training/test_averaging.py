import pytest
import torch

from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.training.averaging import WeightAverage


@pytest.fixture
def model():
    return create_model("osnet_x0_25", 3, width=0.0625, dim=8)


def test_the_mean_by_hand(model):
    weight = model.classifier.bias
    torch.nn.init.constant_(weight, 1.0)
    average = WeightAverage(model, decay=0.15)
    mean = 1.0
    for number, value in enumerate([2.0, 4.0, -1.0]):
        torch.nn.init.constant_(weight, value)
        average.update()
        decay = min(0.15, (1 + number) / (10 + number))  # 0.1, then 0.15: 2/11 would be more
        mean = decay * mean + (1 - decay) * value
        assert average.model.classifier.bias[0].item() == pytest.approx(mean)
    assert average.updates == 3


def test_statistics_are_averaged_and_counts_copied(model):
    norm, average = model.conv1.bn, WeightAverage(model, decay=0.05)
    before = norm.running_mean.clone()
    model(torch.rand(4, 3, 32, 16))
    average.update()
    kept = average.model.conv1.bn
    torch.testing.assert_close(kept.running_mean, 0.05 * before + 0.95 * norm.running_mean)
    assert norm.num_batches_tracked == kept.num_batches_tracked == 1


def test_the_mean_is_for_judging_alone(model):
    average = WeightAverage(model.train(), decay=0.9)
    assert not average.model.training
    assert not any(parameter.requires_grad for parameter in average.model.parameters())
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_mean_that_was_kept_goes_on_where_it_was(model):
    average = WeightAverage(model, decay=0.9)
    torch.nn.init.constant_(model.classifier.bias, 3.0)
    average.update()
    again = WeightAverage(model, decay=0.9)
    again.restore(average.model.state_dict(), average.updates)
    for mean in (average, again):
        mean.update()
    assert again.updates == 2
    assert torch.equal(again.model.classifier.bias, average.model.classifier.bias)
