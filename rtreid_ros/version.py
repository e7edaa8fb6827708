"""Which version this is."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path
from xml.etree import ElementTree


def version() -> str:
    """The version in package.xml, or of the installed distribution."""
    root = Path(__file__).resolve().parents[1]
    for path in (root / "package.xml", Path(sys.prefix) / "share" / "rtreid_ros" / "package.xml"):
        if path.is_file():
            found = ElementTree.parse(path).findtext("version")  # noqa: S314 (our own file)
            if found:
                return found
    try:
        return metadata.version("rtreid_ros")
    except metadata.PackageNotFoundError:
        return "unknown"
