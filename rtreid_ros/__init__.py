"""Detection, re-identification and tracking for robots."""

# A source checkout on sys.path must not hide the messages built into the environment.
__path__ = __import__("pkgutil").extend_path(__path__, __name__)
