"""Writing a rosbag2 through ``rosbags``: no ROS needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtreid_ros.bags.definitions import message_types
from rtreid_ros.errors import ConfigError, SinkError
from rtreid_ros.sinks.base import Output, remove

if TYPE_CHECKING:
    from rosbags.interfaces import Qos

STORAGES = ("mcap", "sqlite3")
_DEPTH = 10
_LATCHED_DEPTH = 5000


class BagOutput(Output):
    """A rosbag2 folder; messages are recorded at their own stamps.

    An older bag of the same name is replaced; any other folder is not.

    Args:
        path: the folder.
        storage: one of `STORAGES`.

    Raises:
        ConfigError: an unknown storage.
        SinkError: the place cannot be written to, or holds something else.
    """

    def __init__(self, path: str | Path, storage: str = "mcap") -> None:
        from rosbags.rosbag2 import StoragePlugin, Writer  # noqa: PLC0415 (slow to import)

        if storage not in STORAGES:
            raise ConfigError(f"storage must be one of {', '.join(STORAGES)}, got {storage!r}")
        super().__init__(path)
        if self.path.exists() and not (self.path / "metadata.yaml").is_file():
            raise SinkError(f"{self.path}: already there and no bag; remove it or choose another place")
        # its file is named after the folder and listed by that name, so it needs the final one
        self._inner = self.partial / self.path.name
        plugin = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}[storage]
        # Humble does not read metadata of version 9
        self._writer = Writer(self._inner, version=8, storage_plugin=plugin)
        try:
            self._writer.open()
        except Exception as error:
            raise SinkError(f"{self.path}: cannot be written ({error})") from error
        self._connections: dict[str, Any] = {}

    def write_cdr(self, topic: str, kind: str, stamp_ns: int, data: bytes | memoryview) -> None:
        """Record a serialised message, such as ``"sensor_msgs/msg/Image"``.

        Raises:
            ConfigError: a type we do not know, or another than before on this topic.
        """
        connection = self._connections.get(topic)
        if connection is None:
            store = message_types()
            if kind not in store.types:
                raise ConfigError(f"message type {kind!r} is not known to the bag writer")
            offered = [_offered_qos(topic)]
            connection = self._writer.add_connection(
                topic, kind, typestore=store, offered_qos_profiles=offered
            )
            self._connections[topic] = connection
        elif connection.msgtype != kind:
            raise ConfigError(f"topic {topic} carries {connection.msgtype}, not {kind}")
        self._writer.write(connection, stamp_ns, data)

    def write_message(self, topic: str, message: Any, stamp_ns: int) -> None:
        """Record a message made of the classes in `message_types`."""
        kind = message.__msgtype__
        self.write_cdr(topic, kind, stamp_ns, message_types().serialize_cdr(message, kind))

    def close(self) -> None:
        """Write index and metadata."""
        self._writer.close()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is not None:
            self._writer.abort()
            return
        self.close()
        remove(self.path)
        self._inner.replace(self.path)
        remove(self.partial)


def _offered_qos(topic: str) -> Qos:
    """How a player is to publish a topic, so that all who follow a live graph hear it too.

    Ground truth is kept for observers that come late, as `source_node` does; anything else is
    reliable, which also fits those who ask for less.
    """
    from rosbags.interfaces import (  # noqa: PLC0415 (slow to import)
        Qos,
        QosDurability,
        QosHistory,
        QosLiveliness,
        QosReliability,
        QosTime,
    )

    latched = topic.rpartition("/")[2] == "ground_truth"
    unspecified = QosTime(0, 0)
    return Qos(
        history=QosHistory.KEEP_LAST,
        depth=_LATCHED_DEPTH if latched else _DEPTH,
        reliability=QosReliability.RELIABLE,
        durability=QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
        deadline=unspecified,
        lifespan=unspecified,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=unspecified,
        avoid_ros_namespace_conventions=False,
    )
