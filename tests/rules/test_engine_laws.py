"""What holds for any rules at any moment: nothing is raised, and a symbol is traded once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.models import Quote, Session
from ibkr_trader.rules.engine import decide
from ibkr_trader.rules.moment import Account, Holding, Moment, Trigger
from ibkr_trader.rules.rule_memory import RuleMemory
from ibkr_trader.rules.strategy_text import read_strategy
from ibkr_trader.rules.wish_text import kind_of, line_of, terms_of
from ibkr_trader.rules.wishes import Add, Enter, Exit, LetTrail, MoveStop, Wish, traded
from tests.orders.samples import AAPL, AT
from tests.rules.moments import ATR, NEW_YORK, flow, position, ranging, signal, study

D = Decimal
ACTIONS = (
    ("open", 'side = "long"\nstop_loss = "3%"\ntake_profit = ["9%", "3R"]'),
    ("open", 'side = "short"\nstop_loss = "2atr"\nlimit = "0.10"\nreversal = "close_first"'),
    ("scale_in", "fraction = 0.5\nup_to = 15"),
    ("close_all", 'only = "long"'),
    ("close_all", 'only = "short"'),
    ("close_all", ""),
    ("adjust_stop", 'behind = "2atr"'),
    ("adjust_stop", 'to = "cost"'),
    ("trail", 'behind = "2atr"'),
    ("notify", 'message = "{symbol}"'),
    ("halt", 'reason = "enough"'),
)
CONDITIONS = (
    "true",
    "signal.action == 'BUY' or signal.age > 5",
    "flow.value > flow.threshold",
    "position.profit_pct > 1 or position.profit < 0 or position.r > 1",
    "position.minutes >= 0 or position.cost > 0 or position.stop > 0",
    "position.side != 'flat' or position.is_entering",
    "price.last > 1 and price.spread < 10 or price.change_pct > -90",
    "atr(14) > 1 or crosses_above(bar.close, atr(14)) or bar.volume >= 0",
    "time.now > '09:45' and time.weekday in ('mon', 'fri') or time.minutes_to_close < 600",
    "account.equity > 1 or account.positions >= 0 or market.is_open or market.state == 'ACTIVE'",
    "symbol == 'AAPL'",
)
ODD = st.one_of(
    st.none(),
    st.decimals(min_value=-1000, max_value=1000, places=2, allow_nan=False),
    st.sampled_from([D(0), D("NaN"), D("Infinity"), D("1E+6000"), D("1E-6000"), D(-1), D("sNaN")]),
)
SANE = st.none() | st.decimals(min_value="0.01", max_value=500, places=2)
QUANTITY = st.sampled_from([D(0), D(10), D(-10), D("0.5"), D(-1000)])
STUDIES = st.sampled_from([None, ranging(), ranging("0"), study([], ATR), study(["150"], ATR)])
WHEN = st.datetimes(min_value=datetime(2026, 10, 30), max_value=datetime(2026, 12, 1)).map(  # noqa: DTZ001 - the zone follows
    lambda at: at.replace(tzinfo=UTC)
)


@st.composite
def rule_files(draw: st.DrawFn) -> str:
    rules = draw(
        st.lists(
            st.tuples(st.sampled_from(CONDITIONS), st.sampled_from(ACTIONS)), min_size=1, max_size=5
        )
    )
    text = 'name = "s"\nsymbols = ["AAPL"]\n'
    for number, (condition, (action, fields)) in enumerate(rules):
        on = draw(st.booleans()) and not condition.startswith(("signal", "flow"))
        text += f'[[rule]]\nname = "r{number}"\nwhen = "{condition}"\n'
        text += f"priority = {draw(st.integers(0, 3))}\n"
        text += 'on = ["price", "signal", "bar", "time", "position"]\n' if on else ""
        text += f"[rule.{action}]\n{fields}\n"
    return text


@cache
def quotes(figures: st.SearchStrategy[Decimal | None]) -> st.SearchStrategy[Quote | None]:
    return st.none() | st.builds(
        Quote,
        contract=st.just(AAPL),
        at=st.just(AT),
        bid=figures,
        ask=figures,
        last=figures,
        close=figures,
    )


@st.composite
def moments(draw: st.DrawFn, figures: st.SearchStrategy[Decimal | None]) -> Moment:
    held = draw(QUANTITY)
    cost = draw(figures)
    place = position(str(held), "1") if held or draw(st.booleans()) else None
    if place is not None and cost is not None:
        place = type(place)(account="a", contract=AAPL, quantity=held, average_cost=cost)
    now = draw(WHEN)
    opens = now + timedelta(minutes=draw(st.integers(-500, 500)))
    news = draw(st.sampled_from([None, "signal", "flow"]))
    return Moment(
        now=now,
        symbol="AAPL",
        trigger=draw(st.sampled_from(Trigger)),
        zone=NEW_YORK,
        signal=signal(draw(st.sampled_from(["BUY", "SELL", "SHORT", ""])))
        if news == "signal"
        else None,
        flow=flow() if news == "flow" else None,
        quote=draw(quotes(figures)),
        holding=Holding(
            position=place,
            is_known=draw(st.booleans()),
            stop=draw(figures),
            r=draw(figures),
            is_entering=draw(st.booleans()),
            is_leaving=draw(st.booleans()),
        ),
        account=Account(equity=draw(figures), available=draw(figures), day_pnl=draw(figures)),
        state=draw(st.sampled_from(TradingState)),
        session=draw(st.none() | st.just(Session(opens, opens + timedelta(hours=6)))),
        study=draw(STUDIES),
    )


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(rule_files(), moments(ODD), st.booleans(), st.booleans())
def test_whatever_the_moment_is_like_nothing_is_raised(
    text: str, now: Moment, is_shadow: bool, explains: bool
) -> None:
    found = decide(read_strategy(text), RuleMemory(), now, is_shadow=is_shadow, explains=explains)
    for one in found.decided:
        assert kind_of(one.wish)
        assert terms_of(one.wish)
        assert line_of(one.wish)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(rule_files(), moments(SANE))
def test_a_file_at_a_moment_of_legal_figures_has_no_fault_and_trades_a_symbol_once(
    text: str, now: Moment
) -> None:
    verdict = decide(read_strategy(text), RuleMemory(), now)
    assert verdict.faults == {}
    assert sum(1 for one in verdict.decided if traded(one.wish)) <= 1
    for one in verdict.decided:
        check(one.wish, now)


def check(wish: Wish, now: Moment) -> None:
    """What must hold of every wish, whichever rule it comes from."""
    holding = now.holding
    sign = 1 if holding.quantity > 0 else -1
    match wish:
        case Enter():
            mark = wish.limit if wish.limit is not None else now.mark
            assert mark is not None
            assert wish.stop is not None
            assert (mark - wish.stop) * wish.side.sign > 0
            assert all((level - mark) * wish.side.sign > 0 for level in wish.targets)
            assert min(wish.stop, *wish.targets, mark) > 0
        case Add():
            assert holding.is_known
            assert abs(holding.quantity) + wish.quantity <= 15
        case MoveStop():
            assert holding.is_known
            assert wish.level > 0
            assert holding.stop is None or (wish.level - holding.stop) * sign > 0
            assert now.mark is not None
            assert (now.mark - wish.level) * sign > 0
        case LetTrail():
            assert holding.is_known
            assert holding.quantity
        case Exit():
            assert not holding.is_leaving
            if holding.is_known and wish.only is not None:
                assert holding.quantity * wish.only.sign >= 0
        case _:
            assert not traded(wish)
