"""Adaptation to pictures nobody has labelled.

Harvesting, tracklets and clustering need NumPy and SciPy alone; `adapter` and what it is made of need torch.
"""
