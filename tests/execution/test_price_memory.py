"""What the prices of a moment ago were, and when a halt was seen last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ibkr_trader.core.events import PriceEvent
from ibkr_trader.core.models import Contract, Quote
from ibkr_trader.execution.price_memory import PriceMemory

AT = datetime(2026, 11, 20, 15, tzinfo=UTC)
AAPL = Contract(symbol="AAPL", con_id=1)


def tell(
    memory: PriceMemory,
    mid: str | None,
    at: float = 0,
    *,
    con_id: int = 1,
    halted: bool = False,
    wall: datetime | None = None,
) -> None:
    """Tell a quote a cent wide around `mid`, or one without a bid."""
    middle = Decimal(mid) if mid is not None else Decimal(150)
    quote = Quote(
        contract=AAPL,
        at=AT,
        bid=middle - Decimal("0.005") if mid is not None else None,
        ask=middle + Decimal("0.005"),
        halted=halted,
    )
    contract = Contract(symbol=f"S{con_id}", con_id=con_id)
    when = wall or AT + timedelta(seconds=at)
    memory.hear(PriceEvent(at=when, contract=contract, quote=quote), at)


def played(*steps: tuple[float, str | None]) -> PriceMemory:
    memory = PriceMemory()
    for at, mid in steps:
        tell(memory, mid, at)
    return memory


@pytest.mark.parametrize(
    ("steps", "now", "jump"),
    [
        ([(0, "100")], 0, "0"),
        ([(0, "100"), (0, "120")], 0, "0.2"),
        ([(0, "100"), (0.5, "80")], 0.5, "0.2"),
        ([(0, "100"), (0.5, "120")], 1.4, "0.2"),
        ([(0, "100"), (0.9, "120")], 1.8, "0.2"),  # still within a second of it
        ([(0, "100"), (0.9, "120")], 2, None),  # it has stood for a second
        ([(0, "100"), (60, "120")], 60, "0.2"),  # quiet until now, then a leap
        ([(0, "100"), (60, "120")], 61, "0.2"),
        ([(0, "100"), (60, "120")], 62, None),
        ([(0, "100"), (0.5, "150"), (0.6, "100")], 0.7, "0"),  # and back
        ([(0, "100"), (0.9, "120"), (1.1, "120")], 1.2, "0.2"),  # a span begins in between
        ([(0, "100"), (0.9, "120"), (1.1, "120")], 3.1, None),
        ([(0, "100"), (1, "101"), (2, "102"), (3, "103")], 3, "0.01980198"),
        ([(0, "100"), (0.1, None), (0.2, "120")], 0.3, "0.2"),  # a side that was missing
    ],
)
def test_how_far_a_price_has_moved_in_about_a_second(
    steps: list[tuple[float, str | None]], now: float, jump: str | None
) -> None:
    found = played(*steps).jump(1, now)
    assert (found if found is None else round(found, 8)) == (
        None if jump is None else Decimal(jump)
    )


def test_nobody_knows_of_another_contract_or_of_before_a_gap() -> None:
    memory = played((0, "100"), (0.1, "120"))
    assert memory.jump(2, 0.2) is None
    memory.forget()
    tell(memory, "200", 0.3)
    assert memory.jump(1, 0.3) == 0


def test_a_halt_is_remembered_from_its_end_on_and_over_a_gap() -> None:
    memory = PriceMemory()
    tell(memory, "100")
    tell(memory, "100", 10, halted=True)
    assert memory.unhalted == {}
    memory.forget()
    tell(memory, "100", 70)
    assert memory.unhalted == {1: AT + timedelta(seconds=70)}
    tell(memory, "100", 80)
    assert memory.unhalted == {1: AT + timedelta(seconds=70)}
    tell(memory, "100", 90, halted=True)
    tell(memory, "100", 95)
    assert memory.unhalted == {1: AT + timedelta(seconds=95)}


def test_old_halts_are_let_go() -> None:
    memory = PriceMemory()
    for con_id, days in ((1, 0), (2, 0.5), (3, 1)):
        wall = AT + timedelta(days=days)
        tell(memory, "100", con_id=con_id, halted=True, wall=wall)
        tell(memory, "100", con_id=con_id, wall=wall)
    assert set(memory.unhalted) == {2, 3}
