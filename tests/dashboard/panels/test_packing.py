from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.dashboard.panels.packing import Piece, packed
from ibkr_trader.dashboard.spans import Line, Span, say, width
from tests.dashboard.garbled import texts


def text_of(line: Line) -> str:
    return "".join(text for text, _ in line)


def piece(text: str, rank: int = 0, short: str = "", **changes: bool) -> Piece:
    return Piece((Span(text),), rank, (Span(short),) if short else (), **changes)


PIECES = st.lists(
    st.builds(
        lambda text, rank, short, right, cut: Piece(
            (say(text),), rank, (say(short[:2]),), is_right=right, may_be_cut=cut
        ),
        texts(),
        st.integers(0, 4),
        texts(),
        st.booleans(),
        st.booleans(),
    ),
    max_size=6,
)


@given(PIECES, st.integers(1, 80))
def test_a_line_is_exactly_as_wide_as_its_room(pieces: list[Piece], room: int) -> None:
    assert width(packed(pieces, room)) == room


def test_what_is_right_stands_at_the_end() -> None:
    assert (
        text_of(packed([piece("a"), piece("b"), piece("c", is_right=True)], 12)) == " a  b      c"
    )


def test_the_least_important_is_shortened_first_and_then_left_out() -> None:
    pieces = [piece("first"), piece("second", 1, "2nd"), piece("third", 2, "3rd")]
    assert text_of(packed(pieces, 22)) == " first  second  third "
    assert text_of(packed(pieces, 20)) == " first  second  3rd "
    assert text_of(packed(pieces, 17)) == " first  2nd  3rd "
    assert text_of(packed(pieces, 12)) == " first  2nd "
    assert text_of(packed(pieces, 7)) == " first "


def test_text_that_may_be_cut_takes_what_is_left() -> None:
    pieces = [piece("state"), piece("x" * 50, may_be_cut=True), piece("clock", 1, is_right=True)]
    assert text_of(packed(pieces, 50)) == " state  " + "x" * 34 + "…  clock"
    assert text_of(packed(pieces, 70)) == " state  " + "x" * 50 + "       clock"


def test_two_that_may_be_cut_share_the_line() -> None:
    pieces = [piece("x" * 50, may_be_cut=True), piece("y" * 50, may_be_cut=True)]
    line = text_of(packed(pieces, 71))
    assert line.count("x") == 43
    assert line.count("y") == 23


def test_what_matters_most_is_never_left_out() -> None:
    assert text_of(packed([piece("aaaa"), piece("bbbb")], 8)) == " aaaa  b"
