"""Only what changed is ticked; a first picture has everything."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.sim.gateway.quote_ticks import (
    borrowing_ticks,
    by_tick,
    depth_lines,
    quote_ticks,
)
from ibkr_trader.sim.gateway.tick_replies import (
    Depth,
    DepthL2,
    TickBidAsk,
    TickGeneric,
    TickLast,
    TickMid,
    TickPrice,
    TickSize,
    TickString,
)
from ibkr_trader.sim.instruments import Tape

D = Decimal
TAPE = Tape(
    con_id=1,
    at=datetime(2026, 11, 20, 15, tzinfo=UTC),
    bid=D("149.99"),
    ask=D("150.01"),
    bid_size=D(400),
    ask_size=D(500),
    last=D("150.00"),
    last_size=D(100),
    open=D("149"),
    high=D("151"),
    low=D("148"),
    close=D("147"),
    volume=D(9000),
)


def but(**changes: object) -> Tape:
    return msgspec.structs.replace(TAPE, **changes)


def ticks(tape: Tape, last: Tape | None, *, delayed: bool = False) -> list[msgspec.Struct]:
    return quote_ticks(1, tape, last, delayed=delayed, generic="")


def test_the_first_picture_has_everything() -> None:
    shown = ticks(TAPE, None)
    prices = {t.tick_type: t.price for t in shown if isinstance(t, TickPrice)}
    assert prices == {
        1: D("149.99"), 2: D("150.01"), 4: D("150.00"), 6: D(151), 7: D(148), 9: D(147), 14: D(149)
    }  # fmt: skip
    assert [t.size for t in shown if isinstance(t, TickSize)] == [D(9000)]
    assert [t.value for t in shown if isinstance(t, TickGeneric)] == [D(0)]
    assert [t.text for t in shown if isinstance(t, TickString)] == ["1795186800"]


def test_delayed_ticks_have_their_own_types() -> None:
    prices = {t.tick_type for t in ticks(TAPE, None, delayed=True) if isinstance(t, TickPrice)}
    assert prices == {66, 67, 68, 72, 73, 75, 76}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"bid": D("149.98")}, [TickPrice(req_id=1, tick_type=1, price=D("149.98"), size=D(400))]),
        ({"ask_size": D(7)}, [TickSize(req_id=1, tick_type=3, size=D(7))]),
        ({"bid": None, "bid_size": D(0)}, [TickPrice(req_id=1, tick_type=1, price=D(-1))]),
        ({"halted": True}, [TickGeneric(req_id=1, tick_type=49, value=D(1))]),
        ({"high": D(152)}, [TickPrice(req_id=1, tick_type=6, price=D(152))]),
    ],
)
def test_a_change_is_ticked_alone(changes: dict[str, object], expected: list[object]) -> None:
    assert ticks(but(**changes), TAPE) == expected


def test_a_side_nobody_quotes_is_minus_one_and_no_trade_yet_is_nothing() -> None:
    shown = ticks(but(bid=None, bid_size=D(0), last=None, last_size=D(0)), None)
    prices = {t.tick_type: t.price for t in shown if isinstance(t, TickPrice)}
    assert prices[1] == -1
    assert 4 not in prices


def test_the_mark_comes_when_asked_for() -> None:
    shown = quote_ticks(1, TAPE, None, delayed=False, generic="233,221")
    assert TickPrice(req_id=1, tick_type=37, price=D("150.00")) in shown
    assert quote_ticks(1, TAPE, TAPE, delayed=False, generic="221") == []


def test_how_easy_a_share_is_to_borrow_comes_when_asked_for() -> None:
    borrowing = (D(2), D(500))
    assert borrowing_ticks(1, "233,236", borrowing) == [
        TickGeneric(req_id=1, tick_type=46, value=D(2)),
        TickSize(req_id=1, tick_type=89, size=D(500)),
    ]
    assert borrowing_ticks(1, "221", borrowing) == borrowing_ticks(1, "", borrowing) == []
    assert borrowing_ticks(1, "236", None) == []


def test_single_ticks() -> None:
    def one(kind: str, tape: Tape, last: Tape | None = TAPE) -> list[msgspec.Struct]:
        return by_tick(1, tape, last, kind=kind, exchange="SIM")

    assert one("Last", TAPE) == one("BidAsk", TAPE) == one("MidPoint", TAPE) == []
    [trade] = one("AllLast", but(volume=D(9100)))
    assert isinstance(trade, TickLast)
    assert trade.tick_type == 2
    [quote] = one("BidAsk", but(bid_size=D(5)))
    assert isinstance(quote, TickBidAsk)
    assert quote.bid_size == 5
    [middle] = one("MidPoint", but(bid=D("149.97")))
    assert isinstance(middle, TickMid)
    assert middle.price == D("149.99")
    assert one("MidPoint", but(bid=None)) == one("Last", but(last=None), None) == []


def test_the_book_is_inserted_updated_and_deleted() -> None:
    first = depth_lines(1, TAPE, None, is_smart=False)
    assert [(line.operation, line.side) for line in first if isinstance(line, Depth)] == [
        (0, 1),
        (0, 0),
    ]
    [moved] = depth_lines(1, but(ask=D("150.02")), TAPE, is_smart=True)
    assert isinstance(moved, DepthL2)
    assert (moved.operation, moved.side, moved.price) == (1, 0, D("150.02"))
    [gone] = depth_lines(1, but(bid=None), TAPE, is_smart=False)
    assert isinstance(gone, Depth)
    assert (gone.operation, gone.side) == (2, 1)
    assert depth_lines(1, but(bid=None), but(bid=None), is_smart=False) == []
