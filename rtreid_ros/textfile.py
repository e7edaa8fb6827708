"""Reading the text files others wrote."""

from __future__ import annotations

from pathlib import Path

from rtreid_ros.errors import SourceError


def read_text(path: Path) -> str:
    """The content of a UTF-8 file.

    Raises:
        SourceError: the file is missing, or not readable text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: not a readable text file ({error})") from None
