"""Small batches for losses, and what their losses come to when worked out with loops."""

import numpy as np
import torch

from rtreid_ros.options import build
from rtreid_ros.reid.losses import LOSSES, Labels
from rtreid_ros.reid.models import ReIDOutput


def make(name, dim=4, classes=5, images=40, counts=None, **options):
    """The loss of that name in float64, in which values by hand can be compared closely."""
    loss = LOSSES[name]
    return loss(build(loss.Options, options), dim, classes, images, counts).double()


def labels_of(identities, others=None, shares=None, indices=None):
    """Labels; by default every image is another row of the data set."""
    rows = range(len(identities)) if indices is None else indices
    return Labels(
        torch.tensor(identities),
        torch.tensor(list(rows)),
        None if others is None else torch.tensor(others),
        None if shares is None else torch.tensor(shares, dtype=torch.float64),
    )


def output_of(embedding=None, logits=None, neck=None):
    """An output; what is not given is zeros, or the embedding for the neck."""
    rows = len(embedding if embedding is not None else logits if logits is not None else neck)
    embedding = torch.zeros(rows, 4) if embedding is None else torch.as_tensor(embedding)
    logits = torch.zeros(rows, 5) if logits is None else torch.as_tensor(logits)
    return ReIDOutput(embedding, embedding if neck is None else torch.as_tensor(neck), logits)


def normal(rows, columns, seed=0, scale=1.0):
    """``(rows, columns) float64`` of normal numbers."""
    return scale * np.random.default_rng(seed).standard_normal((rows, columns))


def value(name, output, labels, **options):
    """What a new loss of that name comes to."""
    return float(make(name, **options)(output, labels))


def distance(x, y):
    """Euclidean distance of two vectors."""
    return float(np.sqrt(((np.asarray(x) - np.asarray(y)) ** 2).sum()))


def unit(x):
    """Rows, or a vector, at length 1."""
    x = np.asarray(x, np.float64)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def softplus(x):
    """log(1 + exp(x))."""
    return float(np.logaddexp(0, x))


def softmax(x):
    """Of a vector."""
    raised = np.exp(np.asarray(x) - np.max(x))
    return raised / raised.sum()


def partners(identities, anchor):
    """Rows of the same identity as `anchor`'s but itself, and of other identities."""
    rows = range(len(identities))
    return (
        [j for j in rows if j != anchor and identities[j] == identities[anchor]],
        [j for j in rows if identities[j] != identities[anchor]],
    )


def slope(function, x, step=1e-6):
    """The gradient of a function of an array, by central differences."""
    x = np.array(x, np.float64)
    gradient = np.zeros_like(x)
    for place in np.ndindex(*x.shape):
        kept = x[place]
        x[place] = kept + step
        above = function(x)
        x[place] = kept - step
        below = function(x)
        x[place] = kept
        gradient[place] = (above - below) / (2 * step)
    return gradient
