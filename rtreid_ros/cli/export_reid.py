"""``rtreid export-reid``."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from rtreid_ros.errors import ConfigError, MissingDependencyError

if TYPE_CHECKING:
    from rtreid_ros.reid.checkpoint import Checkpoint
    from rtreid_ros.reid.export import ExportReport, SideKey

EXAMPLES = """\
CHECKPOINT is best.pt or last.pt of rtreid train-reid. The file takes any number of crops of the size the
model was trained at and gives rows of unit length; how pixels are prepared, the recipe and the figures
stand in its metadata. It serves as --embedder of rtreid track and as embedder.model of the nodes.

formats:     onnx         for ONNX Runtime (CPU, CUDA, TensorRT) and OpenVINO; the one to take
             openvino     OpenVINO IR (.xml and .bin); needs the extra `openvino`
             torchscript  for torch and LibTorch, while they still read it
             pt2          torch.export program, TorchScript's successor
             tensorrt     engine for the GPU of this machine; on robots rather ONNX with ONNX Runtime's
                          TensorRT provider, which builds the engine where it runs
precisions:  fp32
             fp16          computes in half precision, on GPUs (onnx, torchscript, pt2, tensorrt)
             fp16-weights  a file of half the size that computes in single (onnx, openvino)

Proof: network and file embed the same crops, in batches of 1, 8 and 32; where a cosine is below 0.9999
(0.999 in half precision) nothing is written. Crops are those of --crops, else of the data set the model was
trained on, else of the synthetic street. Needs the extra `train` (torch).

Side information (data.side=camera or view) is left unknown in the file, unless it is for one fixed camera
that the training has seen: with --camera, and --sequence where views were learnt, every picture is taken to
be of that one. Numbers are the data set's, which begin with 0: Market-1501's c1 is --camera 0.

examples:
  rtreid export-reid out/osnet/best.pt
  rtreid export-reid best.pt --precision fp16-weights --output models/people.onnx
  rtreid export-reid best.pt --camera 2
  rtreid export-reid best.pt --format onnx --format openvino --output models/ --crops my/crops"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="result of rtreid train-reid")
    parser.add_argument(
        "--format", action="append", metavar="NAME", help="file format; may be repeated (default: onnx)"
    )
    parser.add_argument("--precision", default="fp32", metavar="NAME", help="default: fp32")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE|FOLDER",
        help="default: beside the checkpoint, named after model, size and precision",
    )
    parser.add_argument(
        "--crops", metavar="FOLDER|TAR", help="pictures of people, cut out, to prove the file on"
    )
    parser.add_argument(
        "--camera", type=int, metavar="N", help="take every picture to be by this camera (default: unknown)"
    )
    parser.add_argument("--sequence", type=int, metavar="N", help="of that camera, where views were learnt")
    parser.add_argument(
        "--calls", type=int, default=20, metavar="N", help="timed calls for each batch size (default: 20)"
    )
    parser.add_argument("--quiet", action="store_true", help="no report")


def run(arguments: argparse.Namespace) -> int:
    """Check everything, then write, prove and report format by format."""
    try:
        from rtreid_ros.reid.checkpoint import load_checkpoint  # noqa: PLC0415
        from rtreid_ros.reid.export import check_format, export_checkpoint, find_crops  # noqa: PLC0415
    except ImportError as error:
        raise MissingDependencyError(
            f"exporting needs torch and onnx ({error}); install them with: pip install 'rtreid_ros[train]'"
        ) from None
    formats = list(dict.fromkeys(arguments.format or ["onnx"]))
    for name in formats:
        check_format(name, arguments.precision)
    if arguments.calls < 0:
        raise ConfigError(f"--calls must be an integer >= 0, got {arguments.calls}")
    if arguments.sequence is not None and arguments.camera is None:
        raise ConfigError("--sequence is of a camera: give --camera, too")
    side = None if arguments.camera is None else (arguments.camera, arguments.sequence)
    checkpoint = load_checkpoint(arguments.checkpoint)
    targets = [_target(arguments, checkpoint, name, len(formats), side) for name in formats]
    crops = find_crops(arguments.crops, checkpoint.config)
    for name, path in zip(formats, targets, strict=True):
        report = export_checkpoint(checkpoint, path, name, arguments.precision, crops, arguments.calls, side)
        if not arguments.quiet:
            print(_text(report, name, arguments.precision))
    return 0


def _target(
    arguments: argparse.Namespace, checkpoint: Checkpoint, name: str, formats: int, side: SideKey | None
) -> Path:
    """The file to write.

    Raises:
        ConfigError: one file is named for several formats.
    """
    from rtreid_ros.reid.export import default_name  # noqa: PLC0415

    file_name = default_name(checkpoint, name, arguments.precision, side)
    output: Path | None = arguments.output
    if output is None:
        return Path(arguments.checkpoint.parent / file_name)
    if output.is_dir() or not output.suffix:
        return output / file_name
    if formats > 1:
        raise ConfigError(f"--output must be a folder for several formats, got {str(output)!r}")
    return output


def _text(report: ExportReport, name: str, precision: str) -> str:
    parity = report.parity
    lines = [
        f"{report.path}: {name}, {precision}, {report.megabytes:.2f} MB",
        f"  parity   cosine min {parity.least:.6f}, mean {parity.mean:.6f}; {report.crops}, in batches of "
        "1, 8 and 32",
    ]
    if report.side != "unknown":
        lines.append(f"  side     every picture is taken to be of {report.side}")
    if report.latency:
        times = ", ".join(f"{item.milliseconds:.1f} ms for {item.batch}" for item in report.latency)
        calls = min(item.calls for item in report.latency)
        lines.append(
            f"  latency  {times}; {report.runs_on}, crops cut and scaled too, median of at least {calls}"
        )
    if name == "tensorrt":
        lines.append("  use it   with TensorRT itself; for rtreid track and the nodes export --format onnx")
    else:
        lines.append(f"  use it   rtreid track VIDEO --embedder {shlex.quote(str(report.path))}")
    return "\n".join(lines)
