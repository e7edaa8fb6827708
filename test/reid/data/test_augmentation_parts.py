"""Each operation against a slow reference, picture by picture."""

import math

import cv2
import numpy as np
import pytest
import torch
from scipy import stats

from rtreid_ros.reid.data.augmentation.colour import grey_inside, jitter, luma, mix_channels, sketch
from rtreid_ros.reid.data.augmentation.distance import Distance, down_and_up
from rtreid_ros.reid.data.augmentation.geometry import cut_affine, flip_and_crop
from rtreid_ros.reid.data.augmentation.mixing import draw_beta, draw_partners, mix
from rtreid_ros.reid.data.augmentation.normalisation import normalise
from rtreid_ros.reid.data.augmentation.occlusion import draw_below, draw_side, paste
from rtreid_ros.reid.data.augmentation.rectangles import draw_rectangles, erase, inside
from rtreid_ros.reid.data.augmentation.selection import draw_chance, where_chosen
from rtreid_ros.reid.preprocessing import PRESETS, Preprocessing

SIZE = (24, 12)
COUNT, FRAMES = 6, 2


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def clips(seed=0, size=SIZE, smooth=False):
    """``(COUNT, FRAMES, 3, H, W) uint8``."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (COUNT, FRAMES, 3, *size), np.uint8)
    if smooth:
        images = np.stack([[[cv2.blur(c, (5, 5)) for c in f] for f in clip] for clip in images])
    return torch.from_numpy(images)


def picture(images, row, frame):
    """One frame as OpenCV has it, ``(H, W, 3)``."""
    return images[row, frame].permute(1, 2, 0).numpy()


def same(found, row, frame, expected, tolerance=0.0):
    np.testing.assert_allclose(picture(found, row, frame), expected, atol=tolerance, rtol=0)


def every():
    return [(row, frame) for row in range(COUNT) for frame in range(FRAMES)]


@pytest.mark.parametrize("pad", [0, 3])
def test_flip_and_crop(pad):
    images = clips()
    flipped = torch.tensor([True, False, True, True, False, False])
    corners = torch.randint(2 * pad + 1, (COUNT, 2), generator=generator())
    corners[0], corners[1] = 0, 2 * pad  # into both corners
    found = flip_and_crop(images, flipped, corners, pad)
    assert found.dtype == torch.uint8
    for row, frame in every():
        image = picture(images, row, frame)
        image = image[:, ::-1] if flipped[row] else image
        padded = np.pad(image, ((pad, pad), (pad, pad), (0, 0)))
        y, x = corners[row].tolist()
        same(found, row, frame, padded[y : y + SIZE[0], x : x + SIZE[1]])


def test_flip_and_crop_of_pictures_that_do_not_lie_in_one_piece():
    images = clips()
    spread = images.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
    flipped, corners = torch.ones(COUNT, dtype=torch.bool), torch.ones(COUNT, 2, dtype=torch.int64)
    assert torch.equal(flip_and_crop(spread, flipped, corners, 2), flip_and_crop(images, flipped, corners, 2))


@pytest.mark.parametrize(
    "preprocessing", [*PRESETS.values(), Preprocessing("BGR", 2.0, (1, 2, 3), (4, 5, 6))]
)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_normalise(preprocessing, dtype):
    images = clips().to(dtype)
    before = images.clone()
    found = normalise(images, preprocessing)
    assert found.dtype == torch.float32
    for row, frame in every():
        image = picture(before, row, frame).astype(np.float64)
        image = image if preprocessing.color == "RGB" else image[..., ::-1]
        same(found, row, frame, (image / preprocessing.scale - preprocessing.mean) / preprocessing.std, 1e-4)
    assert torch.equal(images, before)


def test_rectangles_lie_inside_and_keep_area_and_aspect():
    height, width = 100, 60
    found = draw_rectangles(4000, (height, width), (0.05, 0.3), 0.5, generator()).numpy()
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2] <= height).all()
    assert (found[:, 3] <= width).all()
    high, wide = found[:, 2] - found[:, 0], found[:, 3] - found[:, 1]
    share, ratio = high * wide / (height * width), high / wide
    assert share.min() > 0.045
    assert share.max() < 0.31
    assert ratio.min() > 0.45
    assert ratio.max() < 2.2
    # area and aspect are uniform but for what does not fit; every place is possible
    reference = np.random.default_rng(0).uniform([0.05, 0.5], [0.3, 2.0], (200_000, 2))
    sides = np.sqrt(reference[:, :1] * height * width * np.stack([reference[:, 1], 1 / reference[:, 1]], 1))
    fits = (np.rint(sides) < (height, width)).all(1)
    np.testing.assert_allclose([share.mean(), ratio.mean()], reference[fits].mean(0), rtol=0.03)
    assert found[:, :2].min(0).tolist() == [0, 0]
    assert found[:, 2:].max(0).tolist() == [height, width]


def test_where_no_rectangle_fits_there_is_none():
    found = draw_rectangles(50, (10, 10), (1.0, 1.0), 1.0, generator())
    assert not inside(found, (10, 10)).any()


def test_the_inside_of_rectangles_is_erased():
    rectangles = torch.tensor(
        [[0, 0, 24, 12], [3, 4, 10, 5], [5, 5, 5, 9], [20, 0, 24, 12], [0, 0, 0, 0], [1, 2, 2, 3]]
    )
    mask = inside(rectangles, SIZE)
    images = clips().float()
    expected = images.clone()
    for row, (y1, x1, y2, x2) in enumerate(rectangles.tolist()):
        for y in range(SIZE[0]):
            for x in range(SIZE[1]):
                hit = y1 <= y < y2 and x1 <= x < x2
                assert bool(mask[row, 0, 0, y, x]) == hit
                if hit:
                    expected[row, :, :, y, x] = 0
    assert torch.equal(erase(images, mask), expected)


def test_work_is_done_where_it_is_chosen():
    images = clips().float()
    chosen = torch.tensor([True, False, False, True, True, False])
    gain = torch.arange(COUNT).float()
    expected = images.clone()
    for row in (0, 3, 4):
        expected[row] *= row

    def work(pictures, factors):
        assert len(pictures) == 3
        return pictures * factors[:, None, None, None, None]

    assert torch.equal(where_chosen(chosen, images, work, gain), expected)
    assert torch.equal(
        where_chosen(torch.zeros(COUNT, dtype=torch.bool), expected.clone(), work, gain), expected
    )


def test_chances():
    assert draw_chance(0.3, 20_000, generator()).float().mean() == pytest.approx(0.3, abs=0.01)
    assert draw_chance(1.0, 1000, generator()).all()
    assert not draw_chance(0.0, 1000, generator()).any()


def test_luma_is_that_of_opencv():
    images = clips()
    found = luma(images.float())
    for row, frame in every():
        grey = cv2.cvtColor(picture(images, row, frame), cv2.COLOR_RGB2GRAY)
        np.testing.assert_allclose(found[row, frame, 0], grey, atol=0.51)


def test_jitter():
    images = clips()
    gain = torch.rand(COUNT, 3, generator=generator()) + 0.5
    contrast, saturation = torch.linspace(0.2, 1.8, COUNT), torch.linspace(1.7, 0, COUNT)
    found = jitter(images.float(), gain, contrast, saturation)
    for row in range(COUNT):
        lit = images[row].double() * gain[row][None, :, None, None]
        grey = (lit * torch.tensor([0.299, 0.587, 0.114])[None, :, None, None]).sum(1, keepdim=True)
        coloured = grey + saturation[row] * (lit - grey)
        expected = grey.mean() + contrast[row] * (coloured - grey.mean())
        np.testing.assert_allclose(found[row].double(), expected.clamp(0, 255), atol=1e-3, rtol=0)


def test_grey_inside():
    images = clips().float()
    mask = inside(torch.tensor([[2, 3, 10, 9]] * COUNT), SIZE)
    found = grey_inside(images, mask)
    expected = images.clone()
    grey = (images * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(2, keepdim=True)
    expected[..., 2:10, 3:9] = grey[..., 2:10, 3:9]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_sketch_is_the_colour_dodge_of_opencv():
    size = (48, 40)
    grey = luma(clips(size=size, smooth=True).float()).round()
    found = sketch(grey)
    for row, frame in every():
        level = grey[row, frame, 0].numpy()
        negative = cv2.GaussianBlur(255 - level, (27, 27), 0, borderType=cv2.BORDER_REPLICATE)
        expected = np.minimum(level * 256 / (255 - negative), 255)
        np.testing.assert_allclose(found[row, frame, 0], expected, atol=0.01)
    assert torch.isfinite(sketch(torch.zeros(1, 1, 1, 9, 9))).all()  # smaller than the window, and black


def test_mix_channels():
    images = clips().float()
    extra = luma(images)
    order = torch.tensor([[0, 1, 2], [2, 1, 0], [3, 4, 0], [4, 2, 3], [1, 3, 0], [0, 2, 4]])
    found = mix_channels(images, extra, order)
    for row in range(COUNT):
        for channel, source in enumerate(order[row].tolist()):
            expected = images[row, :, source] if source < 3 else extra[row, :, 0]
            assert torch.equal(found[row, :, channel], expected)


@pytest.mark.parametrize(("length", "small"), [(64, 20), (64, 32), (37, 11), (12, 1), (20, 20)])
def test_down_and_up_is_that_of_opencv(length, small):
    image = np.random.default_rng(0).uniform(0, 255, (length, length)).astype(np.float32)
    tiny = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
    expected = cv2.resize(tiny, (length, length), interpolation=cv2.INTER_LINEAR)
    matrix = down_and_up(length, small).numpy()
    np.testing.assert_allclose(matrix @ image @ matrix.T, expected, atol=0.02)


def test_distance_scales_each_picture_by_its_own_scale():
    distance = Distance(0.25, (32, 16))
    assert distance.scales[0] == 0.25
    assert max(distance.scales) < 1
    images = clips(size=(32, 16)).float()
    levels = torch.tensor([0, 3, 15, 8, 0, 5])
    found = distance(images, levels)
    for row, frame in every():
        scale = distance.scales[levels[row]]
        tiny = (round(16 * scale), round(32 * scale))
        small = cv2.resize(picture(images, row, frame), tiny, interpolation=cv2.INTER_AREA)
        same(found, row, frame, cv2.resize(small, (16, 32), interpolation=cv2.INTER_LINEAR), 0.05)


def test_cut_affine():
    size = (48, 32)
    images = clips(size=size, smooth=True).float()
    sides = torch.randn((COUNT, 4), generator=generator()) * 0.1
    angles = torch.linspace(-0.5, 0.5, COUNT)
    sides[0], angles[0] = 0, 0
    found = cut_affine(images, sides, angles)
    np.testing.assert_allclose(found[0], images[0], atol=1e-2, rtol=0)
    height, width = size
    for row, frame in every():
        left, upper, right, lower = sides[row].tolist()
        cos, sin = math.cos(angles[row]), math.sin(angles[row])
        y, x = np.mgrid[:height, :width] + 0.5
        across = (x / width - 0.5) * (1 + right - left) * width
        down = (y / height - 0.5) * (1 + lower - upper) * height
        middle = (1 + left + right) * width / 2, (1 + upper + lower) * height / 2
        place_x = middle[0] + cos * across - sin * down - 0.5
        place_y = middle[1] + sin * across + cos * down - 0.5
        expected = cv2.remap(
            picture(images, row, frame),
            place_x.astype(np.float32),
            place_y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        same(found, row, frame, expected, 1.5)  # OpenCV rounds places to 1/32 pixel


@pytest.mark.parametrize("draw", [draw_below, draw_side])
def test_paste(draw):
    size = (48, 32)
    images, others = clips(1, size).float(), clips(2, size, smooth=True).float()
    target, source = draw(COUNT, size, generator())
    found = paste(images, others, target, source)
    for row, frame in every():
        y1, x1, y2, x2 = (int(value) for value in target[row])
        top, first, bottom, last = source[row].tolist()
        y, x = np.mgrid[: y2 - y1, : x2 - x1] + 0.5
        place_x = first + x / (x2 - x1) * (last - first) - 0.5
        place_y = top + y / (y2 - y1) * (bottom - top) - 0.5
        piece = cv2.remap(
            picture(others, row, frame),
            place_x.astype(np.float32),
            place_y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        expected = picture(images, row, frame).copy()
        expected[y1:y2, x1:x2] = piece
        same(found, row, frame, expected, 1.5)


def test_pieces_from_below_are_upper_quarters_at_the_lower_border():
    target, source = (item.numpy() for item in draw_below(3000, (64, 32), generator()))
    assert (target[:, 2] == 64).all()
    assert (target[:, 1] >= 0).all()
    assert (target[:, 3] <= 32).all()
    high, wide = target[:, 2] - target[:, 0], target[:, 3] - target[:, 1]
    assert (high.min(), high.max(), wide.min(), wide.max()) == (8, 16, 16, 32)
    np.testing.assert_allclose(high, wide / 2, atol=0.76)  # the shape of a quarter, rounded
    mirrored = source[:, 1] > source[:, 3]
    assert mirrored.mean() == pytest.approx(0.5, abs=0.05)
    assert np.unique(source[~mirrored], axis=0).tolist() == [[0, 0, 16, 32]]
    assert np.unique(source[mirrored], axis=0).tolist() == [[0, 32, 16, 0]]


def test_strips_reach_to_the_lower_border():
    target, source = (item.numpy() for item in draw_side(5000, (64, 32), generator()))
    assert (target[:, 2] == 64).all()
    assert target[:, 0].max() < 32
    wide = target[:, 3] - target[:, 1]
    assert (wide.min(), wide.max()) == (5, 16)
    assert (target[:, 1] >= 0).all()
    assert (target[:, 3] <= 32).all()
    assert (target[:, 1] == 0).mean() == pytest.approx(0.41, abs=0.03)
    assert (target[:, 3] == 32).mean() == pytest.approx(0.41, abs=0.03)
    np.testing.assert_array_equal(source[:, 3] - source[:, 1], wide)
    np.testing.assert_array_equal(source[:, ::2], target[:, ::2])
    np.testing.assert_allclose(source[:, 1] + source[:, 3], 32, atol=1)


def test_partners():
    identities = torch.tensor([0, 0, 1, 1, -1, 2])
    seen = {pairs: [set() for _ in identities] for pairs in ("any", "different", "same")}
    for pairs, met in seen.items():
        for seed in range(200):
            partners, found = draw_partners(identities, pairs, generator(seed))
            for row, partner in enumerate(partners.tolist()):
                if found[row]:
                    met[row].add(partner)
    assert seen["any"] == [{1, 2, 3, 5}, {0, 2, 3, 5}, {0, 1, 3, 5}, {0, 1, 2, 5}, set(), {0, 1, 2, 3}]
    assert seen["different"] == [{2, 3, 5}, {2, 3, 5}, {0, 1, 5}, {0, 1, 5}, set(), {0, 1, 2, 3}]
    assert seen["same"] == [{1}, {0}, {3}, {2}, set(), set()]


@pytest.mark.parametrize("alpha", [0.05, 0.4, 1.0])
def test_shares_have_the_beta_distribution(alpha):
    draws = draw_beta(alpha, 20_000, generator()).numpy()
    assert np.isfinite(draws).all()
    assert draws.mean() == pytest.approx(0.5, abs=0.01)
    assert draws.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.03)
    # the steep ends of a small alpha round to 0 and 1, so distributions are compared inside
    points = np.linspace(0.05, 0.95, 10)
    expected = stats.beta(alpha, alpha).cdf(points)
    np.testing.assert_allclose([(draws <= point).mean() for point in points], expected, atol=0.015)


def test_mix():
    images = clips().float()
    partners, shares = torch.tensor([1, 0, 5, 3, 2, 4]), torch.tensor([0.3, 1.0, 0.5, 0.1, 0.0, 0.9])
    found = mix(images, partners, shares)
    for row in range(COUNT):
        expected = shares[row] * images[row] + (1 - shares[row]) * images[partners[row]]
        np.testing.assert_allclose(found[row], expected, atol=1e-4)
