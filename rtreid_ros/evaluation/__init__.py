"""Judging tracks against ground truth."""
