"""Lines come out whole however they came in, and no long one is kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.adapters.signals.json_reading import MAX_BYTES
from ibkr_trader.adapters.signals.line_splitter import LineSplitter


@given(st.lists(st.text(alphabet="ab\n", max_size=6).map(str.encode)))
def test_pieces_make_the_lines_of_the_whole(pieces: list[bytes]) -> None:
    splitter = LineSplitter()
    found = [line for piece in pieces for line in splitter.feed(piece)]
    assert [*found, splitter.rest()] == b"".join(pieces).split(b"\n")


def test_of_a_long_line_no_more_is_kept_than_shows_it_to_be_long() -> None:
    splitter = LineSplitter(4)
    assert list(splitter.feed(b"1234\n12345\n123456\n12")) == [b"1234", b"12345", b"12345"]
    assert list(splitter.feed(b"3")) == []
    for _ in range(1_000):
        assert list(splitter.feed(b"4" * 1_000)) == []
    assert len(splitter._begun) == 5
    assert list(splitter.feed(b"\nab\n")) == [b"12344", b"ab"]
    assert splitter.rest() == b""
    assert LineSplitter()._kept == MAX_BYTES + 1
