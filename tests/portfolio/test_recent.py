from __future__ import annotations

from ibkr_trader.portfolio.recent import Recent


def test_the_newest_are_there_and_the_oldest_are_forgotten() -> None:
    known: Recent[int, str] = Recent(most=3)
    empty = known
    for number in range(8):
        known = known.plus(number, str(number))
        assert [known.get(one) for one in range(max(0, number - 2), number + 1)] == [
            str(one) for one in range(max(0, number - 2), number + 1)
        ]
        assert len(known.newer) + len(known.older) < 2 * known.most
    assert known.get(0) is None
    assert empty.get(0) is None


def test_what_is_entered_again_is_what_is_found() -> None:
    known: Recent[str, int] = Recent(most=2)
    for number in range(5):
        known = known.plus("a", number)
        assert known.get("a") == number
    known = known.plus("b", 1).plus("a", 9)
    assert (known.get("a"), known.get("b")) == (9, 1)
