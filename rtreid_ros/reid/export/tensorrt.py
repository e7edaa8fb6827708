"""TensorRT engines.

An engine runs on the kind of GPU and the version of TensorRT that built it, so robots are better given
the ONNX file: ONNX Runtime's TensorRT provider builds and caches the engine there. This is for
programs that want the engine itself.
"""

from __future__ import annotations

import importlib.util
import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rtreid_ros.errors import ConfigError, ExportError, MissingDependencyError, ModelError
from rtreid_ros.reid.base import Embedder, EmbedderOptions
from rtreid_ros.reid.export.base import Format, Plan
from rtreid_ros.reid.export.onnx import INPUT, OUTPUT
from rtreid_ros.reid.export.onnx import write as write_onnx
from rtreid_ros.reid.session_embedder import SessionEmbedder
from rtreid_ros.runtime.session import Array, TensorSpec
from rtreid_ros.runtime.torch_file import SIZE_KEY

BATCHES = (1, 8, 32)
"""Smallest, usual and largest batch of an engine."""

_LENGTH = struct.Struct("<i")


def check() -> None:
    """Nothing, where TensorRT 10 or later is installed and there is a GPU.

    Raises:
        MissingDependencyError: TensorRT is not installed.
        ConfigError: there is no GPU.
    """
    if importlib.util.find_spec("tensorrt") is None:
        raise MissingDependencyError(
            "the format tensorrt needs TensorRT, which is not installed; run: pip install "
            "'rtreid_ros[tensorrt]', or export --format onnx, which ONNX Runtime's TensorRT provider runs "
            "(pip install 'rtreid_ros[gpu]')"
        )
    if not torch.cuda.is_available():
        raise ConfigError(
            "TensorRT builds an engine on the GPU that will run it, and torch finds none here; export "
            "--format onnx, from which ONNX Runtime's TensorRT provider builds the engine on the robot"
        )


def write(plan: Plan, path: Path) -> None:
    """Build the engine of the ONNX file; the metadata stand before it, as Ultralytics' exporter does.

    Raises:
        ExportError: TensorRT refuses the network.
    """
    import tensorrt as trt  # noqa: PLC0415 (optional)

    source = path.with_suffix(".onnx")
    write_onnx(plan, source)
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    # strongly typed: float16 just where the ONNX file has it
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(source.read_bytes()):
        reasons = "; ".join(str(parser.get_error(index)) for index in range(parser.num_errors))
        raise ExportError(f"TensorRT {trt.__version__} cannot read the network: {reasons}")
    config = builder.create_builder_config()
    profile = builder.create_optimization_profile()
    profile.set_shape(INPUT, *((rows, 3, *plan.size) for rows in BATCHES))
    config.add_optimization_profile(profile)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise ExportError(f"TensorRT {trt.__version__} builds no engine of the network")
    path.write_bytes(with_metadata(bytes(engine), plan.metadata))
    source.unlink()


def with_metadata(engine: bytes, metadata: Mapping[str, str]) -> bytes:
    """The content of a file: length of the JSON text (int32, little-endian), the text, the engine."""
    text = json.dumps(dict(metadata)).encode()
    return _LENGTH.pack(len(text)) + text + engine


def split_metadata(content: bytes) -> tuple[bytes, dict[str, str]]:
    """The reverse of `with_metadata`.

    Raises:
        ModelError: there are no metadata.
    """
    try:
        (length,) = _LENGTH.unpack_from(content)
        end = _LENGTH.size + length
        return content[end:], json.loads(content[_LENGTH.size : end])
    except (ValueError, struct.error) as error:
        raise ModelError(f"no engine of rtreid export-reid: no metadata before it ({error})") from None


class EngineSession:
    """An engine run by TensorRT with torch's memory: what proves that it computes right. See `Session`."""

    backend = "tensorrt"
    provider = "tensorrt"

    def __init__(self, path: Path) -> None:
        import tensorrt as trt  # noqa: PLC0415 (optional)

        self.name = path.name
        engine, self.metadata = split_metadata(path.read_bytes())
        self._runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
        self._engine = self._runtime.deserialize_cuda_engine(engine)
        self._context = self._engine.create_execution_context()
        size = json.loads(self.metadata[SIZE_KEY])
        single = np.dtype(np.float32)
        self._dim = int(self._engine.get_tensor_shape(OUTPUT)[1])
        self.inputs = (TensorSpec(INPUT, (None, 3, *size), single),)
        self.outputs = (TensorSpec(OUTPUT, (None, self._dim), single),)

    def run(self, array: Array) -> Sequence[Array]:
        """See `Session.run`."""
        images = torch.from_numpy(array).cuda().contiguous()
        rows = torch.empty((len(array), self._dim), device="cuda")
        context: Any = self._context
        context.set_input_shape(INPUT, tuple(images.shape))
        context.set_tensor_address(INPUT, images.data_ptr())
        context.set_tensor_address(OUTPUT, rows.data_ptr())
        stream = torch.cuda.current_stream()
        if not context.execute_async_v3(stream.cuda_stream):
            raise ModelError(f"{self.name} failed on an input of shape {array.shape}")
        stream.synchronize()
        return [rows.cpu().numpy()]


def open_engine(options: EmbedderOptions) -> Embedder:
    """An embedder over an engine."""
    return SessionEmbedder(EngineSession(Path(options.model)), options)


TENSORRT = Format(
    ".engine",
    "TensorRT engine for this machine's GPU; robots rather take ONNX, with ONNX Runtime's TensorRT provider",
    ("fp32", "fp16"),
    write,
    check,
    open_engine,
)
