from __future__ import annotations

import copy
import pickle

import pytest

from ibkr_trader.rules.expression_kinds import (
    UNKNOWN,
    Function,
    Kind,
    Name,
    Unknown,
    Vocabulary,
)

NUMBER = Name(kind=Kind.NUMBER, doc="A number.")
FUNCTION = Function(parameters=("bars",), doc="An indicator.")


def test_there_is_one_unknown() -> None:
    assert Unknown("unknown") is UNKNOWN
    assert copy.deepcopy(UNKNOWN) is UNKNOWN
    assert pickle.loads(pickle.dumps(UNKNOWN)) is UNKNOWN  # noqa: S301  # our own, of this line
    assert repr(UNKNOWN) == "UNKNOWN"


def test_the_unknown_is_not_taken_for_a_truth() -> None:
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(UNKNOWN)
    with pytest.raises(TypeError, match="neither true nor false"):
        _ = not UNKNOWN
    known: list[object] = [True, False, None, 0, "unknown"]
    assert UNKNOWN not in known


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a.b.c",
        "a.",
        ".a",
        "a b",
        "1a",
        "ä",
        "a-b",
        "a.class",
        "and",
        "lambda",
        "a\n",
        "is.x",
    ],
)
def test_a_name_that_could_not_be_written_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        Vocabulary(names={name: NUMBER})
    with pytest.raises(ValueError, match="cannot be written"):
        Vocabulary(names={}, functions={name: FUNCTION})


def test_a_function_has_no_dot() -> None:
    with pytest.raises(ValueError, match=r"'a\.b' cannot be written"):
        Vocabulary(names={}, functions={"a.b": FUNCTION})


@pytest.mark.parametrize("name", ["min", "abs", "previous", "crosses_above", "true", "false"])
def test_a_name_that_means_something_already_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="means something else"):
        Vocabulary(names={name: NUMBER})
    with pytest.raises(ValueError, match="means something else"):
        Vocabulary(names={}, functions={name: FUNCTION})


def test_a_name_is_not_a_function_too() -> None:
    with pytest.raises(ValueError, match="'sma' means something else"):
        Vocabulary(names={"sma": NUMBER}, functions={"sma": FUNCTION})


def test_only_a_text_has_a_closed_set_of_values() -> None:
    with pytest.raises(ValueError, match="only a text"):
        Name(kind=Kind.NUMBER, doc="A number.", values=("1",))
    assert Name(kind=Kind.TEXT, doc="A text.", values=("A",)).values == ("A",)


def test_what_python_calls_a_soft_keyword_is_a_name_like_any() -> None:
    assert Vocabulary(names={"match": NUMBER, "_": NUMBER, "type.case": NUMBER}).names
