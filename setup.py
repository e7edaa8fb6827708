"""Shim: the metadata is in pyproject.toml, the version in package.xml."""

from pathlib import Path
from xml.etree import ElementTree

from setuptools import setup

package = ElementTree.parse(Path(__file__).parent / "package.xml")  # noqa: S314 (our own file)
setup(version=package.findtext("version"))
