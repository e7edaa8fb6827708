"""Appearance vectors: telling people apart."""

from rtreid_ros.reid.backends import create_embedder, embedder_beside
from rtreid_ros.reid.base import Embedder, EmbedderOptions

__all__ = ["Embedder", "EmbedderOptions", "create_embedder", "embedder_beside"]
