"""What a dashboard asks of a trader: to watch, to weigh a change, and why an order is as it is."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest

from ibkr_trader.adapters.control import Call, Done, Failed
from ibkr_trader.cli import explaining, logs, watching, weighing
from ibkr_trader.cli.board import Board
from ibkr_trader.cli.face import DESK_COMMANDS
from ibkr_trader.cli.failure import Failure
from ibkr_trader.cli.remote import Sent
from ibkr_trader.cli.serving import Clerk
from ibkr_trader.cli.trader_card import TraderCard
from ibkr_trader.config import Settings, load
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.core.models import Order
from ibkr_trader.dashboard.scene import Glimpse
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from tests.execution.parts import AAPL, START, FallibleBroker, Floor, request
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from ibkr_trader.execution.trader import Trader


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    found = load({"profile": "sim", "data_dir": str(tmp_path)})
    logs.start(tmp_path)
    yield found
    logs.stop()


class Screen:
    """A client that reads, or does not."""

    def __init__(self) -> None:
        self.reads = True
        self.glimpses: list[Glimpse] = []
        self.offered = 0
        self._offered = asyncio.Event()

    def stream(self, payload: bytes) -> bool:
        self.offered += 1
        self._offered.set()
        if self.reads:
            self.glimpses.append(msgspec.json.decode(payload, type=Glimpse))
        return self.reads

    async def until_offered(self, times: int) -> None:
        """Wait until glimpses were offered so often in all."""
        async with asyncio.timeout(10):
            while self.offered < times:
                self._offered.clear()
                await self._offered.wait()


class Seat(NamedTuple):
    """A clerk, and who sits before him."""

    trader: Trader
    desk: Desk
    clerk: Clerk
    screen: Screen

    async def ask(self, command: str, **options: str) -> dict[str, Any] | Failure:
        """Have a command carried out, as it comes over the line, and return its document."""
        made = Call(command=f"screen.{command}", options={**options}, json=True)
        answer = await self.clerk.serve(made, self.screen)  # type: ignore[arg-type] # as much of a client as it needs
        if isinstance(answer, Done):
            sent = msgspec.json.decode(answer.reply, type=Sent)
            return msgspec.json.decode(sent.data, type=dict[str, Any])
        assert isinstance(answer, Failed)
        return msgspec.json.decode(answer.failure, type=Failure)

    async def weigh(self, order: Order | str, **typed: str) -> dict[str, Any]:
        """Have new terms of an order weighed."""
        name = order if isinstance(order, str) else order.order_id
        found = await self.ask(
            "weigh", order=name, **({"quantity": "", "limit": "", "stop": ""} | typed)
        )
        assert isinstance(found, dict), found
        return found


@asynccontextmanager
async def seat(settings: Settings) -> AsyncIterator[Seat]:
    async with Floor().trader() as trader:
        desk, card = Desk(trader), TraderCard(trader)
        card.board = Board(trader)
        yield Seat(trader, desk, Clerk(desk, settings, card), Screen())


def test_none_of_it_is_a_command_that_changes_anything() -> None:
    parts = {name: one for name, one in DESK_COMMANDS.items() if name.startswith("screen.")}
    assert parts.keys() == {"screen.watch", "screen.weigh", "screen.details"}
    assert not any(one.changes or one.acts for one in parts.values())
    assert [name for name, one in parts.items() if one.streams] == ["screen.watch"]


async def test_a_trader_that_keeps_nothing_for_screens_says_so(settings: Settings) -> None:
    async with Floor().trader() as trader:
        desk = Desk(trader)
        clerk = Clerk(desk, settings, TraderCard(trader))
        answer = await Seat(trader, desk, clerk, Screen()).ask("watch")
        assert isinstance(answer, Failure)
        assert answer.code == "usage"


# -- watch ---------------------------------------------------------------------------------------


@asynccontextmanager
async def watching_it(one: Seat) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(one.ask("watch"))
        await one.screen.until_offered(1)
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert task.cancelled()


async def _turns(count: int = 50) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_screen_is_shown_what_happens_and_nothing_while_nothing_does(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LEAST", 0)
    monkeypatch.setattr(watching, "MOST", 60)
    async with seat(settings) as one, watching_it(one):
        await _turns()
        assert one.screen.offered == 1
        await one.desk.submit_order(request(limit="140.00"))
        await one.screen.until_offered(2)
        await _turns()
        last = one.screen.glimpses[-1]
        assert one.screen.glimpses[0].is_first
        assert "sent 1-single BUY 10 AAPL LIMIT 140.00" in {
            line.text for glimpse in one.screen.glimpses for line in glimpse.feed
        }
        assert last.events == one.screen.glimpses[-1].events
        count = one.screen.offered
        await _turns()
        assert one.screen.offered == count


async def test_a_clock_goes_on_though_nothing_happens(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LEAST", 0.001)
    monkeypatch.setattr(watching, "MOST", 0.002)
    async with seat(settings) as one, watching_it(one):
        await one.screen.until_offered(3)


async def test_a_storm_is_shown_at_a_pace_of_its_own(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LEAST", 60)
    async with seat(settings) as one, watching_it(one):
        for _ in range(1_000):
            one.trader.bus.publish(ev.TimeEvent(at=START))
        await _turns()
        assert one.screen.offered == 1


async def test_who_does_not_read_misses_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LEAST", 0)
    monkeypatch.setattr(watching, "MOST", 60)
    async with seat(settings) as one, watching_it(one):
        screen = one.screen
        screen.reads = False
        order = await one.desk.submit_order(request(limit="140.00"))
        await screen.until_offered(2)
        await _turns()
        refused = screen.offered - 1
        screen.reads = True
        one.trader.bus.publish(ev.TimeEvent(at=START))
        await screen.until_offered(screen.offered + 1)
        (glimpse,) = screen.glimpses[1:]
        assert [row.order_id for row in glimpse.orders] == [order.order_id]
        assert glimpse.feed[0].text == "sent 1-single BUY 10 AAPL LIMIT 140.00"
        assert glimpse.skipped == refused >= 1


async def test_a_screen_that_has_gone_is_not_waited_for(settings: Settings) -> None:
    async with seat(settings) as one:
        assert one.clerk is not None
        async with watching_it(one):
            pass
        board = one.clerk._trader.board
        assert board is not None
        assert board._flags == []


# -- weigh -----------------------------------------------------------------------------------------


async def test_a_tighter_stop_lowers_risk_and_it_is_said_by_how_much(settings: Settings) -> None:
    async with seat(settings) as one:
        _, _, stop = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        found = await one.weigh(stop, stop="147.50")
        assert (found["reduces"], found["fault"]) == (True, "")
        notes = found["notes"]
        assert "tick 0.01" in notes
        assert "last 149.99" in notes
        assert "risk 49.90 → 24.90" in notes
        assert any(one.startswith("heat 49.90 → 24.90 of ") for one in notes)


async def test_a_wider_stop_is_no_lower_risk(settings: Settings) -> None:
    async with seat(settings) as one:
        _, _, stop = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        found = await one.weigh(stop, stop="144.00")
        assert (found["reduces"], found["fault"]) == (False, "")
        assert "risk 49.90 → 59.90" in found["notes"]


async def test_a_smaller_stop_opens_nothing_and_is_no_lower_risk(settings: Settings) -> None:
    """The guard lets it pass as an exit; but one share without a stop may end 20 % away."""
    async with seat(settings) as one:
        _, _, stop = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        found = await one.weigh(stop, quantity="9")
        assert (found["reduces"], found["fault"]) == (False, "")
        assert "risk 49.90 → 74.91" in found["notes"]


async def test_a_keener_entry_is_no_lower_risk_though_less_is_lost_at_its_end(
    settings: Settings,
) -> None:
    """Of a short entry 20 % of a lower price are less; yet it trades sooner than before."""
    async with seat(settings) as one:
        order = await one.desk.submit_order(request(side=Side.SELL, limit="153.00"))
        found = await one.weigh(order, limit="152.00")
        assert "risk 306.00 → 304.00" in found["notes"]
        assert (found["reduces"], found["fault"]) == (False, "")


async def test_a_larger_entry_is_no_lower_risk_and_shows_its_limit(settings: Settings) -> None:
    async with seat(settings) as one:
        order = await one.desk.submit_order(request(limit="140.00"))
        found = await one.weigh(order, quantity="50")
        assert (found["reduces"], found["fault"]) == (False, "")
        assert any("10 → 50 of 100" in note for note in found["notes"])
        too_many = await one.weigh(order, quantity="500")
        assert too_many["reduces"] is None
        assert "the limit is 100" in too_many["fault"]


async def test_what_is_weighed_is_what_a_change_would_meet(settings: Settings) -> None:
    async with seat(settings) as one:
        order = await one.desk.submit_order(request(limit="140.00"))
        found = await one.weigh(order, limit="140.005", quantity="5000")
        with pytest.raises(RiskCheckError) as denied:
            await one.desk.modify_order(
                order.order_id, limit_price=Decimal("140.005"), quantity=Decimal(5000)
            )
        assert found["fault"] == denied.value.message
        assert ";" in found["fault"]  # every reason, not the first


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"stop": "1,5"}, "stop '1,5' must have a point"),
        ({"quantity": "0"}, "quantity '0' must be a whole number"),
        ({"limit": "1e9"}, "limit '1e9' must be a price"),
        ({}, "nothing is changed"),
    ],
)
async def test_what_cannot_be_meant_is_said(
    settings: Settings, typed: dict[str, str], words: str
) -> None:
    async with seat(settings) as one:
        order = await one.desk.submit_order(request(limit="140.00"))
        found = await one.weigh(order, **typed)
        assert found["reduces"] is None
        assert words in found["fault"]


async def test_every_fault_of_what_was_typed_is_said(settings: Settings) -> None:
    async with seat(settings) as one:
        found = await one.weigh("1-single", quantity="x", stop="y")
        assert "quantity 'x'" in found["fault"]
        assert "stop 'y'" in found["fault"]


async def test_an_order_that_is_unknown_or_over_is_said(settings: Settings) -> None:
    async with seat(settings) as one:
        assert "unknown" in (await one.weigh("9-stop", stop="145"))["fault"]
        order = await one.desk.submit_order(request(limit="140.00"))
        await one.desk.cancel_order(order.order_id)
        found = await one.weigh(order, limit="141.00")
        assert found["reduces"] is None
        assert "There is no working order" in found["fault"]


async def test_weighing_sends_nothing_and_writes_nothing(settings: Settings) -> None:
    async with seat(settings) as one:
        _, _, stop = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        broker, journal = one.trader.broker, one.trader.journal
        assert isinstance(broker, FallibleBroker)
        sent, written = broker.sent, journal.append([])
        await one.weigh(stop, stop="147.50")
        await one.weigh(stop, quantity="500")
        assert (broker.sent, journal.append([])) == (sent, written)


async def test_a_market_that_says_nothing_is_not_waited_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weighing, "PATIENCE", 0.01)

    async def silent(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    async with seat(settings) as one:
        _, _, stop = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        monkeypatch.setattr(one.trader, "study", silent)
        one.trader.outlook._heard.clear()
        async with asyncio.timeout(5):
            found = await one.weigh(stop, stop="147.50")
        assert (found["reduces"], found["fault"]) == (True, "")
        assert not any(note.startswith("last") for note in found["notes"])


# -- details ---------------------------------------------------------------------------------------


async def lines(one: Seat, about: object) -> list[str]:
    found = await one.ask("details", about=str(about))
    assert isinstance(found, dict), found
    return list(found["lines"])


async def test_an_order_is_explained_from_who_asked_to_the_brokers_last_word(
    settings: Settings,
) -> None:
    async with seat(settings) as one:
        entry, target, stop = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        for action in ("modify 1-stop: stop 146", "cancel 11-stop", "cancel 1-stop.2"):
            event = ev.OperatorEvent(
                at=START, operator="ann", action=action, command="revise.modify"
            )
            one.trader.record.write([event])
        await one.desk.modify_order(stop.order_id, stop_price=Decimal(146))
        told = await lines(one, stop.order_id)
        text = "\n".join(told)
        assert told[0] == "1-stop  SELL 10 AAPL STOP 146.00  GTC"
        assert f"id {stop.order_id}, the broker's #" in text
        assert "hangs from 1-entry" in text
        for member in (entry, target, stop):
            assert f"  {member.order_id.partition('-')[2]}  " in text
        at = told.index("history:")
        history = [line.partition("  ")[2] for line in told[at + 1 :]]
        stamped = [line for line in history if "EST" in line]
        assert "cli: bracket of 3" in history[0]
        assert any(line.endswith("sent 1-stop SELL 10 AAPL STOP 145.00") for line in stamped)
        assert any("library: change to quantity 10, stop price 146" in line for line in history)
        assert any(line.endswith("changing 1-stop to SELL 10 AAPL STOP 146.00") for line in stamped)
        assert any("the broker has SELL 10 AAPL STOP 146.00" in line for line in stamped)
        keys = [line for line in stamped if "ann: " in line]
        assert [line.partition("ann: ")[2] for line in keys] == ["modify 1-stop: stop 146"]
        assert "1-target SELL" not in "\n".join(history)  # the history is of this order alone


async def test_a_fill_a_commission_and_a_denial_are_in_the_history(settings: Settings) -> None:
    async with seat(settings) as one:
        entry, _, stop = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        with pytest.raises(RiskCheckError):
            await one.desk.modify_order(stop.order_id, quantity=Decimal(500))
        text = "\n".join(await lines(one, entry.order_id))
        assert "filled 1-entry BUY 10 AAPL @ 150.01" in text
        assert "FILLED, filled 10 of 10 at 150.01" in text
        assert "commission 1.00 USD" in text
        assert "denied 1-stop: " in "\n".join(await lines(one, stop.order_id))


async def test_a_position_is_explained_with_its_orders_and_fills(settings: Settings) -> None:
    async with seat(settings) as one:
        await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        text = "\n".join(await lines(one, AAPL))
        assert "+10 AAPL at 150.01, now 149.99" in text
        assert "stop 145.00, target 155.00, covered 10 of 10" in text
        assert "1-stop  SELL 10 AAPL STOP 145.00" in text
        assert "filled 1-entry BUY 10 AAPL @ 150.01" in text
        assert "sent 1-entry BUY 10 AAPL MARKET" in text


async def test_what_is_not_there_is_an_error(settings: Settings) -> None:
    async with seat(settings) as one:
        for about in ("9-stop", str(AAPL), ""):
            answer = await one.ask("details", about=about)
            assert isinstance(answer, Failure), about
            assert answer.code != "bug"


async def test_a_long_journal_is_read_from_near_its_end_and_in_small_steps(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "STEP", 1)
    async with seat(settings) as one:
        order = await one.desk.submit_order(request(limit="140.00"))
        turns, is_over = 0, False

        async def others() -> None:
            nonlocal turns
            while not is_over:
                turns += 1
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as group:
            group.create_task(others())
            told = await explaining.explain(one.desk, order.order_id, utc=False)
            is_over = True
        assert turns >= 3
        assert any("sent 1-single" in line for line in told)
        monkeypatch.setattr(explaining, "RECORDS", 1)
        told = await explaining.explain(one.desk, order.order_id, utc=False)
        assert "older than the last 1 records" in "\n".join(told)
        assert not any("sent 1-single" in line for line in told)
