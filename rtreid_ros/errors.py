"""What can go wrong for reasons the user can mend.

Every such error derives from :class:`RtreidError` and says what was wrong, with the value, and
what to do about it. Commands print it without a traceback; nodes log it, count it and go on.
"""

from __future__ import annotations


class RtreidError(Exception):
    """Base of all errors whose message is meant for the user."""


class ConfigError(RtreidError, ValueError):
    """An option has an unknown name, the wrong type or a value out of range."""


class ModelError(RtreidError):
    """A model file is missing, unreadable, of an unknown layout, or does not fit its input."""


class ExportError(RtreidError):
    """A network cannot be written in a format, or the file does not compute what the network does."""


class SourceError(RtreidError):
    """A video, folder, bag or camera cannot be opened or read."""


class SinkError(RtreidError):
    """An output file cannot be written."""


class ImageError(RtreidError, ValueError):
    """An image message or array has an encoding, shape or step that cannot be used."""


class InputError(RtreidError, ValueError):
    """An array or a stamp handed to a stage has a shape or a value it cannot work with."""


class TrainingError(RtreidError):
    """A training cannot go on: its numbers are no longer any."""


class MessageError(RtreidError, ValueError):
    """A message from another node contradicts itself or what came before it."""


class MissingDependencyError(RtreidError, ImportError):
    """An optional package is not installed; the message names the extra that brings it."""


class NoTracksError(RtreidError, TimeoutError):
    """Tracks, or somebody among them, did not come in time; the message says why, as far as can be told."""


class ServiceError(RtreidError):
    """A node's service is not there, did not answer in time, or refused."""
