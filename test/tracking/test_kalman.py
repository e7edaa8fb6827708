"""The batched closed forms against a dense textbook filter, one track and one matrix at a time."""

import numpy as np
import pytest
from support.filters import (
    SPACES,
    Dense,
    assert_same,
    covariance,
    dense_of,
    some_boxes,
)

EVERY_SPACE = pytest.mark.parametrize("space", SPACES, ids=lambda space: type(space).__name__)


@EVERY_SPACE
def test_predict_update_and_gating_equal_the_dense_filter_over_many_frames(space):
    rng = np.random.default_rng(0)
    corners = some_boxes(rng, 12)
    drift = rng.normal(0, 3, (12, 2))
    measured = space.measure(corners)
    tracks, references = space.initiate(measured), [dense_of(space, box) for box in measured]
    assert_same(tracks, references)
    for _ in range(40):
        space.predict(tracks, 1.0)
        for reference in references:
            reference.predict()
        assert_same(tracks, references)

        corners += np.tile(drift + rng.normal(0, 2, (12, 2)), 2)
        corners[:, 3] += rng.normal(0, 2, 12)
        measured = space.measure(corners)
        everyone = np.arange(12)
        distances = space.gating_distance(tracks, everyone, measured)
        wanted = [[reference.gate(box) for box in measured] for reference in references]
        np.testing.assert_allclose(distances, wanted, rtol=1e-8)

        seen = np.flatnonzero(rng.random(12) < 0.7)
        scale = rng.uniform(0.01, 1, len(seen))
        space.update(tracks, seen, measured[seen], scale)
        for row, factor in zip(seen, scale, strict=True):
            references[row].update(measured[row], factor)
        assert_same(tracks, references)


@EVERY_SPACE
def test_an_update_without_noise_scale_takes_the_published_noise(space):
    measured = space.measure(some_boxes(np.random.default_rng(6), 5))
    tracks, references = space.initiate(measured), [dense_of(space, box) for box in measured]
    space.update(tracks, np.array([1, 3]), measured[[1, 3]] + 2)
    for row in (1, 3):
        references[row].update(measured[row] + 2)
    assert_same(tracks, references)


@EVERY_SPACE
@pytest.mark.parametrize("frames", [2, 7, 30])
def test_a_long_step_equals_as_many_single_steps(space, frames):
    measured = space.measure(some_boxes(np.random.default_rng(1), 5))
    once, often = space.initiate(measured), space.initiate(measured)
    references = [dense_of(space, box) for box in measured]
    for tracks in (once, often):
        tracks.velocity[:, :2] = 4.0  # sizes at rest, so that noise is the same in every step
    for reference in references:
        reference.mean[4:6] = 4.0
    space.predict(once, float(frames))
    for _ in range(frames):
        space.predict(often, 1.0)
        for reference in references:
            reference.predict()
    assert_same(once, references)
    assert_same(often, references)


@EVERY_SPACE
def test_each_track_may_have_a_step_of_its_own(space):
    measured = space.measure(some_boxes(np.random.default_rng(7), 3))
    together = space.initiate(measured)
    together.velocity[:, :2] = 4.0
    alone = [together.take(np.array([row])) for row in range(3)]
    steps = (1.0, 0.5, 6.0)
    space.predict(together, np.array(steps)[:, None])
    for row, (tracks, step) in enumerate(zip(alone, steps, strict=True)):
        space.predict(tracks, step)
        np.testing.assert_allclose(together.position[[row]], tracks.position)
        np.testing.assert_allclose(covariance(together, row), covariance(tracks, 0), rtol=1e-12)


@EVERY_SPACE
@pytest.mark.parametrize("step", [0.1, 0.5, 0.77, 1.5, 3.3, 100.0])
def test_covariances_stay_positive_definite_for_any_step(space, step):
    tracks = space.initiate(space.measure(some_boxes(np.random.default_rng(2), 4)))
    everyone = np.arange(4)
    rates = 7 if (space.initial_rate.share + space.initial_rate.constant)[3] == 0 else 8
    for _ in range(200):
        space.predict(tracks, step)
        space.update(tracks, everyone, tracks.position + 1, np.full(4, 1e-6))
        for row in range(4):
            spread = covariance(tracks, row)[:rates, :rates]
            scale = np.sqrt(np.diag(spread))
            assert np.linalg.eigvalsh(spread / np.outer(scale, scale)).min() > 0


@EVERY_SPACE
def test_a_step_of_zero_changes_nothing(space):
    tracks = space.initiate(space.measure(some_boxes(np.random.default_rng(3), 3)))
    before = [tracks.position.copy(), tracks.position_variance.copy()]
    space.predict(tracks, 0.0)
    np.testing.assert_array_equal(tracks.position, before[0])
    np.testing.assert_array_equal(tracks.position_variance, before[1])


@EVERY_SPACE
def test_sizes_never_shrink_to_nothing(space):
    tracks = space.initiate(space.measure(np.array([[90, 75, 110, 125.0]])))
    tracks.velocity[0, 2:] = -0.3 * tracks.position[0, 2:]
    for _ in range(10):
        space.predict(tracks, 1.0)
        assert (tracks.position[0, 2:] > 0).all()


def test_sort_has_no_rate_of_the_aspect_ratio():
    """SORT, section 3.2: the state is u, v, s, r and the rates of u, v, s."""
    (space,) = (space for space in SPACES if type(space).__name__ == "XYSR")
    tracks = space.initiate(space.measure(np.array([[100, 100, 140, 200.0]])))
    for k in range(20):
        space.predict(tracks, 1.0)
        space.update(tracks, np.array([0]), space.measure(np.array([[100, 100, 140 + k, 200.0]])))
    assert tracks.velocity[0, 3] == 0
    assert tracks.position[0, 3] > 0.45  # though it follows what is measured


@EVERY_SPACE
def test_camera_motion_by_a_similarity_is_that_of_the_dense_state(space):
    """The dense transform of the whole state, against the closed form.

    Means and marginal variances are exact always; covariances where the noise of x and y is equal,
    so that a rotation does not couple them (not in xywh).
    """
    tracks = space.initiate(space.measure(some_boxes(np.random.default_rng(4), 6)))
    everyone = np.arange(6)
    for _ in range(3):
        space.predict(tracks, 1.0)
        space.update(tracks, everyone, tracks.position + np.array([3, -2, 0.01, 1]))
    angle, zoom = 0.3, 1.1
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    affine = np.column_stack([turn, [12.0, -7.0]])
    sizes = {"XYAH": (1, zoom), "XYWH": (zoom, zoom), "XYSR": (zoom**2, 1)}[type(space).__name__]
    map_position = np.diag([1.0, 1.0, *sizes])
    map_position[:2, :2] = turn
    dense = np.kron(np.eye(2), map_position)
    wanted = []
    for row in everyone:
        mean = dense @ np.concatenate([tracks.position[row], tracks.velocity[row]])
        mean[:2] += affine[:, 2]
        wanted.append((mean, dense @ covariance(tracks, row) @ dense.T))
    space.warp(tracks, affine)
    for row, (mean, spread) in enumerate(wanted):
        np.testing.assert_allclose(np.concatenate([tracks.position[row], tracks.velocity[row]]), mean)
        got = covariance(tracks, row)
        np.testing.assert_allclose(np.diag(got), np.diag(spread), rtol=1e-9)
        if type(space).__name__ != "XYWH":
            np.testing.assert_allclose(got, spread, rtol=1e-9, atol=1e-12)


def test_the_dense_filter_is_a_kalman_filter():
    """One dimension by hand: variance 10 measured with noise 1 leaves 10 / 11 of the innovation."""
    dense = Dense(np.zeros(4), lambda _: (np.ones(4), np.zeros(4)), np.ones(4), np.full(4, 10.0), np.ones(4))
    dense.update(np.full(4, 11.0))
    np.testing.assert_allclose(dense.mean[:4], 10)
    np.testing.assert_allclose(np.diag(dense.covariance)[:4], 10 / 11)
