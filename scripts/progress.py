"""Progress of a long set-up on a terminal or in a log."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def step(title: str) -> Iterator[Callable[[str], None]]:
    """Say what is being done and, when it is done, how long it took.

    Yields a function that shows a detail; on a terminal the line is kept alive.
    """
    start = time.monotonic()
    detail = ""
    ended = threading.Event()
    live = sys.stdout.isatty()

    def show(text: str) -> None:
        nonlocal detail
        detail = text

    def tick() -> None:
        while not ended.wait(0.2):
            print(f"\r\x1b[K{title} ... {time.monotonic() - start:3.0f} s  {detail[:40]}", end="", flush=True)

    ticker = threading.Thread(target=tick, daemon=True)
    if live:
        ticker.start()
    else:
        print(f"{title} ...", flush=True)
    try:
        yield show
    finally:
        ended.set()
        if live:
            ticker.join()
            print("\r\x1b[K", end="")
    print(f"{title}: {time.monotonic() - start:.1f} s", flush=True)
