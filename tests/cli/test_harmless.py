"""The quick way to harmless text comes to what the careful one does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.cli.harmless import LONGEST, harmless
from ibkr_trader.core.text import plain


@given(st.text())
def test_it_is_what_plain_makes(text: str) -> None:
    assert harmless(text) == plain(text, limit=LONGEST)


@pytest.mark.parametrize(
    "text",
    ["a  b", " a", "a ", "a\u00a0b", "a\tb", "\x1b[2J", "a\u202eb", "", "x" * 3_000, "ok – so"],
)
def test_nothing_odd_slips_through(text: str) -> None:
    assert harmless(text) == plain(text, limit=LONGEST)
