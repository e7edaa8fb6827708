"""The embedder backends by name.

To add one: write a function from `EmbedderOptions` to an `Embedder`, register it here, and name the
suffixes it reads in `rtreid_ros.runtime.session.SUFFIXES`. Each imports its library when called.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rtreid_ros.errors import ConfigError
from rtreid_ros.registry import Registry
from rtreid_ros.reid.base import Embedder, EmbedderOptions
from rtreid_ros.reid.session_embedder import SessionEmbedder
from rtreid_ros.runtime.session import backend_for, model_path

BUILTIN = "reid_synthetic.onnx"
"""The embedder that an empty model name means: of the synthetic world."""

PEOPLE = "osnet_x0_25_market1501.onnx"
"""The built-in embedder of real people."""

backends: Registry[Callable[[EmbedderOptions], Embedder]] = Registry("embedder backend")


def _onnx(options: EmbedderOptions) -> Embedder:
    from rtreid_ros.runtime.ort import OrtSession  # noqa: PLC0415 (see above)

    path = model_path(options.model, BUILTIN)
    return SessionEmbedder(OrtSession(path, options.providers, options.threads), options)


def _openvino(options: EmbedderOptions) -> Embedder:
    from rtreid_ros.runtime.openvino_ir import OpenVinoSession  # noqa: PLC0415 (see above)

    return SessionEmbedder(OpenVinoSession(model_path(options.model, BUILTIN), options.threads), options)


def _torch(options: EmbedderOptions) -> Embedder:
    from rtreid_ros.runtime.torch_file import TorchSession  # noqa: PLC0415 (see above)

    path = model_path(options.model, BUILTIN)
    return SessionEmbedder(TorchSession(path, options.providers, options.threads), options)


backends.register("onnx", _onnx)
backends.register("openvino", _openvino)
backends.register("torch", _torch)


def create_embedder(options: EmbedderOptions | None = None) -> Embedder:
    """The embedder that `options` describe, loaded and warmed up.

    Raises:
        ConfigError: an unknown backend, file suffix or provider.
        ModelError: the file is missing, unreadable, no embedder, or nothing says how it wants its pixels.
        MissingDependencyError: the backend's package is not installed.
    """
    options = options or EmbedderOptions()
    try:
        backend = backend_for(options.model or BUILTIN, options.backend, list(backends))
    except ConfigError as error:
        if Path(options.model).suffix.lower() not in (".pt", ".pth"):
            raise
        raise ConfigError(f"{error}; of a checkpoint, `rtreid export-reid` makes such a file") from None
    return backends[backend](options)


def embedder_beside(detector: str, embedder: str) -> str:
    """The embedder's model where both stages are chosen at once and either may be left empty.

    Whoever names a detector looks at the real world, which the built-in detector does not know.
    """
    return embedder or (PEOPLE if detector else "")
