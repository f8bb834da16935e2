from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.adapters.json_places import (
    MAX_DEPTH,
    Document,
    JsonFault,
    Node,
    Number,
    Object,
)


def plain(node: Node) -> Any:
    """A node as the standard library would have it, its numbers as text."""
    value = node.value
    if isinstance(value, Object):
        return {member.name: plain(member.node) for member in value.members}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value


def standard(text: str) -> Any:
    return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=_refuse)


def _refuse(word: str) -> None:
    raise ValueError(word)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values, st.sampled_from([None, 0, 2]), st.booleans())
def test_json_is_read_as_the_standard_library_reads_it(
    value: Any, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert plain(Document(text).root) == standard(text)


@given(st.text(alphabet="{}[]\",:.-+eE0123truefalsn \n\\u'/\t", max_size=24))
def test_what_the_standard_library_refuses_is_refused(text: str) -> None:
    try:
        expected = standard(text)
    except ValueError:
        with pytest.raises(JsonFault):
            Document(text)
        return
    assert plain(Document(text).root) == expected


@given(values, st.data())
def test_what_is_cut_off_is_no_json(value: Any, data: st.DataObject) -> None:
    text = json.dumps({"a": value}, indent=2)
    cut = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(JsonFault):
        Document(text[:cut])


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", 1, 1, "the file ends too early"),
        ('{\n  "a": 1,\n}', 2, 9, "a comma with nothing behind it before }"),
        ('{"a": [1, ]}', 1, 9, "a comma with nothing behind it before ]"),
        ('{\n  "a": nan}', 2, 8, "nan is no value"),
        ('{"a": Infinite}', 1, 7, "Infinite is no value"),
        ("{'a': 1}", 1, 2, "a key in double quotes is missing"),
        ("{\"a\": 'b'}", 1, 7, "text stands in double quotes"),
        ('{"a" 1}', 1, 6, 'a colon is missing behind "a"'),
        ('{"a": 1 "b": 2}', 1, 9, "a comma or } is missing"),
        ('{"a": 01}', 1, 8, "a comma or } is missing"),
        ('{"a": }', 1, 7, "a value is missing here"),
        ('{"a": 1} x', 1, 10, "something stands behind the end"),
        ('{"a": 1}{', 1, 9, "something stands behind the end"),
        ("// why\n{}", 1, 1, "a value is missing here"),
        ('{"a\n": 1}', 1, 2, 'the closing " is missing on this line'),
        ('{"a": "\t"}', 1, 8, "must not stand in a text"),
        ('{"a": "\\x"}', 1, 8, "must not stand in a text"),
        ("[" * 50, 1, MAX_DEPTH + 2, f"nested more than {MAX_DEPTH} deep"),
        ('{"a": "b', 1, 9, "the file ends too early"),
    ],
)
def test_a_mistake_is_named_by_its_place(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(JsonFault) as found:
        Document(text)
    assert (found.value.place, words in found.value.message) == ((line, column), True)


def test_what_is_no_number_is_left_to_whoever_knows_its_key() -> None:
    document = Document('[NaN, Infinity, -Infinity, "NaN"]')
    assert isinstance(document.root.value, list)
    values = [node.value for node in document.root.value]
    assert values == ["NaN", "Infinity", "-Infinity", "NaN"]
    assert [isinstance(one, Number) for one in values] == [True, True, True, False]


def test_everything_has_its_place_and_both_of_a_pair() -> None:
    document = Document('{\n  "a": 1.50,\n  "a": {"b": "c"}\n}\n')
    assert isinstance(document.root.value, Object)
    first, second = document.root.value.members
    assert (document.place(first.key), document.place(first.node)) == ((2, 3), (2, 8))
    assert (document.place(second.key), document.raw(second.node)) == ((3, 3), '{"b": "c"}')
    assert isinstance(first.node.value, Number)
    assert document.raw(first.node) == "1.50"
