"""Random days of two strategies, a person and a stranger: everything adds up, always."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import ZERO
from ibkr_trader.portfolio.strategy_accounts import worst_value
from tests.orders.samples import AAPL, MSFT, later
from tests.portfolio.strategy_play import ALPHA, BETA, PERSON, STRANGER, D, Desk, Play

if TYPE_CHECKING:
    from ibkr_trader.core.models import Contract, Fill, OrderId

CONTRACTS = (AAPL, MSFT)
WHO = (ALPHA, BETA, PERSON, STRANGER)
CLOSE_ENOUGH = Decimal("1e-12")  # estimates are divided, and division is cut off somewhere
KINDS = (
    "enter", "enter", "fill", "fill", "cancel", "close", "price", "correct", "charge", "modify",
    "done", "sync",
)  # fmt: skip


def days(*kinds: str) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    deed = st.tuples(
        st.sampled_from(kinds),
        st.sampled_from(WHO),
        st.sampled_from(CONTRACTS),
        st.integers(1, 12),
        st.integers(140, 160),
        st.sampled_from(list(Side)),
    )
    return st.lists(deed, max_size=25)


class Day(Play):
    """A random day; strategies keep to the rule, people and strangers to nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Fill] = []
        self.openers: dict[int, str] = {}  # the oracle: who opened what is held
        self.makers: dict[OrderId, str] = {}
        for contract in CONTRACTS:
            self.price("150", contract)
        self.tell(ev.SyncEvent(at=self.now, epoch=1))

    def do(self, deed: tuple[Any, ...]) -> None:
        what, *rest = deed
        getattr(self, f"_{what}")(*rest)
        judge(self)
        for contract in CONTRACTS:
            if contract.con_id in self.portfolio.positions:
                assert self.owner(contract) == self.openers[contract.con_id]

    def _enter(self, who: str, contract: Contract, size: int, at: int, side: Side) -> None:
        if who == STRANGER:
            self._count(contract, size, side, by=PERSON)
            self.strange_fill(size, side, contract)
        elif who == PERSON or self.owner(contract) in (None, who):
            entry = self.enter(who, size, side, contract=contract, limit_price=D(at))
            self.makers |= dict.fromkeys((entry, *self.portfolio.children[entry]), who)

    def _fill(self, _: str, contract: Contract, size: int, at: int, __: Side) -> None:
        live = [o for o in self.portfolio.orders.values() if o.spec.contract == contract]
        if not live:
            return
        order = live[size % len(live)]
        part = min(D(size), order.spec.quantity - order.filled)
        if part <= 0:
            return
        self._count(contract, int(part), order.spec.side, by=self.makers.get(order.order_id, ""))
        more = {"commission": D(1)} if at % 2 else {}
        self.told.append(self.fill(order.order_id, int(part), str(at), **more))

    def _cancel(self, who: str, contract: Contract, size: int, *_: object) -> None:
        live = [o for o in self.portfolio.orders.values() if o.spec.contract == contract]
        if live:
            origin = "broker" if who == STRANGER else "cli"
            self.cancel(live[size % len(live)].order_id, origin, alone=True)

    def _close(self, who: str, contract: Contract, *_: object) -> None:
        may = who == PERSON or self.owner(contract) == who
        if contract.con_id in self.portfolio.positions and may:
            self.makers[self.close(who, contract)] = who

    def _price(self, _: str, contract: Contract, __: int, at: int, ___: Side) -> None:
        self.price(str(at), contract)

    def _correct(self, _: str, contract: Contract, size: int, at: int, __: Side) -> None:
        known = [fill for fill in self.told if fill.contract == contract]
        if known:  # its price only: the oracle does not look back
            told = known[size % len(known)]
            self.correct(told, int(told.quantity), str(at))

    def _charge(self, _: str, __: Contract, size: int, at: int, ___: Side) -> None:
        if self.told:
            self.charge(self.told[size % len(self.told)], f"0.{at}")

    def _modify(self, who: str, contract: Contract, size: int, at: int, _: Side) -> None:
        live = [o for o in self.portfolio.orders.values() if o.spec.contract == contract]
        if live and who != STRANGER and live[0].spec.limit_price is not None:
            self.modify(live[0].order_id, who, limit_price=D(at), quantity=live[0].filled + size)

    def _done(self, _: str, contract: Contract, *__: object) -> None:
        live = [o for o in self.portfolio.orders.values() if o.spec.contract == contract]
        if live:
            whole = live[0].spec.quantity
            order_id = live[0].order_id
            rest = int(whole - live[0].filled)
            self.tell(ev.DoneEvent(at=self.now, order_id=order_id, filled=whole))
            judge(self)
            if rest > 0:
                maker = self.makers.get(order_id, "")
                self._count(contract, rest, live[0].spec.side, by=maker)
                self.told.append(self.fill(order_id, rest))

    def _sync(self, *_: object) -> None:
        positions = tuple(self.portfolio.positions.values())
        self.tell(ev.SyncEvent(at=self.now, epoch=2, positions=positions))

    def _forget(self, _: str, __: Contract, size: int, *___: object) -> None:
        over = later(self.clock - size)
        self.forget(over)
        self.told = [fill for fill in self.told if fill.at >= over]

    def _count(self, contract: Contract, size: int, side: Side, *, by: str) -> None:
        """The oracle's own rule: who leaves or crosses flat is the opener."""
        known = self.portfolio.positions.get(contract.con_id)
        held = known.quantity if known is not None else ZERO
        if held * (held + size * side.sign) <= 0:
            self.openers[contract.con_id] = by


def total(parts: list[Decimal | None]) -> Decimal | None:
    known = [one for one in parts if one is not None]
    return sum(known, ZERO) if len(known) == len(parts) else None


def same(one: Decimal | None, other: Decimal | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) < CLOSE_ENOUGH


def judge(desk: Desk) -> None:
    """The parts are the whole: money, messages, capital."""
    accounts = desk.accounts
    every = [accounts.account(name) for name in (ALPHA, BETA, PERSON)]
    assert set(accounts.names()) <= {ALPHA, BETA, PERSON}
    assert same(total([one.net for one in every]), desk.pnl.net)
    parts = [one.pnl for one in every if one.pnl is not None]
    assert same(sum((one.realized for one in parts), ZERO), desk.pnl.realized)
    assert same(sum((one.commission for one in parts), ZERO), desk.pnl.commission)
    for name in ("orders", "changes", "cancels", "executions"):
        counted = sum(getattr(one.day.traffic, name) for one in every)
        assert counted == getattr(desk.traffic, name), name
    if not desk.book.unheard:
        marks = desk.portfolio.marks
        worths = [worst_value(one, marks[c]) for c, one in desk.exposure.contracts.items()]
        assert total([one.capital for one in every]) == total(worths)
    held = [con_id for one in every for con_id in one.positions]
    assert sorted(held) == sorted(set(held)), "one owner each"


def picture(desk: Desk) -> tuple[object, ...]:
    accounts = desk.accounts
    every = [accounts.account(name) for name in (ALPHA, BETA, PERSON)]
    return accounts.owners, every, {k: v for k, v in desk.book.days.items() if v.traffic.messages}


def is_same(one: Desk, other: Desk) -> None:
    owners, every, days = picture(one)
    others, each, days_too = picture(other)
    assert (owners, days) == (others, days_too)
    assert isinstance(every, list)
    assert isinstance(each, list)
    for mine, theirs in zip(every, each, strict=True):
        assert (mine.positions, mine.capital, mine.day) == (
            theirs.positions,
            theirs.capital,
            theirs.day,
        )
        assert same(mine.net, theirs.net)


@settings(max_examples=150, deadline=None)
@given(days(*KINDS, "forget"))
def test_everything_adds_up_at_every_step(day: list[tuple[Any, ...]]) -> None:
    play = Day()
    for deed in day:
        play.do(deed)


@settings(max_examples=150, deadline=None)
@given(days(*KINDS, "forget"), days(*KINDS))
def test_a_restart_at_any_point_gives_the_same_book(
    before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]
) -> None:
    play = Day()
    for deed in before:
        play.do(deed)
    again = play.restarted()
    judge(again)
    is_same(play, again)
    count = len(play.events)
    for deed in after:
        play.do(deed)
    for event in play.events[count:]:
        again.hear(event)
        judge(again)
    is_same(play, again)
    is_same(play, play.restarted())
