"""An envelope is read in one way, and signed over bytes that another program can make."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.adapters.json_places import Number
from ibkr_trader.adapters.signals.envelope import canonical, read_envelope, sign, signed
from ibkr_trader.adapters.signals.json_reading import Json
from ibkr_trader.core.enums import SignalAction
from ibkr_trader.core.signals import Claim, Malformed

KEY, OLD = b"a key that both sides know", b"the key before this one"
KEYS = {"k2": KEY, "k1": OLD}
FIELDS: dict[str, Any] = {
    "v": 1,
    "id": "7f3a",
    "ts": "2026-11-23T14:30:00Z",
    "symbol": "AAPL",
    "action": "BUY",
    "confidence": Decimal("0.82"),
}
SIGNED = {**FIELDS, "source": "redis"}
PLAIN = (
    b'{"v": 1, "id": "7f3a", "ts": "2026-11-23T14:30:00Z", "symbol": "AAPL", "action": "BUY",'
    b' "confidence": 0.82}'
)
CLAIM = Claim(
    source="redis",
    signal_id="7f3a",
    ticker="AAPL",
    action=SignalAction.BUY,
    confidence=Decimal("0.82"),
    issued_at=datetime(2026, 11, 23, 14, 30, tzinfo=UTC),
)


def read(data: bytes, keys: dict[str, bytes] | None = None) -> Claim | Malformed:
    return read_envelope(data, source="redis", keys=KEYS if keys is None else keys)


def changed(**fields: Any) -> bytes:
    """The plain envelope with other fields; None leaves one out."""
    both = {**json.loads(PLAIN), **fields}
    return json.dumps({name: one for name, one in both.items() if one is not None}).encode()


def refused(data: bytes, keys: dict[str, bytes] | None = None) -> Malformed:
    found = read(data, keys)
    assert isinstance(found, Malformed)
    assert found.source == "redis"
    assert found.message.isprintable()
    assert len(found.excerpt) <= 200
    return found


def claimed(data: bytes) -> Claim:
    found = read(data)
    assert isinstance(found, Claim), found
    return found


def test_the_least_that_is_a_signal() -> None:
    assert read(PLAIN) == CLAIM


def test_all_that_a_signal_may_say() -> None:
    data = changed(
        source="redis", nonce="x1", seq=7, symbol=None, ticker="brk.b", action=None,
        signal="sHort", price=187.5, confidence="1", ts=1763908200, id=12,
    )  # fmt: skip
    assert read(data) == Claim(
        source="redis",
        signal_id="12",
        ticker="BRK B",
        action=SignalAction.SHORT,
        confidence=Decimal(1),
        price=Decimal("187.5"),
        issued_at=datetime(2025, 11, 23, 14, 30, tzinfo=UTC),
        sequence=7,
    )


def test_null_is_as_good_as_nothing() -> None:
    null = PLAIN[:-1] + b', "price": null, "seq": null, "sig": null, "ticker": null}'
    assert read(null) == CLAIM


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"garbage", "it is no JSON at 1:1"),
        (b"[]", "it is no JSON object"),
        (PLAIN + b" " * 20_000, "it has more than 16384 bytes"),
        (changed(quantity=100), "quantity: there is no such key"),
        (changed(account="SIM0000001"), "account: there is no such key"),
        (PLAIN[:-1] + b', "\\u001b[2J": 1}', "[2J: there is no such key"),
        (changed(price={"a": 1}), "it is nested too deep"),
        (changed(v=None), "v: only version 1"),
        (changed(v=2), "v: only version 1"),
        (changed(v="1"), "v: only version 1"),
        (changed(v=True), "v: only version 1"),
        (changed(v=1.0), "v: only version 1"),
        (changed(id=None), "id: missing"),
        (changed(id=""), 'id: "" is no id'),
        (changed(id="a b"), 'id: "a b" is no id'),
        (changed(id="x" * 129), "id: "),
        (changed(id=True), "id: true is no id"),
        (changed(id=1.5), "id: 1.5 is no whole number"),
        (changed(source="api"), "source: it is meant for api, and this is redis"),
        (changed(nonce=""), 'nonce: "" is no id'),
        (changed(seq=-1), "seq: -1 is no whole number"),
        (changed(seq=True), "seq: true is no whole number"),
        (changed(ts=None), "ts: missing"),
        (changed(ts="2026-11-23T14:30:00"), "ts: "),
        (changed(ts="yesterday"), 'ts: "yesterday" is no time'),
        (changed(symbol=None), "symbol or ticker: missing"),
        (changed(ticker="AAPL"), "symbol or ticker: it stands there twice"),
        (changed(symbol="../etc"), 'symbol: "../etc" is no ticker'),
        (changed(signal="BUY"), "action or signal: it stands there twice"),
        (changed(action="HOLD"), 'action: "HOLD" is none of BUY, SELL, SHORT'),
        (changed(confidence=None), "confidence: missing"),
        (changed(confidence=1.01), "confidence: 1.01 is not from 0 to 1"),
        (changed(confidence=True), "confidence: true is no number"),
        (PLAIN.replace(b"0.82", b"NaN"), "NaN is no number"),
        (changed(price=0), "price: 0 is not above 0"),
        (changed(price="1e9"), 'price: "1e9" is no number'),
    ],
)
def test_what_is_no_envelope_says_why(data: bytes, message: str) -> None:
    found = refused(data)
    assert found.message.startswith(message)
    assert found.code == "malformed"


def test_what_is_refused_is_named_and_shown_where_that_can_be() -> None:
    assert refused(changed(confidence=2)).signal_id == "7f3a"
    assert refused(changed(confidence=2)).excerpt.startswith('{"v": 1, "id": "7f3a"')
    assert refused(changed(id=[])).signal_id == ""
    assert refused(changed(id="a b")).signal_id == ""
    assert refused(b'{"id": "\x1b[31m', {}).excerpt == '{"id": "[31m'


# -- signatures -------------------------------------------------------------------------------


def test_what_we_sign_we_know_again() -> None:
    now = datetime(2026, 11, 23, 9, 30, tzinfo=timezone(timedelta(hours=-5)))
    found = claimed(signed({**SIGNED, "ts": now, "price": None}, key_id="k2", key=KEY))
    assert found == Claim(**{**{f: getattr(CLAIM, f) for f in CLAIM.__struct_fields__},
                             "is_signed": True})  # fmt: skip


def test_the_key_before_is_good_too_and_so_is_none_named() -> None:
    assert claimed(signed(SIGNED, key_id="k1", key=OLD)).is_signed
    fields = {**json.loads(PLAIN), "confidence": 0.82, "source": "redis"}
    fields["sig"] = hmac.new(OLD, by_the_book(fields), hashlib.sha256).hexdigest()
    assert claimed(json.dumps(fields).encode()).is_signed


def by_the_book(fields: dict[str, Any]) -> bytes:
    """The canonical bytes as the top of the file has them made."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_another_program_signs_by_the_book() -> None:
    text = '\u2028\u0000\u001f/é"\\\n\U0001f600\x7f'
    theirs = {"z": text, "a": 1, "b": 0.5, "c": None, "d": True}
    ours: dict[str, Json] = {
        "sig": "x", "d": True, "c": None, "b": Number("0.5"), "a": Number("1"), "z": text,
    }  # fmt: skip
    assert canonical(ours) == by_the_book(theirs)
    assert sign(ours, KEY) == hmac.new(KEY, by_the_book(theirs), hashlib.sha256).hexdigest()


def test_a_known_signature() -> None:
    """Made with openssl, and fixed for good: other bytes would lock every producer out."""
    assert signed(FIELDS, key_id="k2", key=KEY) == (
        b'{"action":"BUY","confidence":0.82,"id":"7f3a","key_id":"k2","sig":'
        b'"d95fa7dfe5658fba7bb77b0ea86795dd056f9c21e31ee673345ddb61bf2fd527",'
        b'"symbol":"AAPL","ts":"2026-11-23T14:30:00Z","v":1}'
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, "9" if name == "id" else "AMD") for name in ("id", "symbol")]
    + [("ts", "2026-11-23T14:30:01Z"), ("action", "SELL"), ("confidence", 0.83)]
    + [("confidence", "0.82"), ("key_id", "k1"), ("price", 1), ("seq", 1), ("nonce", "x")],
)
def test_whatever_is_changed_afterwards_is_forged(name: str, value: Any) -> None:
    fields = json.loads(signed(SIGNED, key_id="k2", key=KEY))
    found = refused(json.dumps({**fields, name: value}).encode())
    assert (found.code, found.message) == ("forged", "sig: the signature is not good")


def test_a_number_counts_as_it_is_written() -> None:
    data = signed(SIGNED, key_id="k2", key=KEY)
    assert refused(data.replace(b"0.82", b"0.820")).code == "forged"
    assert claimed(data.replace(b",", b" ,\n")).is_signed  # blanks do not


@pytest.mark.parametrize(
    ("data", "keys", "message"),
    [
        (signed(SIGNED, key_id="k2", key=OLD), KEYS, "sig: the signature is not good"),
        (signed(SIGNED, key_id="k3", key=KEY), KEYS, "key_id: no such key is known here"),
        (signed(SIGNED, key_id="k2", key=KEY), {}, "key_id: no such key is known here"),
        (signed(SIGNED, key_id="k2", key=KEY), {"k2": b""}, "sig: the signature is not good"),
        (changed(sig="0" * 64), KEYS, "sig: the signature is not good"),
        (changed(sig="0" * 64), {}, "key_id: no such key is known here"),
        (changed(sig="0" * 63), KEYS, "sig: it is no signature"),
        (changed(sig=""), KEYS, "sig: it is no signature"),
        (changed(sig="é" * 64), KEYS, "sig: it is no signature"),
        (changed(sig="0" * 64 + "\n"), KEYS, "sig: it is no signature"),
        (changed(sig=0), KEYS, "sig: it is no signature"),
        (changed(sig=False), KEYS, "sig: it is no signature"),
        (changed(key_id="k2"), KEYS, "key_id: it names a key, and carries no signature"),
        (changed(key_id=True, sig="0" * 64), KEYS, "key_id: no such key is known here"),
    ],
)
def test_a_forgery_is_called_one(data: bytes, keys: dict[str, bytes], message: str) -> None:
    found = refused(data, keys)
    assert found.message.startswith(message)
    assert (found.code, found.signal_id) == ("forged", "7f3a")


def test_a_signature_does_not_make_sense_of_nonsense() -> None:
    data = signed({**SIGNED, "confidence": 2}, key_id="k2", key=KEY)
    assert refused(data).code == "malformed"


def test_one_signature_is_good_at_one_source() -> None:
    data = signed(SIGNED, key_id="k2", key=KEY)
    assert claimed(data).is_signed
    found = read_envelope(data, source="webhook", keys=KEYS)
    assert isinstance(found, Malformed)


def test_a_signature_that_names_no_source_is_good_at_none() -> None:
    """Two sources that share a key would each take it: nobody knows another's ids."""
    found = refused(signed(FIELDS, key_id="k2", key=KEY))
    assert (found.code, found.signal_id) == ("forged", "7f3a")
    assert "must say what it is meant for, here redis" in found.message


@pytest.mark.parametrize(
    "value",
    [0.82, True, Decimal("NaN"), datetime(2026, 1, 1), b"x", [], {}],  # noqa: DTZ001 - the point
)
def test_what_would_be_rounded_or_guessed_is_not_signed(value: object) -> None:
    with pytest.raises(TypeError, match="no place in an envelope"):
        signed({**SIGNED, "price": value}, key_id="k2", key=KEY)


@given(st.binary(max_size=120) | st.text(max_size=60).map(str.encode))
def test_garbage_is_malformed_and_nothing_else_happens(data: bytes) -> None:
    refused(data)


@given(st.data())
def test_a_broken_byte_is_never_a_signal(data: st.DataObject) -> None:
    good = bytearray(signed(SIGNED, key_id="k2", key=KEY))
    at = data.draw(st.integers(0, len(good) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda one: one != good[at]))
    good[at] = byte
    refused(bytes(good))
