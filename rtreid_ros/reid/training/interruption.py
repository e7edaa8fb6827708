"""Ctrl-C and termination: the first ends the training in order, the second at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """While entered, the first signal sets `asked` and the next raises `KeyboardInterrupt`.

    Args:
        say: called at the first with nothing; tells the user what happens now.

    Attributes:
        asked: whether the user wants the training to end.
    """

    def __init__(self, say: Callable[[], None]) -> None:
        self.asked = False
        self._say = say
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interruption:
        # signals are handled in the main thread alone; elsewhere somebody else decides
        if threading.current_thread() is threading.main_thread():
            self._before = {item: signal.signal(item, self._handle) for item in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for item, handler in self._before.items():
            signal.signal(item, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        self._say()
