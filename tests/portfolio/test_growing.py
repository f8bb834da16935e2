"""A map that grows: every version stays what it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.portfolio.growing import GrowingMap


@given(st.lists(st.tuples(st.integers(0, 30), st.integers())))
def test_it_is_a_dict_and_every_older_version_survives(entries: list[tuple[int, int]]) -> None:
    grown: GrowingMap[int, int] = GrowingMap()
    plain: dict[int, int] = {}
    versions = [(grown, dict(plain))]
    for key, value in entries:
        grown = grown.plus(key, value)
        plain[key] = value
        versions.append((grown, dict(plain)))
    for version, expected in versions:
        assert version == expected
        assert list(version) == list(expected)
        assert len(version) == len(expected)
        assert all(key in version and version[key] == expected[key] for key in expected)


def test_what_is_not_there_is_missed() -> None:
    grown = GrowingMap({"a": 1})
    assert "b" not in grown
    assert grown.get("b") is None
    with pytest.raises(KeyError):
        grown["b"]


def test_layers_stay_few() -> None:
    grown: GrowingMap[int, int] = GrowingMap()
    for number in range(10_000):
        grown = grown.plus(number, number)
    assert len(grown._layers) <= 14


def test_only_keeps_what_is_wanted() -> None:
    assert GrowingMap({"a": 1, "b": 2}).only(lambda value: value > 1) == {"b": 2}
    assert repr(GrowingMap({"a": 1})) == "GrowingMap({'a': 1})"


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), max_size=60),
    st.integers(0, 60),
    st.booleans(),
)
def test_what_is_new_since_an_older_version(
    entries: list[tuple[int, int]], cut: int, is_rebuilt: bool
) -> None:
    older: GrowingMap[int, int] = GrowingMap()
    for key, value in entries[:cut]:
        older = older.plus(key, value)
    newer = GrowingMap(dict(older)) if is_rebuilt else older
    for key, value in entries[cut:]:
        newer = newer.plus(key, value)
    changed = [key for key in newer if older.get(key) is not newer[key]]
    found = newer.since(older)
    assert found is not None
    assert sorted(found, key=repr) == sorted(
        ((older.get(key), newer[key]) for key in changed), key=repr
    )
    if any(key not in older for key in newer):
        assert older.since(newer) is None  # something of it is gone
