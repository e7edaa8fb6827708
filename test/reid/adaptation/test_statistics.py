"""Batch norm's statistics on other pictures."""

import torch
from torch import nn

from rtreid_ros.reid.adaptation import statistics
from rtreid_ros.reid.adaptation.statistics import estimate_statistics, restore_statistics
from rtreid_ros.reid.preprocessing import PRESETS

CPU = torch.device("cpu")


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5))


def images(count):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, 3, 8, 6), dtype=torch.uint8, generator=generator)


def test_they_are_those_of_the_pictures():
    model, pictures = network(), images(40)
    model[1].running_mean.fill_(9)
    assert estimate_statistics(model, pictures, PRESETS["unit"], CPU, seed=0) == 1
    with torch.no_grad():
        maps = model[0](pictures / 255)
    torch.testing.assert_close(model[1].running_mean, maps.mean((0, 2, 3)))
    torch.testing.assert_close(model[1].running_var, maps.var((0, 2, 3)))
    assert not any(module.training for module in model.modules())
    assert model[1].momentum == 0.1


def test_batches_count_alike_and_sorted_pictures_are_mixed(monkeypatch):
    monkeypatch.setattr(statistics, "_BATCH", 10)
    pictures = torch.cat([torch.zeros(20, 3, 8, 6, dtype=torch.uint8), images(20)])
    model = network()
    estimate_statistics(model, pictures, PRESETS["unit"], CPU, seed=0)
    with torch.no_grad():
        maps = model[0](pictures / 255)
    torch.testing.assert_close(model[1].running_mean, maps.mean((0, 2, 3)))
    # were they taken in order, half of the batches would have no variance at all
    assert (model[1].running_var > 0.9 * maps.var((0, 2, 3))).all()


def test_a_network_without_batch_norm_stays_as_it_is():
    model = nn.Sequential(nn.Conv2d(3, 2, 1))
    assert estimate_statistics(model, images(4), PRESETS["unit"], CPU, seed=0) == 0


def test_restored_statistics_are_those_of_the_pictures_and_change_nothing(monkeypatch):
    monkeypatch.setattr(statistics, "_BATCH", 10)
    model, pictures = network(), images(35)
    with torch.no_grad():
        model[1].weight.fill_((1 + model[1].eps) ** 0.5)  # adds its bias and nothing else
        model[1].bias.copy_(torch.tensor([0.1, -0.2, 0.3, 0.0]))
        before = model.eval()(pictures / 255)
        maps = model[0](pictures / 255)
    restore_statistics(model, ["1"], pictures, PRESETS["unit"], CPU)
    torch.testing.assert_close(model[1].running_mean, maps.mean((0, 2, 3)))
    torch.testing.assert_close(model[1].running_var, maps.var((0, 2, 3), correction=0))
    with torch.no_grad():
        torch.testing.assert_close(model(pictures / 255), before, atol=1e-5, rtol=1e-4)
