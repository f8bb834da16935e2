from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ibkr_trader.adapters.ibkr.translate_contracts import make_contract, sessions_of
from ibkr_trader.core.enums import SecType


def span(*sessions: object) -> list[str]:
    return [f"{s.opens:%d %H%M}-{s.closes:%d %H%M}" for s in sessions]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ("", []),
        ("20261126:CLOSED", []),
        ("20261120:0930-20261120:1600", ["20 1430-20 2100"]),
        ("20261120:0400-20261120:2000;20261121:CLOSED", ["20 0900-21 0100"]),
        ("20261120:0930-1200,1300-1600", ["20 1430-20 1700", "20 1800-20 2100"]),
        ("20261122:1700-20261123:1600", ["22 2200-23 2100"]),
        ("20261120:1700-1600", ["20 2200-21 2100"]),
        # Zones move: 9:30 in New York is 13:30 before the first Sunday of November.
        ("20261030:0930-20261030:1600", ["30 1330-30 2000"]),
    ],
)
def test_hours_become_moments(hours: str, expected: list[str]) -> None:
    assert span(*sessions_of(hours, "US/Eastern")) == expected


def test_a_session_ends_at_its_close() -> None:
    (session,) = sessions_of("20261127:0930-20261127:1300", "US/Eastern")
    assert session.closes == datetime(2026, 11, 27, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "zone"),
    [
        ("20261120:0930-20261120:1600", "Mars/Olympus"),
        ("20261120:0930-20261120:1600", ""),
        ("open", "US/Eastern"),
        ("20261399:0930-20261399:1600", "US/Eastern"),
    ],
)
def test_hours_that_make_no_sense_are_an_error(hours: str, zone: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - strptime words some of them
        sessions_of(hours, zone)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("STK", SecType.STOCK), ("OPT", SecType.OPTION), ("BOND", SecType.OTHER), ("", SecType.OTHER)],
)
def test_what_we_do_not_trade_is_still_counted(text: str, kind: SecType) -> None:
    contract = make_contract(
        con_id=1,
        symbol="X",
        sec_type=text,
        expiry="",
        strike=None,
        right="?",
        multiplier=None,
        exchange="",
        currency="USD",
        local_symbol="",
        trading_class="",
    )
    assert contract.sec_type is kind
    assert contract.strike is None
    assert (contract.right, contract.multiplier) == ("", Decimal(1))
