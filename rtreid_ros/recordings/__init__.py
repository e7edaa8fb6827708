"""Sequences without pictures: stored detections (and embeddings, and camera motion) by frame.

Trackers are compared on these in seconds: detecting and embedding is done once.
"""
