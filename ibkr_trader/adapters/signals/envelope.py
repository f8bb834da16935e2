"""The envelope in which a producer of ours puts a signal, and its signature.

    {"v": 1, "id": "7f3a", "source": "webhook", "ts": "2026-11-23T14:30:00Z", "symbol": "AAPL",
     "action": "BUY", "confidence": 0.82, "price": 187.32, "seq": 7, "key_id": "k1", "sig": "…"}

`v`, `id`, `ts`, `symbol` (or `ticker`), `action` (or `signal`) and `confidence` must be there;
`source`, `nonce`, `seq`, `price`, `key_id` and `sig` may. No other key is known, and nothing is
nested. `source` is the name of the source that it is handed to, and a signed one must say it: what
was signed for one is no good at another, where nobody would know its `id` again. `id` makes it
unique, as others have a nonce do; a `nonce` is signed, and not looked at.

The signature is HMAC-SHA256, as 64 lower-case hexadecimal digits, over the canonical bytes:
the object without `sig`, its keys in ascending order, no blanks, numbers exactly as they are
sent, text escaped no more than JSON demands (as in RFC 8785), in UTF-8. In Python:

    json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from ibkr_trader.adapters.json_places import Number
from ibkr_trader.adapters.signals import claim_values as values
from ibkr_trader.adapters.signals.json_reading import (
    Unreadable,
    excerpt,
    read_object,
    shown,
)
from ibkr_trader.core.signals import FORGED, MALFORMED, Claim, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ibkr_trader.adapters.signals.json_reading import Json

VERSION = "1"
FIELDS = frozenset({
    "v", "id", "source", "ts", "nonce", "seq", "symbol", "ticker", "action", "signal",
    "confidence", "price", "key_id", "sig",
})  # fmt: skip
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
T = TypeVar("T")


class Forged(Unreadable):
    """It carries a signature that none of the known keys has made."""


def read_envelope(data: bytes, *, source: str, keys: Mapping[str, bytes]) -> Claim | Malformed:
    """Return what an envelope claims, or why it is none.

    Args:
        data: The envelope, as it came.
        source: The name of the source that it came to.
        keys: The keys that may have signed it, by their id: two at most.

    Returns:
        A claim that is signed if one of `keys` made its signature, and is not if it carries
        none. One whose signature is bad, or by an unknown key, is malformed with code `forged`.
    """
    fields: dict[str, Json] = {}
    try:
        fields = read_object(data, depth=1)
        return _claim(fields, source, is_signed=_is_signed(fields, keys))
    except Unreadable as error:
        return Malformed(
            source=source,
            message=error.message,
            excerpt=excerpt(data),
            signal_id=_known_id(fields),
            code=FORGED if isinstance(error, Forged) else MALFORMED,
        )


def signed(fields: Mapping[str, Any], *, key_id: str, key: bytes) -> bytes:
    """Return an envelope of `fields` with the signature of `key`, ready to be sent.

    Args:
        fields: Text, whole numbers, `Decimal`s and aware `datetime`s, by their key.
        key_id: By what name the other side knows the key.
        key: The secret that both sides have.

    Raises:
        TypeError: If a value is anything else, such as a float: it would be rounded.
    """
    wired = {name: _wired(value) for name, value in fields.items() if name != "sig"}
    wired["key_id"] = key_id
    return canonical({**wired, "sig": sign(wired, key)}, leave_out="")


def sign(envelope: Mapping[str, Json], key: bytes) -> str:
    """Return the signature that belongs into `sig`; numbers are given as `Number`s."""
    return hmac.new(key, canonical(envelope), hashlib.sha256).hexdigest()


def canonical(envelope: Mapping[str, Json], *, leave_out: str = "sig") -> bytes:
    """Return the bytes that are signed: see the top of this file."""
    members = (
        f"{_written(name)}:{_written(value)}"
        for name, value in sorted(envelope.items())
        if name != leave_out
    )
    return f"{{{','.join(members)}}}".encode()


def _written(value: Json) -> str:
    return str(value) if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)


def _wired(value: Any) -> Json:
    match value:
        case bool() | float():
            raise TypeError(f"{value!r} has no place in an envelope: want text, int or Decimal")
        case str() | None:
            return value
        case int():
            return Number(value)
        case Decimal() if value.is_finite():
            return Number(f"{value:f}")
        case datetime() if value.tzinfo is not None:
            return value.isoformat()
        case _:
            raise TypeError(f"{value!r} has no place in an envelope")


def _is_signed(fields: Mapping[str, Json], keys: Mapping[str, bytes]) -> bool:
    """Whether one of the keys signed it, once it is known to hold nothing strange."""
    strange = next((name for name in fields if name not in FIELDS), None)
    if strange is not None:
        raise Unreadable(f"{shown(strange)}: there is no such key")
    signature, key_id = fields.get("sig"), fields.get("key_id")
    if signature is None and key_id is None:
        return False
    if signature is None:
        raise Forged("key_id: it names a key, and carries no signature")
    if not isinstance(signature, str) or not _SIGNATURE.fullmatch(signature):
        raise Forged("sig: it is no signature: want 64 lower-case hexadecimal digits")
    named = keys if key_id is None else {one: keys[one] for one in keys if one == key_id}
    if not named:
        raise Forged("key_id: no such key is known here")
    if not any(hmac.compare_digest(sign(fields, key), signature) for key in named.values()):
        raise Forged("sig: the signature is not good")
    return True


def _claim(fields: Mapping[str, Json], source: str, *, is_signed: bool) -> Claim:
    if (version := fields.get("v")) != VERSION or not isinstance(version, Number):
        raise Unreadable(f"v: only version {VERSION} is known here")
    meant = _read(fields, "source", values.name)
    if meant not in {None, source}:
        raise Unreadable(f"source: it is meant for {shown(str(meant))}, and this is {source}")
    if is_signed and meant is None:
        raise Forged(f"source: what is signed must say what it is meant for, here {source}")
    _read(fields, "nonce", values.name)
    return Claim(
        source=source,
        signal_id=_needed(fields, ("id",), values.name),
        ticker=_needed(fields, ("symbol", "ticker"), values.ticker),
        action=_needed(fields, ("action", "signal"), values.action),
        confidence=_needed(fields, ("confidence",), values.confidence),
        price=_read(fields, "price", values.price),
        issued_at=_needed(fields, ("ts",), values.moment),
        sequence=_read(fields, "seq", values.count),
        is_signed=is_signed,
    )


def _needed(fields: Mapping[str, Json], names: tuple[str, ...], read: Callable[[Json], T]) -> T:
    """The value that stands under exactly one of `names`."""
    there = [name for name in names if fields.get(name) is not None]
    found = _read(fields, there[0], read) if len(there) == 1 else None
    if found is None:
        either = " or ".join(names)
        raise Unreadable(f"{either}: it stands there twice" if there else f"{either}: missing")
    return found


def _read(fields: Mapping[str, Json], name: str, read: Callable[[Json], T]) -> T | None:
    if (value := fields.get(name)) is None:
        return None
    try:
        return read(value)
    except Unreadable as error:
        raise Unreadable(f"{name}: {error.message}") from None


def _known_id(fields: Mapping[str, Json]) -> str:
    """The id of what is refused, if that much can be read."""
    try:
        return _read(fields, "id", values.name) or ""
    except Unreadable:
        return ""
