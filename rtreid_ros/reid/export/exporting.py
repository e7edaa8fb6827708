"""From a checkpoint to a file that robots run."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from rtreid_ros.errors import ConfigError, ExportError, InputError, RtreidError, SinkError
from rtreid_ros.registry import Registry
from rtreid_ros.reid.base import EmbedderOptions
from rtreid_ros.reid.checkpoint import Checkpoint
from rtreid_ros.reid.export.base import Format, Plan
from rtreid_ros.reid.export.crops import Crops, find_crops
from rtreid_ros.reid.export.metadata import describe_export
from rtreid_ros.reid.export.onnx import ONNX
from rtreid_ros.reid.export.openvino import OPENVINO
from rtreid_ros.reid.export.parity import (
    BATCHES,
    Canvas,
    Latency,
    Parity,
    measure,
    prove,
    prove_half,
    reference_vectors,
)
from rtreid_ros.reid.export.tensorrt import TENSORRT
from rtreid_ros.reid.export.torchscript import PROGRAM, TORCHSCRIPT
from rtreid_ros.reid.models import ReIDModel
from rtreid_ros.reid.models.known_side import fix_side, known_sides
from rtreid_ros.runtime.session import first_line

SideKey = tuple[int, int | None]
"""A camera, and its sequence where views are known; as the data set numbers them."""

FORMATS: Registry[Format] = Registry("export format")
for _name, _format in (
    ("onnx", ONNX),
    ("torchscript", TORCHSCRIPT),
    ("pt2", PROGRAM),
    ("openvino", OPENVINO),
    ("tensorrt", TENSORRT),
):
    FORMATS.register(_name, _format)


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written, and what was found out about it.

    Attributes:
        path: the file.
        megabytes: its size in 10^6 bytes, that of its companions included.
        runs_on: library and device that the proof and the times are of.
        parity: likeness to the network.
        crops: how many crops, and where they were from.
        latency: times by batch size; empty where none were asked for.
        side: camera or view that every picture is taken to be of, or ``unknown``.
    """

    path: Path
    megabytes: float
    runs_on: str
    parity: Parity
    crops: str
    latency: tuple[Latency, ...]
    side: str


def default_name(
    checkpoint: Checkpoint, format_name: str, precision: str, side: SideKey | None = None
) -> str:
    """``model_HEIGHTxWIDTH.suffix``, with the camera or view if given, and the precision if not fp32."""
    ending = "" if precision == "fp32" else f"_{precision.replace('-', '_')}"
    height, width = checkpoint.size
    place = "" if side is None else "_camera" + "_".join(str(item) for item in side if item is not None)
    return f"{checkpoint.model}_{height}x{width}{place}{ending}{FORMATS[format_name].suffix}"


def check_format(format_name: str, precision: str) -> Format:
    """The format of that name, if it has the precision and this machine can write it.

    Raises:
        ConfigError: an unknown format or precision, or one the format or this machine does not have.
        MissingDependencyError: the format's package is not installed.
    """
    chosen = FORMATS[format_name]
    chosen.refuse_precision(format_name, precision)
    chosen.check()
    return chosen


def export_checkpoint(
    checkpoint: Checkpoint,
    path: Path,
    format_name: str,
    precision: str = "fp32",
    crops: Crops | None = None,
    calls: int = 20,
    side: SideKey | None = None,
) -> ExportReport:
    """Write the deployed network of `checkpoint`, prove on crops that the file computes the same, time it.

    The file is opened as a robot does it (`create_embedder`, `Embedder.embed`) and compared with the
    network in torch on the same pixels. Only what passes goes to `path`; until then a file that is there
    stays as it is.

    Args:
        checkpoint: a training's result.
        path: file to write, with the format's suffix.
        format_name: one of ``FORMATS``.
        precision: one of ``PRECISIONS`` that the format has.
        crops: what to try it on; None = see `find_crops`.
        calls: timed calls for each batch size; 0 = no times.
        side: camera and, for views, sequence that every picture is taken to be of; None = unknown.

    Raises:
        ConfigError: unknown or unsuitable names, another suffix than the format's, or a camera or view that
            the network does not know.
        MissingDependencyError: the format's package is not installed.
        ModelError: the checkpoint's weights do not fit its network.
        ExportError: the network cannot be written in this format, or the file computes something else.
        SinkError: `path` cannot be written.
    """
    chosen = check_format(format_name, precision)
    if path.suffix != chosen.suffix:
        raise ConfigError(f"format {format_name} writes {chosen.suffix} files, got {str(path)!r}")
    model = checkpoint.create_model()
    label = "unknown" if side is None else _fix_side(checkpoint, model, side)
    try:
        model = model.deployed()
    except InputError as error:
        raise ExportError(f"{checkpoint.model} cannot be exported: {error}") from error
    plan = Plan(model, checkpoint.size, precision, describe_export(checkpoint, precision, label))
    crops = find_crops(None, checkpoint.config) if crops is None else crops
    canvas = Canvas(crops.images)
    try:
        expected = reference_vectors(plan.network(), checkpoint.preprocessing, canvas)
    except InputError as error:
        raise ExportError(
            f"{checkpoint.model} does not embed single crops, which is what it would be given: {error}"
        ) from error
    if precision == "fp16":
        prove_half(plan.network(half=True), checkpoint.preprocessing, expected, canvas)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            draft = Path(folder) / path.name
            _write(chosen, plan, draft, f"{checkpoint.model} as {format_name}, {precision}")
            embedder = chosen.open(EmbedderOptions(model=str(draft), batch_size=max(BATCHES)))
            parity = prove(embedder, expected, canvas, precision)
            latency = measure(embedder, canvas, calls)
            runs_on = f"{embedder.info.backend} on {embedder.info.provider}"
            del embedder
            drafts = [draft.with_suffix(suffix) for suffix in (*chosen.companions, chosen.suffix)]
            size = sum(file.stat().st_size for file in drafts)
            for file in drafts:  # the one that people name comes last
                file.replace(path.with_name(file.name))
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error}") from error
    origin = f"{len(crops.images)} crops of {crops.origin}"
    return ExportReport(path, size / 1e6, runs_on, parity, origin, latency, label)


def _fix_side(checkpoint: Checkpoint, model: ReIDModel, side: SideKey) -> str:
    """Bake a camera or view into `model`; how it is called."""
    known = known_sides(model, checkpoint.sides, f"this {checkpoint.model}")
    number = known.number(*side)
    fix_side(model, number)
    return known.label(number)


def _write(chosen: Format, plan: Plan, path: Path, what: str) -> None:
    try:
        chosen.write(plan, path)
    except (RtreidError, OSError):
        raise
    except Exception as error:  # exporters raise whatever their parts raise
        raise ExportError(f"{what}: the network cannot be written so: {first_line(error)}") from error
