import pytest
import torch
from torch import nn

from rtreid_ros.errors import InputError
from rtreid_ros.reid.models.blocks.batch_renorm import BatchRenorm1d, BatchRenorm2d, RenormSchedule

SHAPES = {BatchRenorm1d: (6, 5), BatchRenorm2d: (6, 5, 4, 3)}
OPEN = RenormSchedule(0, 1, 1)
"""Bounds at the paper's limits from the second batch on."""


@pytest.fixture(params=[BatchRenorm1d, BatchRenorm2d])
def kind(request):
    return request.param


def batches(kind, count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(SHAPES[kind], generator=generator, dtype=torch.float64) * (1 + item) + item
        for item in range(count)
    ]


def randomised(norm, seed=1):
    generator = torch.Generator().manual_seed(seed)
    norm = norm.double()
    with torch.no_grad():
        norm.weight.uniform_(0.5, 2, generator=generator)
        norm.bias.uniform_(-1, 1, generator=generator)
    return norm


class Slow:
    """Algorithm 1 of the paper, channel by channel, with the schedule's bounds given."""

    def __init__(self, norm):
        self.weight, self.bias = (item.detach().clone() for item in (norm.weight, norm.bias))
        self.mean, self.variance = norm.running_mean.clone(), norm.running_var.clone()

    def __call__(self, x, r_max, d_max, eps=1e-5, momentum=0.1):
        y = torch.empty_like(x)
        for channel in range(x.shape[1]):
            values = x[:, channel]
            mean = values.mean()
            sigma = ((values - mean).square().mean() + eps).sqrt()
            running = (self.variance[channel] + eps).sqrt()
            r = float((sigma / running).detach().clamp(1 / r_max, r_max))
            d = float(((mean - self.mean[channel]) / running).detach().clamp(-d_max, d_max))
            y[:, channel] = self.weight[channel] * ((values - mean) / sigma * r + d) + self.bias[channel]
            unbiased = values.detach().var(correction=1)
            self.mean[channel] += momentum * (mean.detach() - self.mean[channel])
            self.variance[channel] += momentum * (unbiased - self.variance[channel])
        return y


def test_follows_the_papers_algorithm(kind):
    norm = randomised(kind(5, RenormSchedule(0, 4, 2, r_max=1.5, d_max=0.4))).train()
    slow = Slow(norm)
    generator = torch.Generator().manual_seed(2)
    bounds = [(1, 0), (1.125, 0.2), (1.25, 0.4), (1.375, 0.4), (1.5, 0.4), (1.5, 0.4)]
    for x, (r_max, d_max) in zip(batches(kind, 6), bounds, strict=True):
        ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
        y, expected = norm(ours), slow(theirs, r_max, d_max)
        torch.testing.assert_close(y, expected)
        upstream = torch.randn(y.shape, generator=generator, dtype=torch.float64)
        y.backward(upstream)
        expected.backward(upstream)
        torch.testing.assert_close(ours.grad, theirs.grad)  # r and d count as constants
        torch.testing.assert_close(norm.running_mean, slow.mean)
        torch.testing.assert_close(norm.running_var, slow.variance)


def test_is_batch_norm_until_the_schedule_starts(kind):
    plain = {BatchRenorm1d: nn.BatchNorm1d, BatchRenorm2d: nn.BatchNorm2d}[kind]
    norm, reference = randomised(kind(5)).train(), randomised(plain(5)).train()
    for x in batches(kind, 4):
        torch.testing.assert_close(norm(x), reference(x))
    assert norm.num_batches_tracked == reference.num_batches_tracked == 4
    for mode in (norm, reference):
        mode.eval()
    x = batches(kind, 1)[0][:1]
    torch.testing.assert_close(norm(x), reference(x))
    reference.load_state_dict(norm.state_dict())


@pytest.mark.parametrize(
    ("batch", "r_max", "d_max"),
    [
        (0, 1, 0),
        (5000, 1, 0),
        (15000, 1 + 2 * 10 / 35, 2.5),
        (25000, 1 + 2 * 20 / 35, 5),
        (40000, 3, 5),
        (10**6, 3, 5),
    ],
)
def test_the_bounds_grow_as_in_the_paper(batch, r_max, d_max):
    bounds = RenormSchedule().bounds(torch.tensor(batch))
    assert [item.item() for item in bounds] == pytest.approx([r_max, d_max])


def test_a_schedule_of_no_length_steps():
    schedule = RenormSchedule(3, 3, 3)
    assert [item.item() for item in schedule.bounds(torch.tensor(3))] == [1, 0]
    assert [item.item() for item in schedule.bounds(torch.tensor(4))] == [3, 5]


def test_groups_are_batches_of_their_own_with_common_statistics(kind):
    grouped = randomised(kind(5, OPEN, groups=3)).train()
    whole = (
        nn.BatchNorm1d(5).double().train() if kind is BatchRenorm1d else nn.BatchNorm2d(5).double().train()
    )
    for x in batches(kind, 3):
        r_max, d_max = (item.item() for item in OPEN.bounds(grouped.num_batches_tracked))
        slows = [Slow(grouped) for _ in range(3)]
        y = grouped(x)
        whole(x)
        for group, slow in enumerate(slows):
            torch.testing.assert_close(y[group::3], slow(x[group::3], r_max, d_max))
        torch.testing.assert_close(grouped.running_mean, whole.running_mean)
        torch.testing.assert_close(grouped.running_var, whole.running_var)


def test_a_batch_that_the_groups_do_not_divide_is_refused(kind):
    norm = kind(5, groups=4).double()
    with pytest.raises(InputError, match="a batch of 6 cannot be normalised in 4 groups"):
        norm.train()(batches(kind, 1)[0])
    norm.eval()(batches(kind, 1)[0])  # in use every image stands alone


def test_buffers_are_changed_in_place(kind):
    norm = kind(5).double().train()
    places = {name: item.data_ptr() for name, item in norm.named_buffers()}
    norm(batches(kind, 1)[0])
    assert {name: item.data_ptr() for name, item in norm.named_buffers()} == places


def test_statistics_stay_precise_under_autocast():
    norm, reference = BatchRenorm2d(5, OPEN).train(), BatchRenorm2d(5, OPEN).train()
    x = torch.randn(4, 5, 6, 6, generator=torch.Generator().manual_seed(0)) + 100
    with torch.autocast("cpu", torch.bfloat16):
        y = norm(x.bfloat16())
    assert y.dtype == torch.bfloat16
    reference(x.bfloat16().float())
    torch.testing.assert_close(norm.running_var, reference.running_var)
