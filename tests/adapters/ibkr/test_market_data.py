from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.core.enums import DataType, SecType
from ibkr_trader.core.errors import AmbiguousContract, BrokerUnavailable, DataRefused
from ibkr_trader.core.events import ConnectEvent, DataTypeEvent, ErrorEvent, PriceEvent, VolumeEvent
from ibkr_trader.core.models import Contract, PriceBand
from tests.adapters.ibkr.conftest import Rig

AAPL = Contract(symbol="AAPL", con_id=265598)
HOURS = "20261120:0930-20261120:1600;20261126:CLOSED;20261127:0930-20261127:1300"


def details(request_id: str, con_id: int = 265598, **changes: object) -> tuple[object, ...]:
    """Return a contractDetails message for version 176."""
    values: dict[str, object] = {
        "symbol": "AAPL", "sec_type": "STK", "last": "", "strike": "0", "right": "",
        "exchange": "SMART", "currency": "USD", "primary": "NASDAQ", "multiplier": "",
        "hours": HOURS, "venues": "SMART,NYSE", "rules": "26,27",
    } | changes  # fmt: skip
    return (
        10, request_id, values["symbol"], values["sec_type"], values["last"], values["strike"],
        values["right"], values["exchange"], values["currency"], values["symbol"], "NMS", "NMS",
        con_id, "0.01", values["multiplier"], "LMT,MKT", values["venues"], 1, 0, "APPLE INC",
        values["primary"], "", "Technology", "Computers", "Computers", "US/Eastern",
        values["hours"], values["hours"], "", 0, 0, 1, "", "", values["rules"], "", "COMMON",
        "1", "1", "100",
    )  # fmt: skip


def knows(rig: Rig, *found: dict[str, object]) -> None:
    """Let the stub answer every look-up with these contracts."""

    def answer(fields: list[str]) -> list[tuple[object, ...]]:
        rows = [details(fields[2], **row) for row in found]  # type: ignore[arg-type] # a table
        return [*rows, (52, 1, fields[2])]

    rig.gateway.answers[9] = answer
    rig.gateway.answers[91] = lambda fields: [(93, fields[1], 2, "0", "0.0001", "1", "0.01")]


async def test_a_ticker_is_resolved_to_one_contract_with_its_grid_and_hours(rig: Rig) -> None:
    knows(rig, {})
    found = await rig.market.resolve("AAPL")
    assert (found.contract.con_id, found.contract.primary_exchange) == (265598, "NASDAQ")
    assert found.bands == (
        PriceBand(Decimal(0), Decimal("0.0001")),
        PriceBand(Decimal(1), Decimal("0.01")),
    )
    assert [(s.opens, s.closes) for s in found.liquid_sessions] == [
        (datetime(2026, 11, 20, 14, 30, tzinfo=UTC), datetime(2026, 11, 20, 21, tzinfo=UTC)),
        (datetime(2026, 11, 27, 14, 30, tzinfo=UTC), datetime(2026, 11, 27, 18, tzinfo=UTC)),
    ]
    assert (await rig.gateway.heard(91))[1] == "26"
    await rig.market.resolve("AAPL")
    assert rig.gateway.count(9) == 1, "asked once"


async def test_on_another_day_its_hours_are_asked_for_anew(rig: Rig) -> None:
    """However few seconds the machine has counted: it may have slept over the days."""
    knows(rig, {})
    rig.connection.clock = clock = ManualClock(datetime(2026, 11, 20, 20, tzinfo=UTC))
    await rig.market.resolve("AAPL")
    knows(rig, {"hours": "20261123:0930-20261123:1600"})
    clock.jump(datetime(2026, 11, 23, 15, tzinfo=UTC))
    found = await rig.market.resolve("AAPL")
    assert [session.opens.day for session in found.liquid_sessions] == [23]


async def test_an_option_is_asked_for_by_its_terms(rig: Rig) -> None:
    option: dict[str, object] = {"symbol": "AAPL", "sec_type": "OPT", "strike": "150", "right": "C",
              "multiplier": "100", "last": "20261218", "rules": "26"}  # fmt: skip
    knows(rig, option)
    found = await rig.market.resolve("AAPL  261218C00150000")
    fields = await rig.gateway.heard(9)
    assert fields[4:10] == ["AAPL", "OPT", "20261218", "150", "C", "100"]
    assert (found.contract.strike, found.contract.multiplier) == (Decimal(150), Decimal(100))


async def test_a_symbol_of_nothing(rig: Rig) -> None:
    rig.gateway.answers[9] = lambda fields: [(4, 2, fields[2], 200, "No security definition", "")]
    with pytest.raises(AmbiguousContract, match="'NOSUCH' names no contract"):
        await rig.market.resolve("NOSUCH")


@pytest.mark.parametrize("symbol", ["", "1A", "AAPL240119X00150000", "a\0b"])
async def test_what_can_be_no_symbol_is_not_asked(symbol: str, rig: Rig) -> None:
    with pytest.raises(AmbiguousContract):
        await rig.market.resolve(symbol)
    assert rig.gateway.count(9) == 0


async def test_a_symbol_of_two_contracts_lists_them(rig: Rig) -> None:
    knows(rig, {}, {"con_id": 99, "currency": "USD", "primary": "MEXI"})
    with pytest.raises(AmbiguousContract, match=r"names 2 contracts: .*NASDAQ.*MEXI") as caught:
        await rig.market.resolve("AAPL")
    assert [contract.con_id for contract in caught.value.candidates] == [265598, 99]


@pytest.mark.parametrize(
    ("sec_type", "symbol", "fields"),
    [
        (SecType.CASH, "EUR.USD", ["EUR", "CASH"]),
        (SecType.INDEX, "SPX", ["SPX", "IND"]),
        (SecType.FUTURE, "ESZ6", ["", "FUT"]),
    ],
)
async def test_other_kinds_are_asked_for_as_told(
    sec_type: SecType, symbol: str, fields: list[str], rig: Rig
) -> None:
    knows(rig, {"sec_type": sec_type.value, "rules": ""})
    await rig.market.resolve(symbol, sec_type=sec_type)
    assert (await rig.gateway.heard(9))[4:6] == fields


async def test_nobody_answers(rig: Rig) -> None:
    with pytest.raises(BrokerUnavailable, match="contractDetailsEnd is missing"):
        await rig.market.resolve("AAPL")


async def test_hours_that_cannot_be_read_are_an_error_and_not_open_for_ever(rig: Rig) -> None:
    knows(rig, {"hours": "whenever"})
    with pytest.raises(BrokerUnavailable, match="could not be read"):
        await rig.market.resolve("AAPL")


def ticks(rig: Rig, *rows: tuple[object, ...]) -> None:
    """Let the stub answer a subscription with ticks: (message id, tick type, value, size)."""

    def answer(fields: list[str]) -> list[tuple[object, ...]]:
        return [
            (1, 6, fields[2], kind, value, *size, 0) if number == 1
            else (number, 6, fields[2], kind, value)
            for number, kind, value, *size in rows
        ]  # fmt: skip

    rig.gateway.answers[1] = answer


async def test_a_quote_is_made_of_ticks_and_asked_for_once(rig: Rig) -> None:
    ticks(rig, (1, 1, "149.99", "300"), (1, 2, "150.01", "200"), (2, 5, "7"), (45, 49, "0"))
    quote = await rig.market.quote(AAPL, timeout=2)
    assert quote is not None
    assert (quote.bid, quote.ask, quote.bid_size) == (
        Decimal("149.99"), Decimal("150.01"), Decimal(300),
    )  # fmt: skip
    assert await rig.market.quote(AAPL, timeout=2) is not None
    assert rig.gateway.count(1) == 1
    assert (await rig.until(PriceEvent)).quote.contract == AAPL
    last = rig.market.last_quote(AAPL.con_id)
    assert last is not None
    assert last.ask == Decimal("150.01")


@pytest.mark.parametrize("nothing", ["-1", "0", "", "NaN", "1.7976931348623157E308"])
async def test_a_side_that_nobody_quotes_is_none(nothing: str, rig: Rig) -> None:
    ticks(rig, (1, 1, "149.99", "300"), (1, 1, nothing, "0"), (1, 4, "150", "1"))
    quote = await rig.market.quote(AAPL, timeout=0.2)
    assert quote is not None
    assert (quote.bid, quote.bid_size, quote.last) == (None, None, Decimal(150))


async def test_no_tick_is_no_quote(rig: Rig) -> None:
    assert await rig.market.quote(AAPL, timeout=0.1) is None
    assert rig.market.last_quote(AAPL.con_id) is None
    assert rig.market.last_quote(1) is None


async def test_a_halt_is_seen_and_ends(rig: Rig) -> None:
    ticks(rig, (1, 1, "10", "1"), (1, 2, "11", "1"), (45, 49, "1"))
    await rig.market.quote(AAPL, timeout=2)
    request = (await rig.gateway.heard(1))[2]
    await rig.settle()
    halted = rig.market.last_quote(AAPL.con_id)
    assert halted is not None
    assert halted.halted
    rig.gateway.send(45, 6, request, 49, -1)
    await rig.settle()
    free = rig.market.last_quote(AAPL.con_id)
    assert free is not None
    assert not free.halted


@pytest.mark.parametrize(
    ("value", "shortable"), [("3.0", "3.0"), ("1.5", "1.5"), ("0.0", "0.0"), ("", None)]
)
async def test_how_easy_a_share_is_to_borrow_is_asked_for_and_told(
    value: str, shortable: str | None, rig: Rig
) -> None:
    """Tick 46 is a generic one; 89, which TWS sends beside it, is how many there are."""
    ticks(rig, (1, 1, "10", "1"), (45, 46, value), (2, 89, "5000"), (1, 2, "11", "1"))
    quote = await rig.market.quote(AAPL, timeout=2)
    assert quote is not None
    assert quote.shortable == (Decimal(shortable) if shortable is not None else None)
    assert "236" in await rig.gateway.heard(1)


@pytest.mark.parametrize("kind", [8, 74])
async def test_the_volume_of_the_day_is_told_as_it_comes(kind: int, rig: Rig) -> None:
    ticks(rig, (1, 1, "10", "1"), (2, kind, "123456"), (1, 2, "11", "1"))
    quote = await rig.market.quote(AAPL, timeout=2)
    assert quote is not None
    assert quote.volume == Decimal(123456)
    assert quote.data_type is (DataType.LIVE if kind == 8 else DataType.DELAYED)


async def test_a_volume_is_no_news_of_a_price(rig: Rig) -> None:
    """A trail takes a later price for proof of the last, and the guard a quote for a fresh one."""
    ticks(rig, (1, 1, "10", "1"), (1, 2, "11", "1"))
    await rig.market.quote(AAPL, timeout=2)
    before = rig.market.last_quote(AAPL.con_id)
    request = (await rig.gateway.heard(1))[2]
    await rig.settle()
    prices = rig.seen(PriceEvent)
    rig.gateway.send(2, 6, request, 8, 500)
    event = await rig.until(VolumeEvent)
    assert (event.contract, event.volume) == (AAPL, Decimal(500))
    after = rig.market.last_quote(AAPL.con_id)
    assert before is not None
    assert after is not None
    assert (after.at, after.volume) == (before.at, Decimal(500))
    assert rig.seen(PriceEvent) == prices


@pytest.mark.parametrize("nothing", ["-1", "", "1.7976931348623157E308"])
async def test_a_volume_that_nobody_says_is_none(nothing: str, rig: Rig) -> None:
    ticks(rig, (1, 1, "10", "1"), (2, 8, "5"), (2, 8, nothing), (1, 2, "11", "1"))
    quote = await rig.market.quote(AAPL, timeout=2)
    assert quote is not None
    assert quote.volume is None


async def test_of_what_cannot_be_borrowed_it_is_not_asked(rig: Rig) -> None:
    """TWS refuses the generic tick for anything that is no share (321)."""
    ticks(rig, (1, 1, "10", "1"), (1, 2, "11", "1"))
    option = Contract(symbol="AAPL", con_id=7, sec_type=SecType.OPTION)
    assert await rig.market.quote(option, timeout=2) is not None
    assert "236" not in await rig.gateway.heard(1)


async def test_delayed_data_says_so(rig: Rig) -> None:
    rig.gateway.answers[1] = lambda fields: [
        (4, 2, fields[2], 10167, "Displaying delayed market data", ""),
        (58, 1, fields[2], 3),
        (1, 6, fields[2], 66, "149.99", "3", 0),
        (1, 6, fields[2], 67, "150.01", "2", 0),
    ]
    quote = await rig.market.quote(AAPL, timeout=2)
    assert quote is not None
    assert quote.data_type is DataType.DELAYED
    assert (await rig.until(DataTypeEvent)).data_type is DataType.DELAYED


@pytest.mark.parametrize("code", [354, 10089, 10168, 10197, 200])
async def test_no_permission_is_no_quote_and_is_told_at_once(code: int, rig: Rig) -> None:
    rig.gateway.answers[1] = lambda fields: [(4, 2, fields[2], code, "not subscribed", "")]
    assert await rig.market.quote(AAPL, timeout=30) is None
    assert (await rig.until(ErrorEvent)).code == code
    ticks(rig, (1, 1, "10", "1"), (1, 2, "11", "1"))
    assert await rig.market.quote(AAPL, timeout=2) is not None, "it is asked again"


@pytest.mark.parametrize("how", ["reset", "1101"])
async def test_what_was_subscribed_to_is_asked_for_again(how: str, rig: Rig) -> None:
    ticks(rig, (1, 1, "10", "1"), (1, 2, "11", "1"))
    await rig.market.quote(AAPL, timeout=2)
    first = (await rig.gateway.heard(1))[2]
    if how == "reset":
        rig.gateway.reset()
    else:
        rig.gateway.send(4, 2, -1, 1100, "lost", "")
        rig.gateway.send(4, 2, -1, 1101, "restored, data lost", "")
    await rig.until(ConnectEvent, lambda event: event.epoch == 2)
    assert (await rig.gateway.heard(1, times=2))[2] != first


async def test_after_1102_nothing_is_asked_twice(rig: Rig) -> None:
    ticks(rig, (1, 1, "10", "1"), (1, 2, "11", "1"))
    await rig.market.quote(AAPL, timeout=2)
    rig.gateway.send(4, 2, -1, 1100, "lost", "")
    rig.gateway.send(4, 2, -1, 1102, "restored", "")
    await rig.until(ConnectEvent, lambda event: event.epoch == 2)
    await rig.settle()
    assert rig.gateway.count(1) == 1


async def test_bars(rig: Rig) -> None:
    rig.gateway.answers[20] = lambda fields: [
        (17, fields[1], "a", "b", 2,
         1795186800, "150.1", "151", "149.5", "150.6", "1200", "150.2", 10,
         "20261119", "1", "2", "0.5", "1.5", "-1", "1", 1),
    ]  # fmt: skip
    first, second = await rig.market.bars(AAPL, duration="1 D", bar_size="5 mins")
    assert (first.open, first.close, first.volume) == (
        Decimal("150.1"), Decimal("150.6"), Decimal(1200),
    )  # fmt: skip
    assert first.at == datetime(2026, 11, 20, 15, tzinfo=UTC)
    assert (second.at, second.volume) == (datetime(2026, 11, 19, tzinfo=UTC), None)


async def test_no_history_is_a_typed_failure(rig: Rig) -> None:
    rig.gateway.answers[20] = lambda fields: [(4, 2, fields[1], 162, "HMDS query returned no", "")]
    with pytest.raises(BrokerUnavailable, match="162"):
        await rig.market.bars(AAPL, duration="1 D", bar_size="1 min")


@pytest.mark.parametrize(
    ("words", "is_pacing"),
    [
        ("Historical Market Data Service error message:HMDS query returned no data: X", False),
        ("Historical Market Data Service error message:API historical data query pacing violation",
         True),
    ],
)  # fmt: skip
async def test_too_fast_is_told_apart_from_nothing_there(
    words: str, is_pacing: bool, rig: Rig
) -> None:
    rig.gateway.answers[20] = lambda fields: [(4, 2, fields[1], 162, words, "")]
    with pytest.raises(DataRefused, match="162") as caught:
        await rig.market.bars(AAPL, duration="1 D", bar_size="1 day")
    assert caught.value.is_pacing is is_pacing
    assert rig.gateway.count(25) == 0


async def test_bars_that_do_not_come_in_time_are_no_longer_wanted(rig: Rig) -> None:
    with pytest.raises(BrokerUnavailable, match=r"within 0\.05 s"):
        await rig.market.bars(AAPL, duration="1 D", bar_size="1 day", timeout=0.05)
    asked = await rig.gateway.heard(20)
    cancelled = await rig.gateway.heard(25)
    assert cancelled[2] == asked[1]


async def test_bars_without_a_link_are_refused(rig: Rig) -> None:
    rig.connection.close()
    with pytest.raises(BrokerUnavailable):
        await rig.market.bars(AAPL, duration="1 D", bar_size="1 day")


def let_pass(rig: Rig, seconds: float) -> None:
    """Move the last tick into the past."""
    subscription = rig.market._by_contract[AAPL.con_id]
    assert subscription.ticked_at is not None
    subscription.ticked_at -= seconds


async def test_what_has_been_quiet_for_long_is_asked_for_anew(rig: Rig) -> None:
    ticks(rig, (1, 1, "149.99", "3"), (1, 2, "150.01", "3"))
    await rig.market.quote(AAPL, timeout=2)
    first = (await rig.gateway.heard(1))[2]
    let_pass(rig, 2.5)
    await rig.market.quote(AAPL, timeout=2)
    assert rig.gateway.count(1) == 1, "it is current for three seconds"
    let_pass(rig, 3.1)
    ticks(rig, (1, 1, "148.99", "3"), (1, 2, "149.01", "3"))
    quote = await rig.market.quote(AAPL, timeout=2)
    assert quote is not None
    assert (quote.bid, quote.ask) == (Decimal("148.99"), Decimal("149.01"))
    assert (await rig.gateway.heard(2))[2] == first, "the old subscription is given up"
    assert (await rig.gateway.heard(1, times=2))[2] != first


async def test_a_late_tick_of_the_old_subscription_is_none_of_the_new(rig: Rig) -> None:
    ticks(rig, (1, 1, "149.99", "3"), (1, 2, "150.01", "3"))
    await rig.market.quote(AAPL, timeout=2)
    old = (await rig.gateway.heard(1))[2]
    let_pass(rig, 3.1)
    rig.gateway.answers[1] = lambda _: [
        (1, 6, old, 1, "100", "3", 0),
        (1, 6, old, 2, "101", "3", 0),
    ]
    assert await rig.market.quote(AAPL, timeout=0.1) is None
    assert rig.market.last_quote(AAPL.con_id) is None


async def test_a_quote_from_before_a_lost_link_is_not_current(rig: Rig) -> None:
    ticks(rig, (1, 1, "149.99", "3"), (1, 2, "150.01", "3"))
    assert await rig.market.quote(AAPL, timeout=2) is not None
    del rig.gateway.answers[1]  # subscribed again after the loss, and not one tick since
    rig.gateway.hang_up()
    await rig.gateway.heard(1, times=2)
    assert await rig.market.quote(AAPL, timeout=0.1) is None
    assert rig.market.last_quote(AAPL.con_id) is None
