"""What is read must not be replaced by what is written."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from pathlib import Path

from rtreid_ros.errors import ConfigError
from rtreid_ros.sinks.base import partial_of


def protect(inputs: Iterable[str | Path], outputs: Iterable[str | Path]) -> None:
    """Nothing if `outputs` can be written without harm to `inputs`.

    An output replaces what has its name or that of its unfinished part, with all that is in it.

    Args:
        inputs: paths or patterns, anything else, such as a URL, is passed over.
        outputs: files and folders that an `Output` will write.

    Raises:
        ConfigError: an input is one of the outputs or lies in one.
    """
    read = [path for text in inputs for path in _paths(text)]
    for output in map(Path, outputs):
        for replaced in (output.resolve(), partial_of(output).resolve()):
            for path in read:
                if path.is_relative_to(replaced):
                    raise ConfigError(
                        f"{output}: writing there would replace {path}, which is to be read; choose another "
                        "place"
                    )


def _paths(text: str | Path) -> Iterator[Path]:
    path = Path(text).expanduser()
    found = [str(path)] if path.exists() else glob.glob(str(path))  # noqa: PTH207 (a pattern may be absolute)
    yield from (Path(name).resolve() for name in found)
