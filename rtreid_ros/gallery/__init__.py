"""One global id for each person, across cameras and after long absence."""

from rtreid_ros.gallery.gallery import Gallery
from rtreid_ros.gallery.options import GalleryOptions
from rtreid_ros.gallery.results import GlobalIds

__all__ = ["Gallery", "GalleryOptions", "GlobalIds"]
