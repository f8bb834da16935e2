from __future__ import annotations

from decimal import Decimal

from ibkr_trader.core.enums import Side
from ibkr_trader.core.events import BaseEvent
from ibkr_trader.core.models import Contract
from ibkr_trader.portfolio.performance import performance
from tests.orders.samples import AAPL, values
from tests.portfolio.way import charged, found, new, traded

SAP = Contract(symbol="SAP", con_id=77, currency="EUR")


def trip(number: int, sold: str, contract: Contract = AAPL) -> tuple[BaseEvent, ...]:
    """Return ten bought at 100 and sold, for 1."""
    into = new(f"memo-{number}-entry", contract=contract)
    out = new(f"memo-{number}-close", contract=contract, side=Side.SELL)
    keys = f"a{number}", f"b{number}"
    return (
        *(into, out, traded(into, 10, "100", key=keys[0], at=number)),
        *(traded(out, 10, sold, key=keys[1], at=number + 0.5), charged(keys[1], at=number + 0.6)),
    )


def test_trips_add_up_in_the_order_of_their_ends() -> None:
    known = found(*trip(3, "106.10"), *trip(1, "101.10"), *trip(2, "98.10"), *trip(4, "100.10"))
    (one,) = performance(known.trips)
    assert one.currency == "USD"
    assert values(*one.curve) == (10, -10, 50, 50)
    assert values(one.net, one.commission, one.win_rate) == (50, 4, Decimal("0.5"))
    record = one.record
    assert values(record.wins, record.losses) == (2, 2)
    assert values(record.average_win, record.average_loss) == (35, 10)


def test_each_currency_is_for_itself() -> None:
    known = found(*trip(1, "101.10"), *trip(2, "103.10", SAP))
    assert [(one.currency, int(one.net)) for one in performance(known.trips)] == [
        ("EUR", 31),  # its commission was in dollars, and is not known in euros
        ("USD", 10),
    ]


def test_of_no_trips_there_is_nothing_to_say() -> None:
    assert performance(()) == ()
