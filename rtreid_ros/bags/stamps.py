"""Header stamps of serialised messages.

Every message we read begins with a ``std_msgs/Header``, and that with its stamp, so the eight bytes
after the encapsulation are seconds and nanoseconds (plain CDR, OMG DDS-RTPS 2.3 section 10).
"""

from __future__ import annotations

import struct

from rtreid_ros.errors import MessageError

_BYTE_ORDERS = {0x0000: ">", 0x0001: "<", 0x0006: ">", 0x0007: "<"}
_START, _END = 4, 12


def header_stamp(cdr: bytes) -> int:
    """The stamp in nanoseconds.

    Raises:
        MessageError: the bytes are no message with a header.
    """
    seconds, nanoseconds = struct.unpack_from(_order(cdr) + "iI", cdr, _START)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def with_header_stamp(cdr: bytes, stamp_ns: int) -> bytes:
    """The same message with another stamp.

    Raises:
        MessageError: the bytes are no message with a header.
    """
    stamp = struct.pack(_order(cdr) + "iI", *divmod(stamp_ns, 1_000_000_000))
    return b"".join((cdr[:_START], stamp, memoryview(cdr)[_END:]))


def _order(cdr: bytes) -> str:
    order = _BYTE_ORDERS.get(int.from_bytes(cdr[:2], "big")) if len(cdr) >= _END else None
    if order is None:
        raise MessageError(f"{len(cdr)} serialised bytes do not begin with a header in plain CDR")
    return order
