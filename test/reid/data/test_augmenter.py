"""The whole chain: what happens how often, to whom, and what stays as it is."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.options import build
from rtreid_ros.reid.data.augmentation import AugmentationOptions, Augmenter, normalise, selection
from rtreid_ros.reid.data.augmentation.background import person_prior
from rtreid_ros.reid.data.augmentation.geometry import flip_and_crop
from rtreid_ros.reid.data.augmentation.rectangles import draw_rectangles, inside
from rtreid_ros.reid.losses.base import Labels
from rtreid_ros.reid.preprocessing import PRESETS

SIZE = (32, 16)
UNIT = PRESETS["unit"]
NOTHING = AugmentationOptions(flip=0, pad=0, erasing=0)
EACH = {
    "flip": 1.0,
    "pad": 0.1,
    "erasing": 1.0,
    "affine": 1.0,
    "background": 1.0,
    "occlusion": 1.0,
    "far": 1.0,
    "jitter": 1.0,
    "local_grey": 1.0,
    "grey": 1.0,
    "channel_mix": 1.0,
    "sketch_mix": 1.0,
    "mixup": 1.0,
}
EVERYTHING = replace(
    NOTHING,
    **{name: 0.5 for name in EACH if name not in ("local_grey", "grey", "channel_mix", "sketch_mix")},
    local_grey=0.3,
    grey=0.2,
    channel_mix=0.2,
    sketch_mix=0.2,
    affine_rotation=10,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def batch(count, frames=0, seed=0):
    shape = (count, *((frames,) if frames else ()), 3, *SIZE)
    return torch.randint(256, shape, generator=generator(seed + 100), dtype=torch.uint8)


def labels(count):
    return Labels(torch.arange(count) // 4, torch.arange(count) + 1000)


def augment(options, images, seed=0, preprocessing=UNIT, given=None):
    return Augmenter(options, preprocessing, SIZE)(images, given or labels(len(images)), generator(seed))


def changed(options, count, seed=0):
    """``(count,) bool``: pictures that are not only normalised."""
    images = batch(count)
    found, _ = augment(options, images, seed)
    return (found != normalise(images, UNIT)).flatten(1).any(1)


def test_nothing_at_all_is_normalisation():
    images = batch(8)
    found, after = augment(NOTHING, images, preprocessing=PRESETS["imagenet"])
    assert torch.equal(found, normalise(images, PRESETS["imagenet"]))
    assert after.others is after.shares is None


def test_the_default_set_is_flip_crop_and_erasing_with_these_draws():
    images = batch(32)
    found, _ = augment(AugmentationOptions(), images, preprocessing=PRESETS["imagenet"])
    draws = generator()
    flipped = torch.rand(32, generator=draws) < 0.5
    corners = torch.randint(3, (32, 2), generator=draws)  # 10/256 of 32 is one pixel
    moved = flip_and_crop(images[:, None], flipped, corners, 1)
    expected = normalise(moved, PRESETS["imagenet"])
    erased = torch.rand(32, generator=draws) < 0.5
    mask = inside(draw_rectangles(32, SIZE, (0.02, 0.4), 0.3, draws), SIZE)
    expected = torch.where(mask & erased[:, None, None, None, None], 0, expected)
    np.testing.assert_allclose(found, expected[:, 0], atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", [name for name in EACH if name != "pad"])
def test_probabilities(name):
    share = changed(replace(NOTHING, **{name: 0.3}), 1500).float().mean()
    assert share == pytest.approx(0.3, abs=0.04)


def test_greys_exclude_each_other_and_share_one_draw():
    options = replace(NOTHING, local_grey=0.25, grey=0.25, channel_mix=0.25, sketch_mix=0.25)
    images = batch(800)
    found, _ = augment(options, images)
    plain = normalise(images, UNIT)
    level = lambda values: (values * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1)  # noqa: E731
    whole = (found == found[:, :1]).flatten(1).all(1)
    assert whole.float().mean() == pytest.approx(0.25, abs=0.05)
    np.testing.assert_allclose(found[whole][:, 0], level(plain)[whole], atol=1e-5, rtol=0)
    unchanged = (found == plain).flatten(1).float().mean(1)
    local = ~whole & (level(found) - level(plain)).flatten(1).abs().amax(1).lt(1e-5) & (unchanged > 0.5)
    assert local.float().mean() == pytest.approx(0.25, abs=0.05)
    sources = torch.cat((plain, level(plain)[:, None]), 1)
    known = (found[:, :, None] - sources[:, None]).abs().flatten(3).amax(3).lt(1e-5).any(2).all(1)
    # a tenth of the sketches happens to draw red, green and blue
    assert (known & ~whole).float().mean() == pytest.approx(0.25 * 1.1, abs=0.05)
    assert (~known & ~local).float().mean() == pytest.approx(0.25 * 0.9, abs=0.05)


@pytest.mark.parametrize("name", EACH)
@pytest.mark.parametrize("frames", [0, 3])
def test_every_augmentation_is_a_function_of_the_generator(name, frames):
    options = replace(NOTHING, **{name: EACH[name]})
    images = batch(8, frames)
    before, state = images.clone(), torch.random.get_rng_state()
    first, _ = augment(options, images)
    again, _ = augment(options, images)
    assert torch.equal(first, again)
    assert torch.equal(images, before)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert first.shape == images.shape
    assert first.dtype == torch.float32
    assert torch.isfinite(first).all()
    assert first.min() >= 0
    assert first.max() <= 1 + 1e-6
    if name not in ("flip", "grey"):
        assert not torch.equal(first, augment(options, images, seed=1)[0])


@pytest.mark.parametrize("options", [AugmentationOptions(), EVERYTHING])
def test_frames_of_a_clip_are_treated_alike(options):
    still = batch(12)
    clip = still[:, None].expand(-1, 4, -1, -1, -1)
    found, _ = augment(options, clip)
    expected, _ = augment(options, still)
    for frame in range(4):
        np.testing.assert_allclose(found[:, frame], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", [name for name in EACH if name != "mixup"])
def test_labels_stay_as_they_are(name):
    given = labels(8)
    _, after = augment(replace(NOTHING, **{name: EACH[name]}), batch(8), given=given)
    assert after is given


def test_devices_that_work_on_all_pictures_get_the_same(monkeypatch):
    images = batch(12, 2)
    expected, _ = augment(EVERYTHING, images)
    monkeypatch.setattr(selection, "_KNOWN_AT_ONCE", ())
    found, _ = augment(EVERYTHING, images)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def flat(identities):
    """Flat pictures whose level says which one it is."""
    levels = torch.arange(len(identities), dtype=torch.uint8)[:, None, None, None]
    return levels.expand(-1, 3, *SIZE).contiguous(), Labels(
        torch.tensor(identities), torch.arange(len(identities))
    )


@pytest.mark.parametrize("pairs", ["any", "different", "same"])
def test_mixup_says_who_is_mixed_in_and_how_much(pairs):
    images, given = flat([0, 0, 1, 1, 2, 2, 3, 3] * 8)
    options = replace(NOTHING, mixup=0.6, mixup_pairs=pairs)
    found, after = augment(options, images, preprocessing=PRESETS["raw-bgr"], given=given)
    assert torch.equal(after.identities, given.identities)
    assert torch.equal(after.indices, given.indices)
    mixed = (found != images).flatten(1).any(1)
    assert mixed.float().mean() == pytest.approx(0.6, abs=0.2)
    own = after.others == after.identities
    assert bool((own & mixed).any()) == (pairs != "different")
    assert bool((~own).any()) == (pairs != "same")
    assert (after.shares[own] == 1).all()  # two pictures of somebody are wholly of him
    assert (after.shares[~mixed] == 1).all()
    assert (after.shares[~own] < 1).all()
    # level = share * own + (1 - share) * that of some picture of the other identity
    for row in torch.nonzero(~own)[:, 0].tolist():
        share, level = after.shares[row].item(), found[row, 0, 0, 0].item()
        partner = (level - share * row) / (1 - share)
        if share < 0.99:
            assert partner == pytest.approx(round(partner), abs=0.05)
            assert given.identities[round(partner)] == after.others[row]


def test_unlabelled_pictures_are_not_mixed():
    images, _ = flat([0] * 6)
    given = Labels(torch.tensor([0, 1, -1, -1, 2, 2]), torch.arange(6))
    for seed in range(10):
        found, after = augment(replace(NOTHING, mixup=1.0), images, seed, PRESETS["raw-bgr"], given)
        assert torch.equal(found[2:4], images[2:4].float())
        assert after.others[2:4].tolist() == [-1, -1]
        assert (after.others[[0, 1, 4, 5]] >= 0).all()


def test_the_surroundings_are_those_of_another_identity_and_the_middle_stays():
    images = torch.arange(0, 240, 20, dtype=torch.uint8)[:, None, None, None].expand(12, 3, *SIZE).clone()
    found, _ = augment(replace(NOTHING, background=1.0), images)
    found = (found * 255).round().int()
    assert torch.equal(found[:, :, 16, 4:12], images[:, :, 16, 4:12].int())  # all across the middle
    for corner in ((0, 0), (0, 15), (31, 0), (31, 15)):
        values = found[:, 0, corner[0], corner[1]]
        givers = values // 20
        assert (values % 20 == 0).all()
        assert (givers // 4 != torch.arange(12) // 4).all()  # of other identities
        assert torch.equal(values, found[:, 0, 0, 0])  # all of one
    share = person_prior(SIZE)
    assert torch.equal(share, share.flip(0).flip(1))
    assert ((share >= 0) & (share <= 1)).all()
    assert 0.5 < share.mean() < 0.8


def test_clips_keep_one_background_through_all_frames_and_the_lonely_keep_their_own():
    images = batch(8, frames=3)
    found, _ = augment(replace(NOTHING, background=1.0), images)
    outside = found[..., 0, 0]
    plain = normalise(images, UNIT)[..., 0, 0]
    for row in range(8):
        assert any(torch.allclose(outside[row], plain[other]) for other in range(8) if other // 4 != row // 4)
    alone = Labels(torch.zeros(4, dtype=torch.int64), torch.arange(4))
    same, _ = augment(replace(NOTHING, background=1.0), batch(4), given=alone)
    assert torch.allclose(same, normalise(batch(4), UNIT))


def test_occlusion_pastes_pieces_of_other_identities():
    images, given = flat([0, 0, 0, 1, 1, 2] * 4)
    for kind in ("below", "side"):
        options = replace(NOTHING, occlusion=1.0, occlusion_from=kind)
        found, _ = augment(options, images, preprocessing=PRESETS["raw-bgr"], given=given)
        for row in range(len(images)):
            values, counts = torch.unique(found[row].round(), return_counts=True)
            assert len(values) == 2
            (other,) = (int(value) for value in values if value != row)
            assert given.identities[other] != given.identities[row]
            assert torch.equal(found[row, :, 0], images[row, :, 0].float()) or kind == "side"
            assert counts.min() > 0
    alone = Labels(torch.zeros(len(images), dtype=torch.int64), given.indices)
    found, _ = augment(options, images, preprocessing=PRESETS["raw-bgr"], given=alone)
    assert torch.equal(found, images.float())  # nobody else is there


def test_strengths_are_those_of_the_options():
    images = torch.full((400, 3, *SIZE), 100, dtype=torch.uint8)
    options = replace(NOTHING, jitter=1.0, brightness=0.3, tint=0, contrast=0, saturation=0)
    levels = augment(options, images, preprocessing=PRESETS["raw-bgr"])[0][:, :, 0, 0]
    assert (levels - levels[:, :1]).abs().max() < 1e-3
    assert levels.min().item() == pytest.approx(70, abs=1)
    assert levels.max().item() == pytest.approx(130, abs=1)
    levels = augment(replace(options, brightness=0.0, tint=0.2), images, preprocessing=PRESETS["raw-bgr"])[0]
    assert levels.min().item() == pytest.approx(80, abs=1)
    assert (levels[:, 0] != levels[:, 1]).any()
    steps = (batch(400) // 128) * 100 + 50
    for name in ("contrast", "saturation"):
        found, _ = augment(
            replace(options, brightness=0.0, **{name: 0.5}), steps, preprocessing=PRESETS["raw-bgr"]
        )
        ratio = found.flatten(1).std(1) / steps.float().flatten(1).std(1)
        assert 0.45 < ratio.min() < 0.85
        assert ratio.max() > 1.1

    def reach(options):
        noise = batch(200).float() / 255
        found, _ = augment(options, batch(200))
        return (found - noise).abs().mean()

    assert reach(replace(NOTHING, far=1.0, far_least=0.1)) > 1.1 * reach(
        replace(NOTHING, far=1.0, far_least=0.9)
    )
    ramp = (torch.arange(SIZE[1]) * 10).to(torch.uint8).expand(200, 3, *SIZE).contiguous()
    for name, small, large in (("affine_shift", 0.01, 0.1), ("affine_rotation", 1.0, 30.0)):
        moves = []
        for value in (small, large):
            options = replace(NOTHING, affine=1.0, **{"affine_shift": 0.0, name: value})
            moves.append((augment(options, ramp)[0] - ramp / 255).abs().mean().item())
        assert moves[0] < 0.3 * moves[1]


def test_shapes_of_erasing_are_those_of_the_options():
    images = torch.full((300, 3, *SIZE), 255, dtype=torch.uint8)
    found, _ = augment(
        replace(NOTHING, erasing=1.0, erasing_least=0.2, erasing_most=0.25, erasing_aspect=0.9), images
    )
    black = found[:, 0] == 0
    share = black.float().mean((1, 2)).numpy()
    assert 0.15 < share.min() < share.max() < 0.3
    ratio = (black.any(2).sum(1) / black.any(1).sum(1)).numpy()
    assert 0.75 < ratio.min() < ratio.max() < 1.3
    np.testing.assert_array_equal(black.any(2).sum(1) * black.any(1).sum(1), black.sum((1, 2)))


def test_shifts_of_the_crop_follow_the_height():
    images = torch.full((400, 3, *SIZE), 255, dtype=torch.uint8)
    found, _ = augment(replace(NOTHING, pad=0.1), images)  # 3 of 32 pixels
    rows, columns = (found[:, 0] == 0).all(2).sum(1), (found[:, 0] == 0).all(1).sum(1)
    assert np.bincount(rows).shape == np.bincount(columns).shape == (4,)
    for counts in (np.bincount(rows), np.bincount(columns)):
        np.testing.assert_allclose(counts / 400, [1 / 7, 2 / 7, 2 / 7, 2 / 7], atol=0.07)


def test_pictures_of_another_size_or_type_are_refused():
    augmenter = Augmenter(NOTHING, UNIT, SIZE)
    for images in (batch(2).float(), batch(2)[:, :2], batch(2)[..., :-1], batch(2)[0]):
        with pytest.raises(
            InputError, match=r"images must be uint8 of shape \(batch, 3, 32, 16\), got torch\."
        ):
            augmenter(images, labels(len(images)), generator())


def test_options_that_contradict_each_other_are_refused():
    with pytest.raises(ConfigError, match=r"erasing_least must not exceed erasing_most, got 0\.5 and 0\.4"):
        build(AugmentationOptions, {"erasing_least": 0.5})
    with pytest.raises(ConfigError, match=r"must not exceed 1 together, got 1\.2"):
        build(AugmentationOptions, {"grey": 0.7, "local_grey": 0.5})
    with pytest.raises(ConfigError, match="occlusion_from must be one of below, side, got 'above'"):
        build(AugmentationOptions, {"occlusion_from": "above"})
    with pytest.raises(ConfigError, match="flip must be a number >= 0 and <= 1"):
        build(AugmentationOptions, {"flip": 1.5})
    with pytest.raises(ConfigError, match=r"no option 'erase' \(did you mean 'erasing'"):
        build(AugmentationOptions, {"erase": 1.0})
