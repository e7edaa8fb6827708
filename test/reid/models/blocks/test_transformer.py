import torch

from rtreid_ros.reid.models.blocks.transformer import StochasticDepth, resize_grid


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_a_grid_of_the_same_size_stays_as_it_is():
    table = noise(4, 2, 8)
    assert resize_grid(table, (4, 2)) is table
    assert resize_grid(table, (2, 2)).shape == (2, 2, 8)


def test_stochastic_depth_drops_whole_images_and_keeps_the_mean():
    torch.manual_seed(0)
    layer = StochasticDepth(0.25)
    y = layer(torch.ones(4000, 2, 3))
    rows = y[:, 0, 0]
    assert set(rows.tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert (y == rows[:, None, None]).all()
    assert abs(rows.mean().item() - 1) < 0.05
    assert (layer.eval()(torch.ones(10)) == 1).all()
