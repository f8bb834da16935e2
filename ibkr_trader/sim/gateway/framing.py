"""Turn a TCP byte stream into TWS frames and back, without any I/O.

The server feeds whatever the socket gave into a `FrameReader` and asks for events until there
are none. The reader never holds more than one frame's limit plus one chunk, whatever a hostile
length prefix claims, and after a `ProtocolError` it stays broken: the caller closes the socket.
"""

import re
from collections.abc import Iterable

import msgspec

MAX_FRAME = 1 << 20
MAX_PROLOGUE = 256
API_SIGNATURE = b"API\0"
PREFIX = 4  # bytes that say how long a frame is
_VERSIONS = re.compile(r"v(\d{1,6})(?:\.\.(\d{1,6}))?(?: (.*))?", re.DOTALL)


class ProtocolError(Exception):
    """The stream cannot be TWS protocol; nothing after this point can be trusted."""


class Prologue(msgspec.Struct, frozen=True, kw_only=True):
    """What a client offers before anything else: the versions it speaks."""

    min_version: int
    max_version: int
    options: str = ""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One request, split into its fields."""

    fields: tuple[str, ...]


def frame(fields: Iterable[str]) -> bytes:
    """Join fields into one length-prefixed, NUL-terminated frame."""
    return framed("".join([f"{field}\0" for field in fields]).encode())


def framed(payload: bytes) -> bytes:
    """Return a frame of these bytes, whatever they are."""
    return len(payload).to_bytes(PREFIX, "big") + payload


class FrameReader:
    """Incremental reader of one client's stream; any split of the bytes gives the same events."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0
        self._signed = False
        self._greeted = False
        self._broken: ProtocolError | None = None

    @property
    def greeted(self) -> bool:
        """Whether the prologue has been read."""
        return self._greeted

    @property
    def pending(self) -> int:
        """How many bytes wait for the rest of their message."""
        return len(self._buffer) - self._at

    def receive(self, data: bytes) -> None:
        """Take bytes from the socket; they are parsed when `next_event` asks."""
        if self._at:
            del self._buffer[: self._at]
            self._at = 0
        self._buffer += data

    def next_event(self) -> Prologue | Frame | None:
        """Return the next complete event, or None until more bytes arrive.

        Raises:
            ProtocolError: The bytes are not TWS protocol, now or at an earlier call.
        """
        if self._broken is not None:
            raise self._broken
        try:
            return self._parse()
        except ProtocolError as error:
            self._broken = error
            self._buffer.clear()
            self._at = 0
            raise

    def _parse(self) -> Prologue | Frame | None:
        if not self._signed and not self._read_signature():
            return None
        payload = self._take(MAX_FRAME if self._greeted else MAX_PROLOGUE)
        if payload is None:
            return None
        text = payload.decode("utf-8", "replace")
        if not self._greeted:
            self._greeted = True
            return _prologue(text)
        fields = text.split("\0")
        if not fields[-1]:
            fields.pop()
        return Frame(fields=tuple(fields))

    def _read_signature(self) -> bool:
        seen = bytes(self._buffer[: len(API_SIGNATURE)])
        if not API_SIGNATURE.startswith(seen):
            message = "the stream does not start with the API signature"
            raise ProtocolError(message)
        if len(seen) < len(API_SIGNATURE):
            return False
        self._signed = True
        self._at = len(API_SIGNATURE)
        return True

    def _take(self, limit: int) -> bytes | None:
        start = self._at + PREFIX
        if len(self._buffer) < start:
            return None
        length = int.from_bytes(self._buffer[self._at : start], "big")
        if length > limit:
            message = f"a frame of {length} bytes is over the limit of {limit}"
            raise ProtocolError(message)
        end = start + length
        if len(self._buffer) < end:
            return None
        self._at = end
        return bytes(self._buffer[start:end])


def _prologue(text: str) -> Prologue:
    found = _VERSIONS.fullmatch(text.rstrip("\0"))
    if found is None:
        message = "the first frame does not name the client's versions"
        raise ProtocolError(message)
    low = int(found[1])
    high = int(found[2] or found[1])
    if high < low:
        message = f"the client's versions are upside down: {low}..{high}"
        raise ProtocolError(message)
    return Prologue(min_version=low, max_version=high, options=found[3] or "")
