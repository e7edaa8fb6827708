"""Drawing tracks into images."""

from rtreid_ros.visualization.annotator import Annotator, VisualizationOptions
from rtreid_ros.visualization.colours import colour_of
from rtreid_ros.visualization.labels import Label, id_labels, track_label

__all__ = ["Annotator", "Label", "VisualizationOptions", "colour_of", "id_labels", "track_label"]
