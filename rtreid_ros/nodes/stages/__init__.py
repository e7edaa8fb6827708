"""Parts that several nodes are made of."""
