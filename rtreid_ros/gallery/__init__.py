"""One global id for each person, across cameras and after long absence."""

from rtreid_ros.gallery.gallery import Gallery, GlobalIds
from rtreid_ros.gallery.options import GalleryOptions

__all__ = ["Gallery", "GalleryOptions", "GlobalIds"]
