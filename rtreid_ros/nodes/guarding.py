"""What goes wrong in a node: counted, logged, not passed on."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any

from rtreid_ros.errors import RtreidError

if TYPE_CHECKING:
    from rtreid_ros.nodes.base import BaseNode
    from rtreid_ros.nodes.flow.statistics import Statistics


class Guard:
    """Turns an exception into a count and a throttled log line."""

    def __init__(self, node: BaseNode, what: str, also: Statistics | None) -> None:
        self._node = node
        self._what = what
        self._counted = [node.statistics] if also is None else [node.statistics, also]

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> bool:
        if error is None:
            return False
        if not isinstance(error, Exception):
            return False
        for statistics in self._counted:
            statistics.count("rejected" if isinstance(error, RtreidError) else "errors")
        if isinstance(error, RtreidError):
            self._node.warn(f"{self._what}: {type(error).__name__}", f"{self._what} refused: {error}")
        else:
            text = "".join(traceback.format_exception(kind, error, trace)).rstrip()
            self._node.fail(f"{self._what}: {type(error).__name__}", f"{self._what} failed: {text}")
        return True


class LogBridge(logging.Handler):
    """Brings what the library logs through `logging` to the node's log."""

    def __init__(self, node: BaseNode) -> None:
        super().__init__(logging.WARNING)
        self._node = node

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record of the library as the node's own."""
        report = self._node.fail if record.levelno >= logging.ERROR else self._node.warn
        report(record.name, record.getMessage())
