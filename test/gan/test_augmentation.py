"""Views: what a discriminator sees."""

import pytest
import torch

from rtreid_ros.gan.augmentation import ViewOptions, Views, cut_out, recolour, translate


def views(progress=0.0, seed=0, **options):
    return Views(ViewOptions(**options), torch.Generator().manual_seed(seed), progress)


def test_equal_draws_do_the_same_to_real_and_generated():
    images = torch.rand(6, 3, 16, 8)
    look = views(noise=0.5)
    draws = look.draw(images)
    assert torch.equal(look(images, draws), look(images.clone(), draws))
    assert not torch.equal(look(images), look(images))  # else each has its own


def test_what_is_done_has_the_same_distribution_for_both():
    one, other = views(seed=3), views(seed=3)
    images = torch.rand(6, 3, 16, 8)
    assert torch.equal(one(images), other(images))


def test_gradients_pass_through_all_of_it():
    images = (torch.rand(2, 3, 8, 4, dtype=torch.float64) - 0.5).requires_grad_()
    look = views(noise=0.1)
    draws = look.draw(images)

    def see(pixels):
        return look(pixels, draws._replace(colour=draws.colour.double()))

    assert torch.autograd.gradcheck(see, images)


def test_a_translation_moves_by_whole_pixels_and_brings_in_zeros():
    image = torch.arange(1.0, 129).reshape(1, 1, 16, 8).expand(1, 3, 16, 8)
    moved = translate(image, torch.tensor([[1.0, -1.0]]))  # two down, one left
    assert torch.equal(moved[0, :, 2:, :-1], image[0, :, :-2, 1:])
    assert not moved[0, :, :2].any()
    assert not moved[0, :, :, -1:].any()
    assert torch.equal(translate(image, torch.zeros(1, 2)), image)


def test_a_hole_has_half_the_sides_and_lies_where_it_is_drawn():
    images = torch.ones(3, 3, 16, 8)
    found = cut_out(images, torch.tensor([[0.5, 0.5], [0.0, 0.0], [0.999, 0.999]]))
    assert (1 - found[0, 0]).sum() == 8 * 4
    assert not found[0, 0, 4:12, 2:6].any()
    assert (1 - found[1, 0]).sum() == 4 * 2  # what lies beyond the edge is no hole
    assert not found[2, 0, 11:, 5:].any()


def test_colours_change_as_published():
    images = torch.rand(2, 3, 4, 4) - 0.5
    torch.testing.assert_close(recolour(images, torch.full((2, 3), 0.5)), images)
    brighter = recolour(images, torch.tensor([[1.0, 0.5, 0.5]] * 2))
    torch.testing.assert_close(brighter, images + 0.5)
    grey = recolour(images, torch.tensor([[0.5, 0.0, 0.5]] * 2))
    torch.testing.assert_close(grey, images.mean(1, keepdim=True).expand_as(images))
    flat = recolour(images, torch.tensor([[0.5, 0.5, 0.0]] * 2))
    torch.testing.assert_close(flat.std((1, 2, 3)), 0.5 * images.std((1, 2, 3)))
    torch.testing.assert_close(flat.mean((1, 2, 3)), images.mean((1, 2, 3)))


@pytest.mark.parametrize(("progress", "expected"), [(0.0, 0.4), (0.2, 0.2), (0.4, 0.0), (0.9, 0.0)])
def test_noise_fades(progress, expected):
    look = views(progress, policy=(), noise=0.4, noise_until=0.4)
    assert look.noise == pytest.approx(expected)
    found = look(torch.zeros(8, 3, 32, 32))
    assert found.std().item() == pytest.approx(expected, abs=0.02)


def test_nothing_is_done_where_nothing_is_asked_for():
    images = torch.rand(2, 3, 8, 4)
    assert torch.equal(views(policy=())(images), images)
