"""Shim: the metadata is in pyproject.toml, the version in package.xml."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from setuptools import setup

setup(version=ElementTree.parse(Path(__file__).parent / "package.xml").findtext("version"))
