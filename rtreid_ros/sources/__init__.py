"""Frames from files, cameras, bags and the synthetic scene."""
