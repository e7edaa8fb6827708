"""Embedders that can be told side information."""

from contextlib import contextmanager

from rtreid_ros.errors import ConfigError


class Told:
    """What such an embedder has besides: `numbers` are those of what it is to embed, None = unknown."""

    numbers = None

    def __init__(self, sides):
        self.sides = sides

    def known_sides(self):
        if not len(self.sides):
            raise ConfigError("it knows nothing")
        return self.sides

    @contextmanager
    def told(self, numbers):
        self.numbers = numbers
        yield
        self.numbers = None
