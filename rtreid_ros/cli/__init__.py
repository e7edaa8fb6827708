"""The command ``rtreid``."""
