"""One meaning or none: whatever two readers could understand differently is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkr_trader.adapters.json_places import Number
from ibkr_trader.adapters.signals.json_reading import (
    EXCERPT,
    MAX_BYTES,
    Unreadable,
    excerpt,
    read_object,
    shown,
)


def test_numbers_stay_as_they_were_written() -> None:
    found = read_object(b'{"a": 0.10, "b": [1, "1", null, true], "c": {"d": 1e-05}}')
    assert found == {"a": "0.10", "b": ["1", "1", None, True], "c": {"d": "1e-05"}}
    assert isinstance(found["a"], Number)
    assert isinstance(found["b"], list)
    assert [isinstance(one, Number) for one in found["b"]] == [True, False, False, False]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it is no JSON at 1:1: "),
        (b"\xef\xbb\xbf{}", "it is no JSON at 1:1: "),
        (b'{"a": "\xff"}', "it is not UTF-8 text at byte 7"),
        (b'{"a": "\xed\xa0\x80"}', "it is not UTF-8 text at byte 7"),  # a surrogate, encoded
        (b'{"a": 1', "it is no JSON at 1:8: "),
        (b'{"a": 1} {"a": 1}', "it is no JSON at 1:10: "),
        (b'{"a": 1,}', "it is no JSON at 1:8: "),
        (b"{'a': 1}", "it is no JSON at 1:2: "),
        (b'{"a": 1} // end', "it is no JSON at 1:10: "),
        (b'{"a": 01}', "it is no JSON at 1:8: "),
        (b'{"a": +1}', "it is no JSON at 1:7: "),
        (b'{"a": .5}', "it is no JSON at 1:7: "),
        ('{"a": ٣}'.encode(), "it is no JSON at 1:7: "),
        (b'{"a": "\n"}', "it is no JSON at 1:7: "),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": {"b": [Infinity]}}', "Infinity is no number"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
        (b'{"a": 1, "a": 1}', "a stands in it twice"),
        (b'{"a": 1, "\\u0061": 1}', "a stands in it twice"),
        (b'{"a": {"b": 1, "b": 2}}', "b stands in it twice"),
        (b'{"a": "\\ud800"}', "half a pair of surrogates is no text"),
        (b'{"\\udfff": 1}', "half a pair of surrogates is no text"),
        (b"[1]", "it is no JSON object"),
        (b'"a"', "it is no JSON object"),
        (b"null", "it is no JSON object"),
        (b'{"a": ' + b"[" * 1000 + b"]" * 1000 + b"}", "it is no JSON at 1:"),
        (b'{"a": [[[[1]]]]}', "it is nested too deep"),
        (b'{"a": {"b": {"c": {"d": {}}}}}', "it is nested too deep"),
    ],
)
def test_what_has_two_meanings_or_none_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_object(data)
    assert caught.value.message.startswith(message)
    assert caught.value.message.isprintable()


def test_so_deep_and_no_deeper() -> None:
    assert read_object(b'{"a": [[[1]]]}') == {"a": [[["1"]]]}
    assert read_object(b'{"a": 1}', depth=1) == {"a": "1"}
    with pytest.raises(Unreadable, match="nested too deep"):
        read_object(b'{"a": []}', depth=1)


def test_so_long_and_no_longer() -> None:
    fits = b'{"a": "' + b"x" * (MAX_BYTES - 9) + b'"}'
    assert len(fits) == MAX_BYTES
    assert read_object(fits)
    with pytest.raises(Unreadable, match="more than 16384 bytes"):
        read_object(fits + b" ")
    with pytest.raises(Unreadable, match="more than 8 bytes"):
        read_object(b'{"a":  1}', most_bytes=8)


def test_a_whole_pair_of_surrogates_is_one_character() -> None:
    assert read_object(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_an_excerpt_is_short_and_harmless() -> None:
    assert excerpt(b'{"a":\n\x1b[31m \xff}') == '{"a": [31m �}'
    long = excerpt("é".encode() * 100_000)
    assert len(long) == EXCERPT
    assert long.endswith("é…")
    assert shown("a" * 50 + "\x1b") == "a" * 39 + "…"


values = st.recursive(
    st.none() | st.booleans() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(max_size=4), values), st.booleans())
def test_what_is_written_strictly_is_read_as_it_is(value: dict[str, Any], ascii_only: bool) -> None:
    assert read_object(json.dumps(value, ensure_ascii=ascii_only).encode(), depth=16) == value


def lenient(data: bytes) -> Any:
    try:
        return json.loads(data, parse_int=str, parse_float=str)
    except ValueError:
        return None


@given(st.text(alphabet='{}[]":,\\ud80a1.e-N ', max_size=20))
def test_whatever_is_read_is_what_everybody_reads(inner: str) -> None:
    data = f'{{"a":{inner}}}'.encode()
    try:
        found = read_object(data)
    except Unreadable:
        return
    assert found == lenient(data)
