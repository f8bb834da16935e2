"""What holds of every shadow's book, whatever is decided and wherever the market goes."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.enums import Side, WouldBe
from ibkr_trader.rules.wishes import Wish
from tests.rules.shadow_samples import D, add, bar, enter, leave, move, quote
from tests.rules.test_shadow_book import Play, replayed

CENTS = st.integers(8_000, 12_000).map(lambda one: Decimal(one) / 100)
SIDES = st.sampled_from(Side)


@st.composite
def entries(draw: st.DrawFn) -> Wish:
    side, count = draw(SIDES), draw(st.integers(1, 9))
    aways = sorted(draw(st.lists(st.integers(1, 15), max_size=3)))
    return enter(
        side,
        count,
        stop=D(100) - side.sign * draw(st.integers(1, 15)),
        targets=tuple(D(100 + side.sign * one) for one in aways),
        limit=draw(st.none() | CENTS) if draw(st.booleans()) else None,
        reverses=draw(st.booleans()),
    )


@st.composite
def bars(draw: st.DrawFn) -> object:
    first, last, *others = (draw(CENTS) for _ in range(4))
    every = (first, last, *others)
    return bar(*map(str, (first, max(every), min(every), last)))


WISHES = st.one_of(
    entries(),
    st.builds(add, st.integers(1, 5)),
    st.builds(leave, st.none() | SIDES),
    CENTS.map(lambda one: move(str(one))),
)
QUOTES = CENTS.map(lambda one: quote(str(one), str(one + D("0.02"))))
STEPS = st.lists(st.one_of(WISHES, bars(), QUOTES), max_size=40)


def played(steps: list[object]) -> Play:
    play = Play()
    for step in steps:
        if hasattr(step, "contract"):
            play.see(step)  # type: ignore[arg-type] # a quote or a bar
        else:
            play.decide(step)
    return play


@given(STEPS)
def test_what_is_held_is_the_sum_of_the_executions(steps: list[object]) -> None:
    play = played(steps)
    total = sum((one.quantity * one.side.sign for one in play.fills), Decimal(0))
    assert play.held == total
    assert all(one.quantity > 0 and one.price > 0 for one in play.fills)


@given(STEPS)
def test_gains_are_what_a_plain_account_of_the_executions_has(steps: list[object]) -> None:
    play = played(steps)
    money, held, gains = Decimal(0), Decimal(0), Decimal(0)
    for one in play.fills:
        held += one.quantity * one.side.sign
        money -= one.quantity * one.price * one.side.sign + one.commission
        assert (one.gain is None) == (held != 0)
        if one.gain is not None:
            gains += one.gain
            assert gains == money
    assert play.book.gain == gains
    assert play.book.trips == sum(1 for one in play.fills if one.gain is not None)


@given(STEPS)
def test_of_one_entry_the_stop_and_the_targets_never_trade_twice(steps: list[object]) -> None:
    closed: defaultdict[str, Decimal] = defaultdict(Decimal)
    stopped: set[str] = set()
    for one in played(steps).fills:
        if one.kind in {WouldBe.STOP, WouldBe.TARGET}:
            assert one.decision_id not in stopped, "something trades after its stop has"
            closed[one.decision_id] += one.quantity
        if one.kind is WouldBe.STOP:
            stopped.add(one.decision_id)
    assert all(one > 0 for one in closed.values())


@given(STEPS)
def test_no_execution_goes_through_flat(steps: list[object]) -> None:
    held = Decimal(0)
    for one in played(steps).fills:
        after = held + one.quantity * one.side.sign
        assert held * after >= 0
        held = after


@given(STEPS)
def test_the_journal_alone_comes_to_the_same_book(steps: list[object]) -> None:
    play = played(steps)
    assert replayed(play.record) == play.book
