"""Files that torch itself runs: TorchScript, and the exported programs that follow it."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import torch

from rtreid_ros.reid.export.base import Format, Plan
from rtreid_ros.runtime.torch_file import METADATA_FILE


def write_torchscript(plan: Plan, path: Path) -> None:
    """Trace the network, fold what is constant, and save both it and the metadata."""
    network = plan.network(half=plan.precision == "fp16")
    with warnings.catch_warnings(), torch.no_grad():
        # that it is obsolete, and what it takes for constant
        warnings.simplefilter("ignore")
        traced = torch.jit.freeze(torch.jit.trace(network, network.example()))
        torch.jit.save(traced, str(path), _extra_files={METADATA_FILE: json.dumps(dict(plan.metadata))})


def write_program(plan: Plan, path: Path) -> None:
    """Export the network for any batch, and save both it and the metadata."""
    network = plan.network(half=plan.precision == "fp16")
    with torch.no_grad():
        batch = torch.export.Dim("batch", min=1)
        program = torch.export.export(network, (network.example(),), dynamic_shapes=({0: batch},))
    torch.export.save(program, path, extra_files={METADATA_FILE: json.dumps(dict(plan.metadata))})


TORCHSCRIPT = Format(
    ".torchscript",
    "for torch and LibTorch; torch has declared it obsolete",
    ("fp32", "fp16"),
    write_torchscript,
)
PROGRAM = Format(".pt2", "torch.export program, TorchScript's successor", ("fp32", "fp16"), write_program)
