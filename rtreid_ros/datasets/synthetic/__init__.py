"""A seeded, procedural street with walking people and exact ground truth."""

from rtreid_ros.datasets.synthetic.options import SceneOptions
from rtreid_ros.datasets.synthetic.scene import SyntheticScene

__all__ = ["SceneOptions", "SyntheticScene"]
