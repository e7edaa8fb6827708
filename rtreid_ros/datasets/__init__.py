"""Data sets: the synthetic street."""
