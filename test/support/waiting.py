"""Waiting for other processes."""

import time


def until(condition, timeout, what):
    """Wait until `condition()` is true; its value."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {timeout} s for {what}"
        time.sleep(0.02)
    return value
