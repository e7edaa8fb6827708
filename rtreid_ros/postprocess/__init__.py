"""Offline post-processing of result files: linking of tracklets, interpolation (StrongSORT++)."""

from rtreid_ros.postprocess.options import PostprocessOptions
from rtreid_ros.postprocess.processor import Change, Postprocessor

__all__ = ["Change", "PostprocessOptions", "Postprocessor"]
