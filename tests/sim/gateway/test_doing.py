"""Acts done to a gateway, judged by the exchange and by what clients hear."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from io import FileIO
from pathlib import Path

import pytest
from ib_insync import LimitOrder, MarketOrder, StopOrder

from ibkr_trader.sim.gateway.act_words import read_act
from ibkr_trader.sim.gateway.acts import CannotDo
from ibkr_trader.sim.gateway.doing import Doer
from ibkr_trader.sim.gateway.ledger_view import LedgerView
from tests.sim.gateway.desk import AAPL, AAPL_ID, Desk, Do


@pytest.fixture
def do(desk: Desk, tmp_path: Path) -> Do:
    doer = Doer(desk.server, tmp_path)
    return lambda words: doer(read_act(words.split()))


def test_prices_gaps_and_splits(desk: Desk, do: Do) -> None:
    assert do("price AAPL 151").text.startswith("AAPL stands at 151.00 (151.00 bid, ")
    assert do("gap aapl -20%").data["last"] == Decimal("120.80")
    assert desk.exchange.market.tape(AAPL_ID).last == Decimal("120.80")
    do("hand buy AAPL 10")
    assert do("split AAPL 4").data["symbol"] == "AAPL"
    assert LedgerView(desk.exchange).positions() == {AAPL_ID: 40}


async def test_a_halt_stops_trading(desk: Desk, do: Do) -> None:
    ib = await desk.connect()
    assert do("halt AAPL").data == {"symbol": "AAPL", "halted": True}
    ib.placeOrder(AAPL, MarketOrder("BUY", 10))
    await ib.reqCurrentTimeAsync()
    assert LedgerView(desk.exchange).held(AAPL_ID) == 0
    do("unhalt AAPL")
    assert LedgerView(desk.exchange).held(AAPL_ID) == 10


def test_time_goes_forward(desk: Desk, do: Do) -> None:
    before = desk.server.engine.clock.now()
    do("advance 90")
    assert (desk.server.engine.clock.now() - before).total_seconds() == pytest.approx(90)
    do("speed 0")
    stood = desk.server.engine.clock.now()
    desk.wait(10)
    assert desk.server.engine.clock.now() == stood
    do("speed 60")
    desk.wait(1)
    assert (desk.server.engine.clock.now() - stood).total_seconds() == pytest.approx(60)
    for words in ("advance --to 2026-11-19T10:00", "advance 99d", "speed -1", "speed 10001"):
        with pytest.raises(CannotDo):
            do(words)


def test_it_goes_to_a_time_of_the_exchanges_day_that_is_still_to_come(desk: Desk, do: Do) -> None:
    do("speed 0")
    assert do("advance --to 15:56").text == "it is 2026-11-20 15:56:00 EST at the exchange"
    with pytest.raises(CannotDo, match="forward only"):
        do("advance --to 15:55")


async def test_a_hand_at_tws(desk: Desk, do: Do) -> None:
    ib = await desk.connect()
    trade = ib.placeOrder(AAPL, StopOrder("SELL", 10, 145, tif="GTC", orderRef="k7qav-1-stop"))
    await ib.reqCurrentTimeAsync()
    assert "Filled" in do("hand buy AAPL 10").text
    assert "changed by hand" in do("hand modify stop --stop 140 --quantity 8").text
    await ib.reqCurrentTimeAsync()
    assert (trade.order.auxPrice, trade.order.totalQuantity) == (140, 8), "its client hears of it"
    assert "Cancelled" in do("hand cancel k7qav-1-stop").text
    await ib.reqCurrentTimeAsync()
    assert trade.orderStatus.status == "Cancelled"
    do("hand close AAPL 4")
    do("hand sell AAPL 1 --limit 149")
    assert LedgerView(desk.exchange).held(AAPL_ID) == 5
    assert "PreSubmitted" in do("hand sell AAPL 5 --stop 140").text


async def test_the_brokers_own_doing(desk: Desk, do: Do) -> None:
    ib = await desk.connect()
    ib.placeOrder(AAPL, LimitOrder("BUY", 10, 100, orderRef="k7qav-1-entry"))
    ib.placeOrder(AAPL, LimitOrder("BUY", 10, 101, orderRef="k7qav-2-entry"))
    await ib.reqCurrentTimeAsync()
    assert "4 filled" in do("trade k7qav-1-entry 4").text
    (first,) = LedgerView(desk.exchange).executions(AAPL_ID)
    corrected = do(f"correct {first.exec_id} --price 99.50")
    assert corrected.data["execution"]["exec_id"].endswith(".02")
    do(f"bust {first.exec_id}")
    assert LedgerView(desk.exchange).held(AAPL_ID) == 0
    assert "Cancelled" in do("take k7qav-2-entry").text
    assert do("slow-oca 1 3").data == {"types": (1, 3)}
    assert do("locate LOCT 5").data == {"symbol": "LOCT", "seconds": 5}
    assert do("cap AAPL --buy 151").text == "AAPL: buys up to 151.00, sales from –"


async def test_the_broker_liquidates(desk: Desk, do: Do) -> None:
    ib = await desk.connect()
    with pytest.raises(CannotDo, match="nothing is held"):
        do("liquidate AAPL")
    ib.placeOrder(AAPL, MarketOrder("BUY", 10))
    await ib.reqCurrentTimeAsync()
    assert "liquidated" in do("liquidate AAPL").text
    flags = [fill.execution.liquidation for fill in await ib.reqExecutionsAsync()]
    assert flags == [0, 1]


async def test_the_settings_of_tws_refuse_and_are_lifted(desk: Desk, do: Do) -> None:
    assert do("precaution size-limit 50").data == {"kind": "size-limit", "figure": Decimal(50)}
    assert do("precaution read-only").text == "TWS's own settings: read-only"
    ib = await desk.connect()
    trade = ib.placeOrder(AAPL, MarketOrder("BUY", 10))
    await ib.reqCurrentTimeAsync()
    assert trade.log[-1].errorCode == 321
    assert LedgerView(desk.exchange).held(AAPL_ID) == 0
    assert do("precaution off").text == "TWS's settings are lifted"
    ib.placeOrder(AAPL, MarketOrder("BUY", 60))
    await ib.reqCurrentTimeAsync()
    assert LedgerView(desk.exchange).held(AAPL_ID) == 60, "the size limit went with the rest"
    with pytest.raises(CannotDo, match="above zero"):
        do("precaution percentage 0")


async def test_faults_and_the_wire_log(desk: Desk, do: Do, tmp_path: Path) -> None:
    assert do("swallow").data == {"faults": (1,)}
    (fault,) = do("look").data["faults"]
    assert (fault["number"], fault["fault"]["act"]) == (1, {"act": "drop"})
    assert "fault 1: drop placeOrder" in do("look").text
    assert do("lift 1").data == {"lifted": 1}
    with pytest.raises(CannotDo, match="no fault 1"):
        do("lift 1")
    do("wire on")
    ib = await desk.connect()
    await ib.reqCurrentTimeAsync()
    do("wire off")
    assert '"name":"startApi"' in (tmp_path / "wire.jsonl").read_text()
    assert desk.server.engine.floor.wiring.tap is None


async def test_what_cannot_be_done_is_said(desk: Desk, do: Do) -> None:
    ib = await desk.connect()
    for ref in ("k7qav-1-entry", "k7qav-2-entry"):
        ib.placeOrder(AAPL, LimitOrder("BUY", 10, 100, orderRef=ref))
    await ib.reqCurrentTimeAsync()
    for words, complaint in [
        ("price XXXX 3", "lists no stock XXXX"),
        ("hand close AAPL", "nothing is held"),
        ("hand cancel stop", "no order called stop works; working: k7qav-1-entry, k7qav-2-entry"),
        ("hand cancel entry", "entry means several"),
        ("bust 1.1.01", "no execution"),
        ("hand modify k7qav-1-entry --quantity 0", "TWS refuses"),
        ("gap AAPL -100%", "cannot move"),
    ]:
        with pytest.raises(CannotDo) as caught:
            do(words)
        assert complaint in caught.value.message, words
    assert len(LedgerView(desk.exchange).live()) == 2


@pytest.fixture
def full_disk() -> Iterator[FileIO]:
    path = Path("/dev/full")
    if not path.exists():
        pytest.skip("no disk can be full here")
    with path.open("ab", buffering=0) as file:
        yield file


async def test_a_full_disk_ends_the_wire_log_and_nothing_else(
    desk: Desk, tmp_path: Path, full_disk: FileIO, caplog: pytest.LogCaptureFixture
) -> None:
    doer = Doer(desk.server, tmp_path)
    doer(read_act(["wire", "on"]))
    assert doer._wire is not None
    doer._wire.close()
    doer._wire._file = full_disk
    ib = await desk.connect()
    await ib.reqCurrentTimeAsync()
    assert desk.server.engine.floor.wiring.tap is None
    assert "the wire log ends here" in caplog.text
