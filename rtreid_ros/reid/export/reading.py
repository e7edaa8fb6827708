"""Networks out of the ONNX files that `rtreid export-reid` wrote, to go on learning with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from rtreid_ros.errors import ModelError, RtreidError
from rtreid_ros.reid.checkpoint import Checkpoint
from rtreid_ros.reid.export.network import DeployedNetwork
from rtreid_ros.reid.models import ReIDModel, create_model
from rtreid_ros.reid.models.weights import COUNTER
from rtreid_ros.reid.preprocessing import METADATA_KEY, Preprocessing
from rtreid_ros.runtime.ort import OrtSession
from rtreid_ros.runtime.session import first_line
from rtreid_ros.runtime.torch_file import SIZE_KEY
from rtreid_ros.types import Float32

Values = np.ndarray[Any, Any]

_KINDS: dict[str, type[nn.Module]] = {
    "Conv": nn.Conv2d,
    "Gemm": nn.Linear,
    "MatMul": nn.Linear,
    "BatchNormalization": nn.modules.batchnorm._BatchNorm,
    "InstanceNormalization": nn.InstanceNorm2d,
}
"""Nodes whose weights have lost their names, and the layers they are made of."""
_PARTS = ("weight", "bias", "running_mean", "running_var")
_PREFIX = "model."
"""Of the names in a file: where `DeployedNetwork` has the network."""
_LEAST = 0.999
"""Cosine between the file's vectors and those of the network read from it; see `parity.LEAST`."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was read.

    Attributes:
        checkpoint: the network; it computes what the file does.
        folded: names of the batch norms that export has multiplied into the layer before. What they held is
            lost: here they add their bias and nothing else, which is right in evaluation, but training needs
            statistics first.
    """

    checkpoint: Checkpoint
    folded: tuple[str, ...]


def load_exported(path: Path) -> Exported:
    """The network in an ONNX file of ours; of those in fp16 throughout some cannot be read.

    Layers are matched in the order in which the network computes, as the exporter wrote them, and the outcome
    is compared with the file in ONNX Runtime.

    Raises:
        ModelError: it is missing, damaged, of another exporter, or of a network that cannot be read back.
    """
    refusal = f"{path} cannot be trained: an ONNX file"
    try:
        content = onnx.load(str(path))
    except FileNotFoundError:
        raise ModelError(f"no model {path}") from None
    except Exception as error:  # of damaged files protobuf raises whatever its parts raise
        raise ModelError(f"{path} is no ONNX file: {first_line(error)}") from error
    told = {item.key: item.value for item in content.metadata_props}
    if content.producer_name != "rtreid_ros" or not {"model", "options", METADATA_KEY, SIZE_KEY} <= set(told):
        raise ModelError(
            f"{refusal} is for use alone, unless rtreid export-reid wrote it; give the checkpoint it was "
            "exported from (best.pt)"
        )
    height, width = json.loads(told[SIZE_KEY])
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, only to be replaced
        model = create_model(told["model"], 0, int(told["cameras"]), **json.loads(told["options"])).eval()
    try:
        folded = _fill(model, content.graph, (height, width))
        likeness = _likeness(model, path, (height, width))
    except (RtreidError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"{refusal} of {told['model']} cannot be read back ({first_line(error)}); give the checkpoint it "
            "was exported from (best.pt)"
        ) from error
    if not likeness >= _LEAST:
        raise ModelError(
            f"{refusal} of {told['model']} cannot be read back: vectors of the network differ from the "
            f"file's (cosine {likeness:.4f}); give the checkpoint it was exported from (best.pt)"
        )
    checkpoint = Checkpoint(
        told["model"],
        json.loads(told["options"]),
        0,
        int(told["cameras"]),
        (height, width),
        Preprocessing.from_json(told[METADATA_KEY]),
        model.state_dict(),
        epoch=int(told["epoch"]),
        config=json.loads(told["recipe"]),
    )
    return Exported(checkpoint, folded)


class _Layer(NamedTuple):
    """A layer as the network comes by it; `before`: the convolution or linear layer whose output it takes."""

    name: str
    module: nn.Module
    before: str


def _fill(model: ReIDModel, graph: Any, size: tuple[int, int]) -> tuple[str, ...]:
    """Give `model` what `graph` holds; the batch norms that are not in it.

    Raises:
        ValueError: what is there does not fit, or something is missing.
    """
    values = {item.name.removesuffix("_half"): numpy_helper.to_array(item) for item in graph.initializer}
    found: dict[str, Values] = {}
    folded: list[str] = []
    nodes = (node for node in graph.node if node.op_type in _KINDS and set(node.input) & set(values))
    foldable: dict[str, Values] = {}
    for name, layer, before in _layers(model, size):
        if isinstance(layer, _KINDS["BatchNormalization"]) and before in foldable:
            bias = foldable[before]
            identity = (np.full_like(bias, np.sqrt(1 + layer.eps)), bias, 0 * bias, 0 * bias + 1)
            found |= {f"{name}.{part}": value for part, value in zip(_PARTS, identity, strict=True)}
            found[f"{before}.bias"] = 0 * bias
            folded.append(name)
            continue
        node = next(nodes, None)
        if node is None or not isinstance(layer, _KINDS[node.op_type]):
            raise ValueError(f"where the network has {name} it has {node.op_type if node else 'nothing'}")
        given = [values[item] for item in node.input if item in values]
        if node.op_type == "MatMul":
            given = [given[0].T]
        elif node.op_type in ("Conv", "Gemm") and len(given) == 2:
            foldable[name] = given[1]
        found |= {f"{name}.{part}": value for part, value in zip(_PARTS, given, strict=False)}
    if next(nodes, None) is not None:
        raise ValueError("it has more layers than the network")
    own = [name for name in model.state_dict() if not name.endswith(COUNTER)]
    found |= {name: values[_PREFIX + name] for name in own if name not in found and _PREFIX + name in values}
    missing = [name for name in own if name not in found and not name.startswith("classifier")]
    if missing:
        raise ValueError(f"it holds no {missing[0]}")
    model.load_state_dict(
        {name: torch.tensor(found[name], dtype=torch.float32) for name in own if name in found}, strict=False
    )
    return tuple(folded)


def _layers(model: ReIDModel, size: tuple[int, int]) -> list[_Layer]:
    """The layers of `_KINDS` in the order of computing; one that is used twice is there twice."""
    layers: list[_Layer] = []
    makers: dict[int, str] = {}
    alive: list[Any] = []  # so that no other tensor gets the id of one

    def note(name: str) -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
        def hook(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            alive.extend((inputs[0], output))
            layers.append(_Layer(name, layer, makers.get(id(inputs[0]), "")))
            if isinstance(layer, nn.Conv2d | nn.Linear):
                makers[id(output)] = name

        return hook

    kinds = tuple(_KINDS.values())
    hooks = [
        layer.register_forward_hook(note(name))
        for name, layer in model.named_modules()
        if isinstance(layer, kinds)
    ]
    try:
        with torch.inference_mode():
            model(torch.zeros(2, 3, *size))
    finally:
        for item in hooks:
            item.remove()
    return layers


def _likeness(model: ReIDModel, path: Path, size: tuple[int, int]) -> float:
    """Lowest cosine between vectors of the network and the file's, of noise."""
    network = DeployedNetwork(model, size)
    pixels = network.example()
    with torch.inference_mode():
        ours: Float32 = network(pixels).numpy()
    theirs = np.asarray(OrtSession(path, ("cpu",)).run(pixels.numpy())[0], np.float32)
    return float((ours * theirs).sum(axis=1).min()) if ours.shape == theirs.shape else 0.0
