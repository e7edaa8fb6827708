"""Frames from files, cameras, bags and the synthetic scene."""

from rtreid_ros.sources.base import Source
from rtreid_ros.sources.opening import open_source

__all__ = ["Source", "open_source"]
