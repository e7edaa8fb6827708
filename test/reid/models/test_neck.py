import warnings

import pytest
import torch

from rtreid_ros.reid.models.neck import bn_neck, classifier


def test_the_necks_bias_is_zero_for_good():
    neck = bn_neck(4)
    assert neck.weight.requires_grad
    assert not neck.bias.requires_grad
    assert not neck.bias.any()


@pytest.mark.parametrize("bias", [False, True])
def test_the_classifier_starts_small(bias):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = classifier(512, 751, bias=bias)
    assert layer.weight.shape == (751, 512)
    assert layer.weight.std().item() == pytest.approx(0.001, rel=0.02)
    assert (layer.bias is not None) is bias
    assert layer.bias is None or not layer.bias.any()


def test_no_classes_are_no_reason_to_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert classifier(8, 0)(torch.ones(2, 8)).shape == (2, 0)
