"""Identity data sets by name."""
