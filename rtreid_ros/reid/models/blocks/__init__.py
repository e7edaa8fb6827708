"""Parts that appearance networks are put together from."""
