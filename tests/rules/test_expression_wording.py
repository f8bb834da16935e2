from __future__ import annotations

import pytest

from ibkr_trader.rules.expression_wording import ExpressionError, nearest, quoted, suggestion


def test_an_error_names_the_column_and_what_is_allowed() -> None:
    error = ExpressionError("'x' is no name", 7, "did you mean y?")
    assert (error.message, error.column, error.hint) == ("'x' is no name", 7, "did you mean y?")
    assert str(error) == "column 7: 'x' is no name; did you mean y?"
    assert str(ExpressionError("no", 1)) == "column 1: no"
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("abc", "'abc'"),
        ("it's", '"it\'s"'),
        ("a\nb", "'a<U+000A>b'"),
        ("\u202e", "'<U+202E>'"),
        ("\ud800", "'<U+D800>'"),
        ("\x7f~ ", "'<U+007F>~ '"),
        ("a" * 40, f"'{'a' * 40}'"),
        ("a" * 41, f"'{'a' * 39}…'"),
        ("…", "'<U+2026>'"),
    ],
)
def test_foreign_text_is_shown_short_and_harmless(text: str, shown: str) -> None:
    assert quoted(text) == shown


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("BYU", ["BUY", "SELL"], "BUY"),
        ("buy", ["BUY", "SELL"], "BUY"),
        ("signal.confidnce", ["signal.action", "signal.confidence"], "signal.confidence"),
        ("zzz", ["BUY", "SELL"], ""),
        ("a", [], ""),
    ],
)
def test_the_nearest_word_is_found(word: str, known: list[str], meant: str) -> None:
    assert nearest(word, known) == meant


def test_without_a_near_word_the_known_ones_are_told() -> None:
    assert suggestion("BYU", ["BUY", "SELL"], write="'{}'") == "did you mean 'BUY'?"
    assert suggestion("zzz", ["b", "a"], write="{}(…)") == "known: a(…), b(…)"
    assert suggestion("zzz", [f"n{i:02}" for i in range(12)]).endswith("n10, n11")
    assert suggestion("zzz", [f"n{i:02}" for i in range(13)]).endswith("n11, …")
    assert suggestion("zzz", []) == ""
