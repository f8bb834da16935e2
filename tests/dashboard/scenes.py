"""Scenes for the tests of the screen: so many orders and positions, at a fixed time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ibkr_trader.dashboard.model import Line, Model
from ibkr_trader.dashboard.scene import (
    Came,
    Decision,
    FeedKind,
    FeedLine,
    GaugeRow,
    Head,
    Light,
    OrderRow,
    PositionRow,
    Scene,
)

NOW = datetime(2026, 11, 23, 15, 1, 31, tzinfo=UTC)  # 10:01:31 EST, a Monday
_SYMBOLS = ("AAPL", "MSFT", "NVDA", "TSLA", "AMZN", "GOOG", "META", "BRK B", "SPY", "QQQ")
_KINDS = ("STOP", "LIMIT", "STOP_LIMIT", "TRAIL", "MARKET")
_STATUSES = ("SUBMITTED", "PRESUBMITTED", "PARTIALLY_FILLED", "PENDING", "PENDING_CANCEL")


def head(**changes: Any) -> Head:
    """Return the head of a simulated desk at which nothing is wrong."""
    known: dict[str, Any] = {
        "profile": "sim",
        "account": "SIM0000001",
        "state": "ACTIVE",
        "socket": Light.UP,
        "link": Light.UP,
        "data": Light.UP,
        "now": NOW,
        "is_open": True,
        "turns_at": NOW + timedelta(hours=5, minutes=58, seconds=29),
        "day_net": Decimal("123.45"),
        "day_limit": Decimal(1000),
        "net_liquidation": Decimal("100234.5"),
        "heat": Decimal(300),
        "heat_limit": Decimal(1000),
        "efficiency": Decimal("2.5"),
        "version": "0.1.0",
        "pid": 4711,
    }
    return Head(**(known | changes))


def order(number: int = 1, /, **changes: Any) -> OrderRow:
    """Return an order; each number makes another one."""
    kind = _KINDS[number % len(_KINDS)]
    symbol = _SYMBOLS[number % len(_SYMBOLS)]
    status = _STATUSES[number % len(_STATUSES)]
    price = Decimal(14000 + number * 7) / 100
    known: dict[str, Any] = {
        "order_id": f"k7qav-{number}-stop",
        "short": f"{number}-stop",
        "number": 100 + number,
        "con_id": 265598 + number % len(_SYMBOLS),
        "symbol": symbol,
        "ticker": symbol,
        "side": "SELL" if number % 3 else "BUY",
        "quantity": Decimal(10 * number),
        "filled": Decimal(5 if status == "PARTIALLY_FILLED" else 0),
        "kind": kind,
        "terms": _terms(kind, price),
        "tif": "GTC",
        "status": status,
        "group": str(number),
        "role": "stop",
        "rule": "person",
        "created_at": NOW - timedelta(seconds=37 * number),
        "is_pending": status == "PENDING_CANCEL",
    }
    return OrderRow(**(known | changes))


def _terms(kind: str, price: Decimal) -> str:
    match kind:
        case "STOP_LIMIT":
            return f"{price:.2f} / {price - 1:.2f}"
        case "TRAIL":
            return "trail 2%"
        case "MARKET":
            return "–"
        case _:
            return f"{price:.2f}"


def position(number: int = 1, /, **changes: Any) -> PositionRow:
    """Return a position; each number makes another one, the third is naked."""
    symbol = _SYMBOLS[number % len(_SYMBOLS)]
    size = Decimal(10 * number * (-1 if number % 4 == 0 else 1))
    average = Decimal(15000 + number * 11) / 100
    is_naked = number % 3 == 0
    known: dict[str, Any] = {
        "con_id": 265598 + number,
        "symbol": symbol,
        "ticker": symbol,
        "quantity": size,
        "average": average,
        "last": average + Decimal("1.5"),
        "pnl": size * Decimal("1.5"),
        "stop": None if is_naked else average - 5,
        "target": average + 5,
        "distance_fraction": None if is_naked else Decimal("0.043"),
        "r": Decimal("0.3"),
        "covered": Decimal(0) if is_naked else abs(size),
        "coverage": Decimal(0) if is_naked else Decimal(1),
        "naked_since": NOW - timedelta(seconds=12) if is_naked else None,
    }
    return PositionRow(**(known | changes))


def feed(count: int) -> tuple[FeedLine, ...]:
    """Return so many lines, one a second, of all kinds."""
    kinds = tuple(FeedKind)
    return tuple(
        FeedLine(
            number=number,
            at=NOW - timedelta(seconds=count - number),
            kind=kinds[number % len(kinds)],
            text=f"{number}-stop SELL 10 {_SYMBOLS[number % len(_SYMBOLS)]} at 145.00",
        )
        for number in range(1, count + 1)
    )


def decisions(count: int) -> tuple[Decision, ...]:
    """Return what rules led to: every third time to nothing."""
    return tuple(
        Decision(
            at=NOW - timedelta(minutes=count - number),
            source="guard" if number % 3 == 0 else "tighten",
            text=f"stop of {_SYMBOLS[number % len(_SYMBOLS)]} to 147.50: 1.0 R is reached",
            came=Came.REFUSED if number % 3 == 0 else Came.ACTED,
        )
        for number in range(1, count + 1)
    )


GAUGES = (
    GaugeRow(name="day loss", used="0.00", limit="1,000.00", share=Decimal(0)),
    GaugeRow(name="heat", used="300.00", limit="1,000.00", share=Decimal("0.3")),
    GaugeRow(name="orders a day", used="41", limit="50", share=Decimal("0.82")),
    GaugeRow(name="position AAPL", used="50", limit="50", share=Decimal(1)),
    GaugeRow(
        name="exposure",
        used="52,000.00",
        limit="50,000.00",
        share=Decimal("1.04"),
        note="was lowered",
    ),
    GaugeRow(name="position MSFT", used="–", limit="100", note="the price is not known"),
)
WARNINGS = ("AAPL and MSFT move together (0.91): together 4,200.00 of 5,000.00",)
EQUITY = tuple(Decimal(100_000 + (step * 37) % 91 + step * 3) for step in range(60))


def scene(count: int = 5, held: int = 3, **changes: Any) -> Scene:
    """Return a scene with `count` orders and `held` positions."""
    rows = [order(number) for number in range(1, count + 1)]
    known: dict[str, Any] = {
        "head": head(),
        "positions": tuple(position(number) for number in range(1, held + 1)),
        "orders": {row.order_id: row for row in rows},
        "gauges": GAUGES,
        "warnings": WARNINGS,
        "decisions": decisions(6),
        "feed": feed(20),
        "equity": EQUITY,
    }
    return Scene(**(known | changes))


def model(shown: Scene | None = None, **changes: Any) -> Model:
    """Return a model that shows `shown`, with its line up."""
    known: dict[str, Any] = {"scene": shown, "line": Line(is_up=True, words=""), "operator": "ann"}
    return Model(**(known | changes))
