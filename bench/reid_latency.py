r"""How long appearance networks take on a processor: every network of the registry, as it is deployed.

    python bench/reid_latency.py                                     # all, printed
    python bench/reid_latency.py --output docs/reid_export.md        # and written into a page
    python bench/reid_latency.py --models osnet_x0_25 seresnet18_ibn:width=0.5 --size 128x64 --threads 1

Weights are random: they do not change the time. Each network becomes an ONNX file, and `Embedder.embed` is
timed on crops of the synthetic street by ONNX Runtime, crops cut and scaled too. Networks of clips are left
out. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.machine import machine
from bench.sections import columns, table, write_section
from rtreid_ros.errors import InputError, MissingDependencyError
from rtreid_ros.options import build_from_text
from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.reid.export.base import Plan
from rtreid_ros.reid.export.crops import synthetic_crops
from rtreid_ros.reid.export.onnx import write
from rtreid_ros.reid.export.parity import BATCHES, Canvas, measure
from rtreid_ros.reid.models import MODELS
from rtreid_ros.reid.models.cost import model_cost
from rtreid_ros.reid.preprocessing import METADATA_KEY, PRESETS

SECTION = "latency"
HEADER = (
    "network",
    "numbers",
    "parameters, M",
    "GFLOPs",
    "file, MB",
    *(f"{batch} crop{'s' * (batch > 1)}, ms" for batch in BATCHES),
    "crops/s",
)


def row(name: str, size: tuple[int, int], args: argparse.Namespace, canvas: Canvas) -> list[str]:
    """The row of ``NAME:option=value,option=value``.

    Raises:
        InputError: the network takes clips.
        MissingDependencyError: its package is not installed.
    """
    model_name, _, text = name.partition(":")
    entry = MODELS[model_name]
    given: dict[str, Any] = dict(item.split("=", 1) for item in text.split(",") if item)
    known = set(entry.cls.Options.__dataclass_fields__)
    sides = {"height": str(size[0]), "width": str(size[1])} if {"height", "width"} <= known else {}
    preset = {key: str(value) for key, value in entry.preset.items()}
    model = entry.cls(0, build_from_text(entry.cls.Options, {**preset, **sides, **given})).eval()
    with torch.no_grad():
        model(torch.zeros(1, 3, *size))
    cost = model_cost(model, size)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        write(Plan(model, size, "fp32", {METADATA_KEY: PRESETS["imagenet"].to_json()}), path)
        options = EmbedderOptions(
            str(path), providers=("cpu",), batch_size=max(BATCHES), threads=args.threads
        )
        times = measure(create_embedder(options), canvas, args.calls)
        megabytes = path.stat().st_size / 1e6
    figures = [f"{cost.parameters / 1e6:.2f}", f"{cost.gflops:.2f}", f"{megabytes:.1f}"]
    figures += [f"{item.milliseconds:.1f}" for item in times]
    fastest = max(1e3 * item.batch / item.milliseconds for item in times)
    return [name, str(model.dim), *figures, f"{fastest:.0f}"]


def main() -> int:
    """Measure network by network, print, and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=list(MODELS), metavar="NAME[:OPTION=VALUE,...]")
    parser.add_argument("--size", default="256x128", help="HEIGHTxWIDTH of the crops (default: 256x128)")
    parser.add_argument("--calls", type=int, default=30, help="timed calls for each batch size (default: 30)")
    parser.add_argument("--threads", type=int, default=0, help="of ONNX Runtime; 0: as many as cores")
    parser.add_argument("--output", type=Path, metavar="PAGE", help="Markdown page that holds the table")
    args = parser.parse_args()
    height, width = (int(part) for part in args.size.split("x"))
    canvas = Canvas(synthetic_crops().images)
    rows = []
    for name in args.models:
        try:
            rows.append(row(name, (height, width), args, canvas))
        except (InputError, MissingDependencyError) as error:
            print(f"{name}: left out: {error}", file=sys.stderr)
            continue
        print("  ".join(rows[-1]), flush=True)
    print("\n" + columns(HEADER, rows))
    if args.output:
        threads = args.threads or "as many as cores"
        words = (
            f"Crops of {args.size} (height x width), threads: {threads}. {machine('onnxruntime', 'torch')}."
        )
        write_section(args.output, SECTION, f"{table(HEADER, rows, text_columns=1)}\n\n{words}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
