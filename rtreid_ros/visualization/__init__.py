"""Drawing tracks into images."""

from rtreid_ros.visualization.annotator import Annotator, VisualizationOptions
from rtreid_ros.visualization.colours import colour_of

__all__ = ["Annotator", "VisualizationOptions", "colour_of"]
