"""What is left of vectors when their camera's bias is taken out."""

import numpy as np
import pytest

from rtreid_ros.evaluation.retrieval import CameraBiasOptions, Features, judge_retrieval, remove_camera_bias


def scene(seed=0, people=40, dim=12, cameras=3, shots=3):
    """People seen by cameras that each add an offset and spread of their own."""
    rng = np.random.default_rng(seed)
    looks = rng.standard_normal((people, dim))
    who, where = (part.ravel() for part in np.meshgrid(np.arange(people), np.arange(cameras)))
    who, where = np.tile(who, shots), np.tile(where, shots)
    offsets = 3 * rng.standard_normal((cameras, dim))
    directions = rng.standard_normal((cameras, dim))
    vectors = looks[who] + offsets[where] + 0.3 * rng.standard_normal((len(who), dim))
    vectors += directions[where] * 2 * rng.standard_normal((len(who), 1))
    first = np.arange(len(who)) < people * cameras
    whole = Features(vectors.astype(np.float32), who, where)
    return whole[first], whole[~first]


def reference(vectors, ridge):
    """One camera, by the definition, in double precision."""
    vectors = vectors.astype(float) / np.linalg.norm(vectors.astype(float), axis=1, keepdims=True)
    centred = vectors - vectors.mean(axis=0)
    matrix = np.cov(centred.T, bias=True) + ridge * np.eye(vectors.shape[1])
    values, axes = np.linalg.eigh(matrix)
    cleaned = centred @ axes @ np.diag(values**-0.5) @ axes.T
    return cleaned / np.linalg.norm(cleaned, axis=1, keepdims=True)


def test_each_camera_is_centred_and_whitened_with_a_ridge():
    query, gallery = scene()
    cleaned = remove_camera_bias(query, gallery, CameraBiasOptions(ridge=0.02, fewest=50))
    vectors, result = (
        np.concatenate([part.vectors for part in pair]) for pair in ((query, gallery), cleaned)
    )
    cameras = np.concatenate([query.cameras, gallery.cameras])
    for camera in range(3):
        rows = cameras == camera
        np.testing.assert_allclose(result[rows], reference(vectors[rows], 0.02), atol=2e-5)


def test_finds_more_across_biased_cameras_and_says_so():
    query, gallery = scene()
    before = judge_retrieval(query, gallery)
    after = judge_retrieval(*remove_camera_bias(query, gallery))
    assert after.map > before.map + 0.2
    assert after.tricks == ("camera bias removed (lambda 0.05)",)
    assert before.tricks == ()


def test_a_camera_with_few_pictures_is_only_centred():
    query, gallery = scene(cameras=2)
    cleaned, _ = remove_camera_bias(query, gallery, CameraBiasOptions(fewest=1000))
    whole = np.concatenate([query.unit(), gallery.unit()])
    cameras = np.concatenate([query.cameras, gallery.cameras])
    centred = whole - np.stack([whole[cameras == camera].mean(axis=0) for camera in range(2)])[cameras]
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    np.testing.assert_allclose(cleaned.vectors, centred[: len(query)], atol=1e-5)


def test_unknown_cameras_and_single_pictures_stay_as_they_are():
    query, gallery = scene()
    cameras = query.cameras.copy()
    cameras[[4, 6, 9]], cameras[7] = -1, 9
    query = Features(query.vectors, query.identities, cameras)
    cleaned, _ = remove_camera_bias(query, gallery)
    np.testing.assert_allclose(cleaned.vectors[[4, 6, 7, 9]], query.unit()[[4, 6, 7, 9]], atol=1e-6)
    assert not np.allclose(cleaned.vectors[5], query.unit()[5], atol=1e-2)


def test_more_dimensions_than_pictures_are_no_trouble():
    rng = np.random.default_rng(0)
    part = Features(rng.standard_normal((30, 64)).astype(np.float32), np.arange(30), np.zeros(30))
    cleaned, _ = remove_camera_bias(part, part, CameraBiasOptions(fewest=2))
    np.testing.assert_allclose(np.linalg.norm(cleaned.vectors, axis=1), 1, atol=1e-5)
    expected = reference(np.concatenate([part.vectors] * 2), 0.05)[:30]
    np.testing.assert_allclose(cleaned.vectors, expected, atol=2e-5)


def test_identities_are_not_looked_at_and_the_given_vectors_stay():
    query, gallery = scene()
    before = query.vectors.copy()
    one, _ = remove_camera_bias(query, gallery)
    shuffled = Features(query.vectors, query.identities[::-1], query.cameras)
    other, _ = remove_camera_bias(shuffled, gallery)
    np.testing.assert_array_equal(one.vectors, other.vectors)
    np.testing.assert_array_equal(query.vectors, before)
    assert np.array_equal(other.identities, shuffled.identities)


@pytest.mark.parametrize("seed", range(3))
def test_the_same_every_time(seed):
    first, second = (remove_camera_bias(*scene(seed)) for _ in range(2))
    np.testing.assert_array_equal(first[1].vectors, second[1].vectors)
