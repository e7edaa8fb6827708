"""Weights of others to start a training from: files of torchvision, IBN-Net, Torchreid, and our own."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from rtreid_ros.errors import ModelError
from rtreid_ros.reid.models.base import ReIDModel
from rtreid_ros.runtime.session import first_line

LEAST = 0.5
"""Less of a network's weights than this means that the file is another architecture's."""

COUNTER = ".num_batches_tracked"
"""Ending of the names of batch norm's counters."""

WRAPPERS = ("state_dict", "model", "weights")
"""Keys under which files keep the weights if they hold more; the last is that of our checkpoints."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What `load_pretrained` did.

    Attributes:
        loaded: names that were filled.
        missing: names of the network that stay as they were.
        unused: names in the file that the network lacks or has in another shape.
        share: of the network's weights (numbers, the classifier apart) that were filled, 0 to 1.
    """

    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    share: float

    def __str__(self) -> str:
        text = f"{len(self.loaded)} tensors loaded ({self.share:.1%} of the weights)"
        for label, names in (("not in the file", self.missing), ("not used", self.unused)):
            if names:
                text += f"; {label}: {_shortened(names)}"
        return text


def load_pretrained(model: ReIDModel, source: str) -> LoadReport:
    """Fill `model` with all weights of a file that fit by name and shape.

    A leading ``module.`` of their names is dropped. A classifier of another number of identities is left
    out, and so are the counts of batches, which belong to the training that made the file.

    Args:
        model: changed in place; not if an error is raised.
        source: a file, an http(s) address (kept in torch.hub's cache), or ``imagenet``: what
            ``model.published()`` gives, or the address ``model.imagenet``.

    Raises:
        ModelError: the file cannot be had or read, or hardly anything in it fits.
    """
    return fill(model, _read(model, source), source)


def fill(model: ReIDModel, weights: Mapping[str, torch.Tensor], source: str) -> LoadReport:
    """Fill `model` with all of `weights` that fit by name and shape, as `load_pretrained` does.

    Args:
        model: changed in place; not if an error is raised.
        weights: by name.
        source: where they are from, for messages.

    Raises:
        ModelError: hardly anything fits.
    """
    state = model.adapt({name: value for name, value in weights.items() if not name.endswith(COUNTER)})
    own = {name: value for name, value in model.state_dict().items() if not name.endswith(COUNTER)}
    fitting = {name: value for name, value in state.items() if name in own and own[name].shape == value.shape}
    counted = {name for name in own if not name.startswith("classifier")}
    total = sum(own[name].numel() for name in counted)
    share = sum(own[name].numel() for name in counted.intersection(fitting)) / total
    report = LoadReport(
        tuple(fitting),
        tuple(name for name in own if name not in fitting),
        tuple(name for name in state if name not in fitting),
        share,
    )
    if share < LEAST:
        raise ModelError(f"{source} holds the weights of another architecture: {report}")
    model.load_state_dict(fitting, strict=False)
    return report


def _read(model: ReIDModel, source: str) -> dict[str, torch.Tensor]:
    published = source == "imagenet"
    kept = model.published() if published else None
    if kept is not None:
        return _tensors(kept, source)
    if published and not model.imagenet:
        raise ModelError("no ImageNet weights are published for this network; give a file or an address")
    address = model.imagenet if published else source
    if address.endswith(".onnx"):
        raise ModelError(
            f"{address} is an ONNX file, which holds no weights to train: give the checkpoint it was "
            "exported from (best.pt); rtreid adapt also begins with ONNX files that rtreid export-reid wrote"
        )
    try:
        if address.startswith(("http://", "https://")):
            content = torch.hub.load_state_dict_from_url(
                address, map_location="cpu", check_hash=published, weights_only=True
            )
        else:
            content = torch.load(address, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ModelError(f"no weights {address}") from None
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ModelError(f"cannot read weights from {address}: {first_line(error)}") from error
    return _tensors(content, address)


def _tensors(content: Any, address: str) -> dict[str, torch.Tensor]:
    for key in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict):
        raise ModelError(f"{address} holds no dictionary of weights but {type(content).__name__}")
    return {
        name.removeprefix("module."): value
        for name, value in content.items()
        if isinstance(value, torch.Tensor)
    }


def _shortened(names: tuple[str, ...], most: int = 6) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
