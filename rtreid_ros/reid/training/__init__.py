"""Training of appearance networks. Needs torch."""
