"""Distances of embeddings."""

import numpy as np
import pytest
import torch
from support.losses import distance, labels_of, normal

from rtreid_ros.reid.losses import distances


def test_distances_are_those_of_a_loop():
    x, y = normal(3, 6), normal(5, 6, seed=1)
    found = distances.euclidean(torch.tensor(x), torch.tensor(y)).numpy()
    assert found == pytest.approx(np.array([[distance(a, b) for b in y] for a in x]))


def test_blocks_of_columns_do_not_show(monkeypatch):
    x, y = torch.tensor(normal(3, 6)), torch.tensor(normal(7, 6, seed=1))
    whole = distances.euclidean(x, y)
    monkeypatch.setattr(distances, "BLOCK", 2)
    assert torch.equal(distances.euclidean(x, y), whole)


def test_near_neighbours_far_from_the_origin_keep_their_distance():
    x = torch.full((2, 512), 10.0)
    x[1, 0] += 1e-3
    assert float(distances.euclidean(x, x)[0, 1]) == pytest.approx(1e-3, rel=1e-3)


def test_gradient_of_twins_is_finite():
    x = torch.ones(3, 4, requires_grad=True)
    distances.euclidean(x, x).sum().backward()
    assert torch.equal(x.grad, torch.zeros(3, 4))


def test_a_row_of_zeros_stays_zero_at_unit_length():
    x = torch.tensor([[0.0, 0.0], [3.0, 4.0]], requires_grad=True)
    scaled = distances.unit(x)
    assert scaled.tolist() == [[0.0, 0.0], [pytest.approx(0.6), pytest.approx(0.8)]]
    scaled.sum().backward()
    assert x.grad.isfinite().all()


def test_pairs_within_a_batch():
    labels = labels_of([0, 0, 1, -1, 0], others=[0, 1, 1, 1, 1], shares=[1.0, 1.0, 1.0, 1.0, 0.5])
    positive, negative = distances.pairs_within(labels)
    assert positive.nonzero().tolist() == [[0, 1], [1, 0]]
    assert negative.nonzero().tolist() == [[0, 2], [1, 2], [2, 0], [2, 1]]


def test_pairs_with_a_memory_leave_out_empty_places_and_the_image_itself():
    labels = labels_of([0, 1, -1], indices=[7, 8, 9])
    positive, negative = distances.pairs_across(
        labels, torch.tensor([0, 0, 1, -1]), torch.tensor([7, 3, 8, -1])
    )
    assert positive.nonzero().tolist() == [[0, 1]]
    assert negative.nonzero().tolist() == [[0, 2], [1, 0], [1, 1]]


def test_softmax_over_some_columns():
    values = torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], requires_grad=True)
    where = torch.tensor([[True, False, True], [False, False, False]])
    found = distances.softmax_over(values, where)
    raised = np.exp([1.0, 3.0]) / np.exp([1.0, 3.0]).sum()
    assert found.tolist() == [[pytest.approx(raised[0]), 0, pytest.approx(raised[1])], [0, 0, 0]]
    found[:, 0].sum().backward()
    assert values.grad.isfinite().all()
