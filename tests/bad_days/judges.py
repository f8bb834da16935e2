"""The judges: each reads the exchange's ledger or the wire log, and complains in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills import judges
from ibkr_trader.drills.judges import ZERO, exits_and_room, most_exits, sent_twice, stopped

if TYPE_CHECKING:
    from tests.bad_days.stage import Day

__all__ = ["ZERO", "most_exits"]


def orphans(day: Day, con_id: int) -> str:
    """Complain about exits that could trade more than is held and is still being bought (S7)."""
    worst, room = exits_and_room(day.ledger, con_id)
    held = day.ledger.held(con_id)
    return f"exits of {worst} against {held} held, {room} at most" if worst > room else ""


def nakedness(day: Day, con_id: int) -> str:
    """Complain unless a stop covers exactly what is held (S8)."""
    held, covered = day.ledger.held(con_id), stopped(day.ledger, con_id)
    return f"stops of {covered} for {held} held" if covered != abs(held) else ""


def disagreement(day: Day) -> str:
    """Complain if the desk's books are not the exchange's (S16)."""
    return judges.disagreement(day.ledger, day.trader.portfolio)


def repeats(day: Day) -> str:
    """Complain about an order that was sent twice under two numbers, or after its cancel (S1)."""
    twice = sent_twice(day.wire)
    return f"sent twice: {twice}" if twice else ""


def strangers_touched(day: Day) -> str:
    """Complain about a cancel or a change of an order that is not ours (S22), or of all (C12)."""
    return judges.strangers_touched(day.wire, day.trader.journal.state.install, 1)


def assert_over(day: Day) -> None:
    """Judge that nothing is held and nothing can trade any more."""
    assert day.ledger.positions() == {}
    assert day.ledger.live() == ()


def assert_sound(day: Day, con_id: int, *, is_protected: bool = True) -> None:
    """Judge a desk at rest: no orphan, nothing naked, books that agree, nothing sent twice."""
    complaints = [orphans(day, con_id), disagreement(day), repeats(day), strangers_touched(day)]
    if is_protected:
        complaints.append(nakedness(day, con_id))
    found = [complaint for complaint in complaints if complaint]
    assert not found, "; ".join(found)
