import torch

from rtreid_ros.reid.models.blocks.batch_renorm import BatchRenorm2d, RenormSchedule
from rtreid_ros.reid.models.blocks.ibn import IBN


def normalised(values, eps=1e-5):
    return (values - values.mean()) / (values.var(correction=0) + eps).sqrt()


def test_the_first_half_is_normalised_per_image_the_rest_per_batch():
    norm = IBN(5).double().train()
    with torch.no_grad():
        norm.IN.weight.copy_(torch.tensor([2.0, 3.0]))
        norm.IN.bias.copy_(torch.tensor([0.5, -0.5]))
        norm.BN.weight.copy_(torch.tensor([1.0, 2.0, 3.0]))
    x = torch.randn(4, 5, 6, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = torch.empty_like(x)
    for image in range(4):
        expected[image, 0] = 2 * normalised(x[image, 0]) + 0.5
        expected[image, 1] = 3 * normalised(x[image, 1]) - 0.5
    for channel, weight in ((2, 1), (3, 2), (4, 3)):
        expected[:, channel] = weight * normalised(x[:, channel])
    torch.testing.assert_close(norm(x), expected)


def test_in_use_images_do_not_depend_on_each_other():
    norm = IBN(4)
    x = torch.randn(3, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    norm.train()(x)
    norm.eval()
    torch.testing.assert_close(norm(x)[1:2], norm(x[1:2]))


def test_works_with_batch_renormalisation():
    norm = IBN(4, lambda channels: BatchRenorm2d(channels, RenormSchedule(0, 1, 1))).train()
    x = torch.randn(3, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    norm(x)
    y = norm(x + 1)
    assert isinstance(norm.BN, BatchRenorm2d)
    assert y[:, :2].mean().abs() < 1e-4
    assert y[:, 2:].mean() > 0.5  # the running mean lags behind the shift
