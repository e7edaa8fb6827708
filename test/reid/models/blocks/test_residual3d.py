import torch

from rtreid_ros.reid.models.blocks.ibn import IBN3d
from rtreid_ros.reid.models.blocks.residual3d import ZeroShortcut


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_half_of_the_channels_are_normalised_per_clip():
    layer = IBN3d(5)
    x = noise(3, 5, 2, 4, 4) * 3 + 1
    y = layer(x)
    torch.testing.assert_close(y[:, :2].mean((2, 3, 4)), torch.zeros(3, 2), atol=1e-5, rtol=0)
    torch.testing.assert_close(y[:, 2:].mean((0, 2, 3, 4)), torch.zeros(3), atol=1e-5, rtol=0)
    assert y[:, 2:].mean((2, 3, 4)).abs().max() > 1e-3


def test_a_shortcut_without_weights_takes_every_other_value():
    x = noise(1, 2, 4, 4, 4)
    y = ZeroShortcut(5, 2)(x)
    assert y.shape == (1, 5, 2, 2, 2)
    assert torch.equal(y[:, :2], x[:, :, ::2, ::2, ::2])
    assert (y[:, 2:] == 0).all()
