"""Bytes to messages: the framing of the TWS protocol, without any I/O.

A frame is a four-byte length and so many bytes of fields, each ended by NUL. The client
library cuts its buffer anew for every frame, which is quadratic in a burst, and waits for
ever for a frame of two gigabytes; so this does the framing.
"""

from __future__ import annotations

from typing import NamedTuple

MAX_FRAME = 16 * 1024 * 1024  # what TWS's own clients refuse beyond
_PREFIX = 4


class BrokenFrame(ValueError):
    """What arrives is no TWS stream."""


class Frame(NamedTuple):
    """The fields of one message; `is_clean` is false if it was not valid UTF-8."""

    fields: list[str]
    is_clean: bool


class FrameSplitter:
    """Cuts a stream into frames, however the bytes arrive."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that `data` completes.

        Raises:
            BrokenFrame: At a length that no frame can have.
        """
        buffer = self._rest + data if self._rest else data
        frames: list[Frame] = []
        at, end = 0, len(buffer)
        while end - at >= _PREFIX:
            size = int.from_bytes(buffer[at : at + _PREFIX], "big")
            if size > MAX_FRAME:
                raise BrokenFrame(f"a frame of {size} bytes was announced")
            stop = at + _PREFIX + size
            if stop > end:
                break
            frames.append(_frame(buffer[at + _PREFIX : stop]))
            at = stop
        self._rest = buffer[at:]
        return frames


def _frame(payload: bytes) -> Frame:
    try:
        return Frame(payload.decode().split("\0")[:-1], is_clean=True)
    except UnicodeDecodeError:
        return Frame(payload.decode(errors="backslashreplace").split("\0")[:-1], is_clean=False)


def framed(text: str) -> bytes:
    """Return `text` as one frame."""
    payload = text.encode()
    return len(payload).to_bytes(_PREFIX, "big") + payload
