"""Losses by name, and the recipe that sums them. Needs torch."""
