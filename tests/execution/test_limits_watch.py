from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ibkr_trader.adapters.limits_file import LimitsFile
from ibkr_trader.adapters.limits_reader import read_limits
from ibkr_trader.adapters.limits_writer import text_of
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core.enums import Side
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.core.events import ErrorEvent, LimitsEvent
from ibkr_trader.execution import limits_watch
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.limits_watch import LimitsWatch
from ibkr_trader.risk.arming import Arming
from ibkr_trader.risk.limits import LIMIT_KEYS, SymbolLimitRegistry
from ibkr_trader.risk.limits_reading import LimitsReading
from tests.adapters.limits_parts import NAMES, registries
from tests.execution.parts import INSTALL, LIMITS, START, Floor, FullDisk, request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ibkr_trader.execution.ports import Journal
    from ibkr_trader.execution.trader import Trader


def sized(**shares: int) -> str:
    entries = ", ".join(f'"{name}": {{"max_position_size": {n}}}' for name, n in shares.items())
    return f'{{"symbol_limits": {{{entries}}}}}'


def holds(trader: Trader, symbol: str = "AAPL") -> int:
    return int(trader.outlook.view().symbol_limit(symbol).max_position_size)


def fault(trader: Trader) -> str:
    return trader.outlook.view().limits_fault


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder / "symbol_limits.json"


@asynccontextmanager
async def watched(path: Path, journal: Journal | None = None) -> AsyncIterator[Trader]:
    async with Floor().trader(journal=journal or MemoryJournal(INSTALL)) as trader:
        LimitsWatch(trader, LimitsFile(path.parent, LIMITS), LIMITS).attach()
        yield trader


def watch_of(trader: Trader) -> LimitsWatch:
    watch = trader.outlook.book.limits_watch
    assert watch is not None
    return watch


async def test_symbol_limits_validation(path: Path) -> None:
    path.write_text(
        '{"symbol_limits": {"AAPL": {"max_position_size": 50, "max_order_exposure": 5000.0}}}'
    )
    async with watched(path) as trader:
        desk = Desk(trader, timeout=2)
        with pytest.raises(RiskCheckError) as denied:
            await desk.submit_order(request(51))
        found = {one.check: (one.limit, one.headroom) for one in denied.value.breaches}
        assert found == {"position_size": ("50", "50"), "order_exposure": ("5000", "5000")}
        await desk.submit_order(request(33))


async def test_symbol_limits_persistence(path: Path) -> None:
    """What is set is in force for the next desk, whatever the one before knew."""
    journal = MemoryJournal(INSTALL)
    file = LimitsFile(path.parent, LIMITS)
    file.change("AAPL", {"max_position_size": Decimal(20)})
    file.change("AAPL", {"max_daily_loss": Decimal(200)})
    for _ in range(2):
        async with watched(path, journal) as trader:
            with pytest.raises(RiskCheckError, match="the limit is 20"):
                await Desk(trader, timeout=2).submit_order(request(21))
            assert trader.outlook.view().symbol_limit("AAPL").max_daily_loss == 200


async def test_the_file_is_in_force_from_the_first_review_on(path: Path) -> None:
    path.write_text(sized(AAPL=50))
    async with watched(path) as trader:
        assert (holds(trader), holds(trader, "MSFT"), fault(trader)) == (50, 100, "")


async def test_without_a_file_the_global_limits_hold(path: Path) -> None:
    async with watched(path) as trader:
        assert (holds(trader), fault(trader)) == (100, "")
        watch_of(trader).settle()
        assert trader.outlook.book.limits is None
        path.write_text(sized(AAPL=40))
        assert holds(trader) == 40


async def test_what_is_tighter_holds_at_once_and_what_is_looser_waits(path: Path) -> None:
    path.write_text(sized(AAPL=50, MSFT=50))
    async with watched(path) as trader:
        assert holds(trader) == 50
        path.write_text(sized(AAPL=40, MSFT=60))
        assert (holds(trader), holds(trader, "MSFT")) == (40, 50)
        path.write_text(sized(AAPL=45))
        assert (holds(trader), holds(trader, "MSFT")) == (40, 50)
        waiting = watch_of(trader).waiting()
        assert [(one.symbol, one.before, one.after) for one in waiting] == [
            ("AAPL", Decimal(40), Decimal(45)),
            ("MSFT", Decimal(50), Decimal(100)),
        ]
        assert watch_of(trader).loosen() == waiting
        assert (holds(trader), holds(trader, "MSFT")) == (45, 100)
        assert watch_of(trader).waiting() == ()
        assert watch_of(trader).loosen() == ()


@pytest.mark.parametrize(
    ("arming", "msft"),
    [
        (Arming(is_live=True, until=START + timedelta(hours=1)), 50),
        (Arming(is_live=True, until=START), 70),  # it is over
        (Arming(is_live=True), 70),
        (Arming(), 70),  # no real money
    ],
)
async def test_a_live_desk_that_starts_armed_goes_on_with_the_limits_it_was_armed_under(
    path: Path, arming: Arming, msft: int
) -> None:
    journal = MemoryJournal(INSTALL)
    path.write_text(sized(AAPL=50, MSFT=50))
    async with watched(path, journal) as trader:
        holds(trader)
        watch_of(trader).settle()
    path.write_text(sized(AAPL=40, MSFT=70))
    async with watched(path, journal) as trader:
        trader.outlook.book.arming = lambda: arming
        assert (holds(trader), holds(trader, "MSFT")) == (40, msft)
        assert [one.symbol for one in watch_of(trader).waiting()] == ["MSFT"] * (msft == 50)
        watch_of(trader).settle()
        trader.outlook.book.arming = Arming
        watch_of(trader).loosen()
        assert holds(trader, "MSFT") == 70


async def test_what_was_looser_and_is_tight_again_never_held(path: Path) -> None:
    path.write_text(sized(AAPL=50))
    async with watched(path) as trader:
        for shares in (50, 80, 50):
            path.write_text(sized(AAPL=shares))
            assert holds(trader) == 50
        assert watch_of(trader).waiting() == ()


async def test_a_damaged_file_loosens_nothing_and_opens_nothing(path: Path) -> None:
    path.write_text(sized(AAPL=50))
    async with watched(path) as trader:
        desk = Desk(trader, timeout=2)
        await desk.submit_order(request(10))
        assert await trader.until(lambda p: p.positions or None, timeout=2)
        path.write_text('{"symbol_limits": {"AAPL": {"max_position_size": 0}, "msft": {}}}')
        with pytest.raises(RiskCheckError) as denied:
            await desk.submit_order(request(1))
        said = [one.message for one in denied.value.breaches if one.check == "limits_file"]
        assert [one.removeprefix(str(path)).strip() for one in said] == [
            (
                "line 1, column 50: symbol_limits.AAPL.max_position_size: it must be above 0; "
                'write for example "50".'
            ),
            "line 1, column 54: symbol_limits.msft: it is in lower case: write MSFT.",
        ]
        assert holds(trader) == 50
        assert watch_of(trader).waiting() == ()
        await desk.submit_order(request(10, side=Side.SELL))  # closing goes on
        path.write_text(sized(AAPL=70))
        assert (fault(trader), holds(trader)) == ("", 50)


async def test_loosening_waits_while_the_file_is_damaged(path: Path) -> None:
    path.write_text(sized(AAPL=50))
    async with watched(path) as trader:
        holds(trader)
        path.write_text(sized(AAPL=60))
        holds(trader)
        path.write_text("{")
        assert watch_of(trader).loosen() == ()
        assert holds(trader) == 50


async def test_what_is_in_force_is_put_on_record_once(path: Path) -> None:
    path.write_text(sized(AAPL=50))
    journal = MemoryJournal(INSTALL)
    async with watched(path, journal) as trader:
        for content in (sized(AAPL=50), " " + sized(AAPL=50), sized(AAPL=60), sized(AAPL=40)):
            path.write_text(content)
            holds(trader)
            watch_of(trader).settle()
    told = [one for _, one in journal.messages() if isinstance(one, LimitsEvent)]
    read = [read_limits(one.content.encode(), LIMITS).registry for one in told]
    assert [one.own("AAPL", "max_position_size") for one in read if one] == [50, 40]


@pytest.mark.parametrize("marks", [False, True])
async def test_a_file_that_is_gone_is_missed_by_the_next_process(marks: bool, path: Path) -> None:
    journal = MemoryJournal(INSTALL)
    path.write_text(sized(AAPL=50))
    async with watched(path, journal) as trader:
        holds(trader)
        watch_of(trader).settle()
        if marks:
            trader.recovery.checkpoint()
    path.unlink()
    async with watched(path, journal) as trader:
        assert holds(trader) == 50
        assert fault(trader).startswith(f"{path} is missing, and limits of 1 symbol were in force")
        path.write_text("{}")  # none are meant
        assert (fault(trader), holds(trader)) == ("", 50)
        assert [one.after for one in watch_of(trader).loosen()] == [100]
        watch_of(trader).settle()
        path.unlink()
        assert (fault(trader), holds(trader)) == ("", 100)


async def test_a_file_that_goes_while_the_trader_runs_is_missed(path: Path) -> None:
    path.write_text('{"default_limits": {"max_position_size": 30}}')
    async with watched(path) as trader:
        assert holds(trader) == 30
        path.unlink()
        assert holds(trader) == 30
        assert "is missing, and limits for every symbol were in force" in fault(trader)


async def test_a_file_that_is_damaged_at_the_start_leaves_what_was_in_force(path: Path) -> None:
    journal = MemoryJournal(INSTALL)
    path.write_text(sized(AAPL=50))
    async with watched(path, journal) as trader:
        holds(trader)
        watch_of(trader).settle()
    path.write_text(sized(AAPL=50)[:-5])
    async with watched(path, journal) as trader:
        assert holds(trader) == 50
        assert "the file ends too early" in fault(trader)


async def test_a_record_that_cannot_be_read_counts_as_lost_limits(path: Path) -> None:
    async with watched(path) as trader:
        now = trader.clock.now()
        trader.record.write([LimitsEvent(at=now, content="of another version")])
        assert "is missing" in fault(trader)


async def test_a_fault_is_said_aloud_once_and_with_its_end_again(path: Path) -> None:
    heard: list[str] = []
    async with watched(path) as trader:
        trader.bus.subscribe(ErrorEvent, lambda event: heard.append(event.message))
        for content in ("{", "{", sized(AAPL=50), "["):
            path.write_text(content)
            holds(trader)
            watch_of(trader).settle()
    assert len(heard) == 2
    assert all(one.startswith(f"nothing is opened: {path} line 1") for one in heard)


async def test_a_full_disk_keeps_no_limit_from_holding(path: Path) -> None:
    journal = FullDisk(INSTALL)
    async with watched(path, journal) as trader:
        journal.is_full = True
        path.write_text(sized(AAPL=50))
        assert holds(trader) == 50
        watch_of(trader).settle()
        assert trader.outlook.book.limits is not None
        journal.is_full = False


async def test_many_faults_are_not_all_listed(path: Path) -> None:
    path.write_text(sized(**{f"a{number}": 5 for number in range(25)}))
    async with watched(path) as trader:
        lines = fault(trader).splitlines()
    assert (len(lines), lines[-1]) == (11, f"{path}: and 15 more")


async def test_the_trader_looks_by_itself(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_watch, "_BEAT", 0.001)
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with watched(path) as trader, asyncio.TaskGroup() as tasks:
        trader.bus.subscribe(LimitsEvent, lambda event: heard.put_nowait(event.content))
        work = tasks.create_task(watch_of(trader).work())
        for shares in (50, 40):
            path.write_text(sized(AAPL=shares))
            async with asyncio.timeout(5):
                assert f'"{shares}"' in await heard.get()
        work.cancel()


class Page:
    """A limits file that is whatever was last written on it."""

    name = "page"

    def __init__(self) -> None:
        self.content = b""
        self.writings = 0

    def write(self, content: bytes) -> None:
        self.content = content
        self.writings += 1

    def mark(self) -> object:
        return self.writings

    def read(self) -> LimitsReading:
        found = read_limits(self.content, LIMITS)
        return LimitsReading(registry=found.registry, faults=found.faults, mark=self.writings)

    def parse(self, content: str) -> LimitsReading:
        return read_limits(content.encode(), LIMITS)

    def text(self, registry: SymbolLimitRegistry) -> str:
        return text_of(registry)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(registries(), st.data())
def test_whatever_becomes_of_the_file_nothing_is_looser(
    registry: SymbolLimitRegistry, data: st.DataObject
) -> None:
    """Cut off, flipped, or another one in its place: until somebody loosens, limits only shrink."""

    async def play() -> None:
        async with Floor().trader() as trader:
            page = Page()
            page.write(text_of(registry).encode())
            watch = LimitsWatch(trader, page, LIMITS)
            watch.attach()
            held = trader.outlook.view().symbol_limits
            for _ in range(data.draw(st.integers(1, 4))):
                page.write(_spoilt(page.content, data))
                now = trader.outlook.view().symbol_limits
                for symbol in (*NAMES, "NVDA"):
                    _not_looser(held, now, symbol)
                held = now

    asyncio.run(play())


def _spoilt(content: bytes, data: st.DataObject) -> bytes:
    deed = data.draw(st.sampled_from(["cut", "flip", "other"]))
    if deed == "other" or not content:
        return text_of(data.draw(registries())).encode()
    place = data.draw(st.integers(0, len(content) - 1))
    if deed == "cut":
        return content[:place]
    flipped = bytes([content[place] ^ 1 << data.draw(st.integers(0, 7))])
    return content[:place] + flipped + content[place + 1 :]


def _not_looser(before: SymbolLimitRegistry, after: SymbolLimitRegistry, symbol: str) -> None:
    old, new = before.get_limit(symbol, LIMITS), after.get_limit(symbol, LIMITS)
    for key in LIMIT_KEYS:
        was, will = getattr(old, key), getattr(new, key)
        assert was is None or (will is not None and will <= was)
