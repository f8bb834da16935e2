"""Events and commands as JSON, by type tag: one definition, one codec, one schema.

Decimals travel as strings, times as RFC 3339 with a zone. Decoding is strict: what does
not fit its type is an error, never a zero.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

import msgspec

from ibkr_trader.core.commands import Command
from ibkr_trader.core.events import BaseEvent


def leaves(root: type[BaseEvent]) -> tuple[type[BaseEvent], ...]:
    """Return the concrete classes below `root`, in order of definition."""
    found: list[type[BaseEvent]] = []
    for kind in root.__subclasses__():
        found.extend(leaves(kind) or (kind,))
    return tuple(found)


EVENT_TYPES = leaves(BaseEvent)

_encoder = msgspec.json.Encoder(decimal_format="string")
_event_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(reduce(or_, EVENT_TYPES))
_command_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Command)


def encode(message: BaseEvent | Command) -> bytes:
    """Return `message` as JSON with its type tag."""
    return _encoder.encode(message)


def decode_event(data: bytes | str) -> BaseEvent:
    """Return the event that `data` holds.

    Raises:
        msgspec.ValidationError: If it is no event, or a field does not fit its type.
    """
    event: BaseEvent = _event_decoder.decode(data)
    return event


def decode_command(data: bytes | str) -> Command:
    """Return the command that `data` holds.

    Raises:
        msgspec.ValidationError: If it is no command, or a field does not fit its type.
    """
    command: Command = _command_decoder.decode(data)
    return command


def schema() -> dict[str, Any]:
    """Return the JSON schema of every event and command."""
    return msgspec.json.schema(reduce(or_, EVENT_TYPES) | Command)
