"""What the checks say, to the letter: the words are a part of the product.

`words.txt` beside this file has every gauge of a busy desk, and breaches that the tests of
single checks only touch. `python -m tests.risk.test_check_words` writes it anew; read what
has changed before you keep it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from ibkr_trader.core.commands import Command
from ibkr_trader.core.enums import OcaType, OrderRole, OrderStatus, OrderType, TradingState
from ibkr_trader.core.events import DriftEvent, StateEvent
from ibkr_trader.core.models import AccountValues, Order, Position
from ibkr_trader.core.tallies import Refusal, Strikes, Traffic
from ibkr_trader.portfolio.pnl import ContractPnl, DayPnl
from ibkr_trader.risk.arming import Arming
from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.limits import SymbolLimitRegistry, SymbolLimits
from ibkr_trader.risk.switch import TradingSwitch
from ibkr_trader.risk.view import FactMissing, RiskView
from tests.risk.world import (
    AAPL,
    ACCOUNT,
    MSFT,
    NOW,
    D,
    aged,
    bracket,
    held,
    judge,
    limit,
    limits,
    modify,
    portfolio,
    quote,
    spec,
    stop,
    submit,
    view,
    working,
)

WORDS = Path(__file__).with_name("words.txt")
POOR = AccountValues(
    account=ACCOUNT,
    net_liquidation=D(20_000),
    available_funds=D(15_000),
    day_trades_left=D(1),
)


def touched(side: str, size: int, at: str, name: str = "t-1-single", **more: Any) -> Any:
    return spec(side, size, name, order_type=OrderType.MARKET_IF_TOUCHED, stop_price=at, **more)


def halted(symbol: str = "") -> TradingSwitch:
    event = StateEvent(
        at=NOW, state=TradingState.HALTED, reason="enough", symbol=symbol, origin="cli"
    )
    return TradingSwitch().after(event)


def lost(amount: str) -> DayPnl:
    one = ContractPnl(contract=AAPL, realized=-D(amount))
    return msgspec.structs.replace(DayPnl(), contracts={1: one})


def busy(**changes: Any) -> RiskView:
    """A desk in the middle of a day: two positions, orders, some trouble."""
    parts: list[Order | Position] = [
        held(40),
        held(-5, MSFT, cost="300"),
        working(stop("SELL", 40, "145", "t-1-stop", role=OrderRole.STOP)),
        working(limit("BUY", 20, "148", "t-2-single")),
        working(limit("SELL", 5, "310", "t-3-single", contract=MSFT)),
    ]
    facts: dict[str, Any] = {
        "traffic": Traffic(since=NOW, orders=150, changes=90, cancels=20, executions=12),
        "strikes": Strikes(refusals=(Refusal(NOW, "AAPL"),), unanswered=("t-9",)),
        "sectors": {"AAPL": "Technology", "MSFT": "Technology"},
        "switch": halted("MSFT"),
        "clock_skew": timedelta(seconds=3),
        "symbol_limits": SymbolLimitRegistry(
            symbols={"AAPL": SymbolLimits(symbol="AAPL", max_position_size=D(50))}
        ),
    }
    return view(*parts, **(facts | changes))


def drifted() -> RiskView:
    drift = DriftEvent(at=NOW, subject="position AAPL", ours="10", theirs="20")
    state = msgspec.structs.replace(portfolio(held(10)), drift={"position AAPL": drift})
    return view(portfolio=state)


def with_values(values: AccountValues, *parts: Order | Position) -> RiskView:
    return view(portfolio=portfolio(*parts, values=values))


def stop_limit(side: str, size: int, at: str, worst: str) -> Any:
    return spec(side, size, order_type=OrderType.STOP_LIMIT, stop_price=at, limit_price=worst)


BROKE = AccountValues(account=ACCOUNT, net_liquidation=D(5_000), available_funds=D(900))
LIVE = Arming(is_live=True, reason="nobody has armed it")
WASTEFUL = Traffic(since=NOW, orders=200, changes=90, cancels=20, executions=4)
PROTECTED: tuple[Any, ...] = (
    held(50),
    working(stop("SELL", 50, "146", "t-1-stop", role=OrderRole.STOP)),
)
TROUBLE: tuple[Any, ...] = (
    working(limit("BUY", 10, "148", "t-2-single"), OrderStatus.UNKNOWN),
    working(limit("BUY", 10, "148", "t-3-single"), OrderStatus.PENDING_CANCEL),
    working(limit("BUY", 10, "148", "foreign-4"), is_foreign=True),
    working(limit("BUY", 10, "148", "t-5-single")),
)
_EVENING = NOW + timedelta(hours=9)
_EARLY = NOW - timedelta(minutes=28)
_LATE = NOW + timedelta(hours=5, minutes=50)
_ALIKE: dict[str, Any] = {"oca_group": "t-1-oca", "oca_type": OcaType.CANCEL}
BREACHES: list[tuple[str, Command, RiskView]] = [
    ("stop_side", submit(touched("BUY", 10, "151")), view()),
    ("stop_side", submit(touched("SELL", 10, "149")), view()),
    ("stop_side", bracket(loss="150.05"), view()),
    ("stop_side", bracket(loss="149.90"), view()),
    ("stop_side", bracket(loss="100"), view()),
    ("stop_side", bracket(profit="149"), view()),
    ("day_trades", bracket(), with_values(POOR)),
    ("market_hours", bracket(), view(now=_EVENING)),
    ("market_hours", bracket(), view(now=_EARLY)),
    ("market_hours", bracket(), view(now=_LATE)),
    ("market_order", bracket(), view(quotes={1: aged(quote("145", "155"))})),
    ("market_order", bracket(), view(quotes={1: aged(quote(None, "155"))})),
    ("quote_sane", bracket(), view(quotes={1: aged(quote(None, "155"))})),
    ("quote_sane", bracket(), view(quotes={1: aged(quote("151", "150"))})),
    ("quote_sane", bracket(), view(quotes={1: aged(quote(last=D(200)))})),
    ("quote_fresh", bracket(), view(quotes={1: aged(quote(), 9)})),
    ("trading_state", bracket(), view(trading_state=TradingState.REDUCING, state_reason="a disk")),
    (
        "trading_state",
        bracket(),
        view(trading_state=TradingState.HALTED, state_reason="enough", switch=halted()),
    ),
    ("trading_state", bracket(), view(trading_state=TradingState.HALTED, state_reason="a file")),
    ("trading_state", bracket(), view(switch=halted("AAPL"))),
    (
        "opposing",
        submit(
            limit("BUY", 10, "150", "t-1-a", **_ALIKE), limit("SELL", 10, "149", "t-1-b", **_ALIKE)
        ),
        view(),
    ),
    ("one_side", submit(spec("SELL", 20)), view(held(10))),
    ("one_side", submit(spec("SELL", 5)), view(working(limit("BUY", 5, "149", "t-7-single")))),
    ("drift", bracket(), drifted()),
    ("clock_skew", bracket(), view(clock_skew=timedelta(seconds=3))),
    ("clock_skew", bracket(), view(clock_skew=timedelta(hours=-1))),
    ("daily_loss", bracket(), view(pnl=lost("500"))),
    ("daily_loss", bracket(), view(pnl=lost("800"))),
    ("daily_loss", bracket(), view(pnl=lost("1200"))),
    ("drawdown", bracket(), view(equity_peak=D(1_026_000))),
    ("drawdown", bracket(), view(equity_peak=D(1_060_000))),
    ("order_form", submit(limit("BUY", 10, "-3")), view()),
    ("order_form", submit(spec("BUY", "10.5")), view()),
    ("order_form", submit(spec("BUY", "0")), view()),
    ("order_form", submit(spec("BUY", 10, order_type=OrderType.LIMIT)), view()),
    ("order_form", submit(spec("BUY", 10, limit_price="3")), view()),
    ("order_form", submit(spec("BUY", 10, broker_order_id=0)), view()),
    ("command_form", submit(limit("SELL", 5, "160", "t-1-x", parent_id="t-0-entry")), view()),
    ("command_form", modify("t-9-single", quantity=4), view()),
    ("protective_plan", submit(spec("BUY", 10)), view()),
    ("risk_per_trade", bracket(100, loss="140"), view()),
    ("order_quantity", bracket(150), view()),
    ("order_exposure", bracket(90), view()),
    ("position_size", bracket(50), view(held(60))),
    ("instrument", submit(spec("BUY", 10, contract=msgspec.structs.replace(AAPL, currency="EUR"))),
     view()),
    ("working_orders", bracket(), view(limits=msgspec.structs.replace(view().limits, max_working=6,
     closing_reserve=5))),
    ("short_sales", submit(spec("SELL", 10)), view(quotes={1: aged(quote(shortable=D(1)))})),
    ("short_sales", submit(spec("SELL", 10)), view(quotes={1: aged(quote())})),
    ("price_collar", submit(limit("BUY", 10, "152.50")), view()),
    ("price_collar", submit(limit("SELL", 10, "147.50")), view()),
    ("price_collar", submit(limit("SELL", 10, "120")), view(held(10))),
    ("price_collar", submit(stop_limit("BUY", 10, "155", "165")), view()),
    ("risk_per_trade", bracket(30, loss="140"), view()),
    ("risk_per_trade", bracket(1, loss="140"), view(limits=limits(max_risk_per_trade=D(5)))),
    ("risk_per_trade", modify(PROTECTED[1], stop_price="141"), view(*PROTECTED)),
    ("working_orders", bracket(), view(limits=limits(max_working_per_side=1))),
    ("command_form", modify(TROUBLE[0], quantity=4), view(*TROUBLE)),
    ("command_form", modify(TROUBLE[1], quantity=4), view(*TROUBLE)),
    ("command_form", modify(TROUBLE[2], quantity=4), view(*TROUBLE)),
    ("command_form", modify(TROUBLE[3], quantity=10), view(*TROUBLE)),
    ("command_form", submit(spec("BUY", 10), spec("BUY", 10)), view()),
    ("protective_plan", bracket(10, exits=6), view()),
    ("protective_plan", submit(spec("BUY", 10)), view(arming=LIVE)),
    (
        "protective_plan",
        submit(
            limit("BUY", 10, "145", "t-1-a", **_ALIKE),
            limit("SELL", 10, "155", "t-1-b", **_ALIKE),
            kind="oco",
        ),
        view(),
    ),
    ("armed", bracket(), view(arming=LIVE)),
    ("account", bracket(), view(account="SIM0000002")),
    ("knowledge", bracket(), view(is_synced=False)),
    ("knowledge", bracket(), view(working(limit("BUY", 1, "149", "t-8-x"), OrderStatus.UNKNOWN))),
    ("limits_file", bracket(), view(limits_fault="symbol_limits.json line 3: no number")),
    ("halted", bracket(), view(quotes={1: aged(quote(halted=True))})),
    ("halted", bracket(), view(unhalted={1: NOW - timedelta(minutes=2)})),
    ("blackout", bracket(), view(limits=limits(blackouts=frozenset({"14:00-16:00"})))),
    ("buying_power", bracket(), with_values(BROKE)),
    ("worst_case_exposure", bracket(100), with_values(BROKE)),
    ("open_positions", bracket(), view(held(1, MSFT), limits=limits(max_open_positions=1))),
    ("order_efficiency", bracket(), view(traffic=WASTEFUL)),
    ("heat", bracket(100, loss="130"), with_values(BROKE)),
    ("tick", submit(limit("BUY", 10, "149.123")), view()),
    ("reduce_only", submit(stop("SELL", 15, "145", role=OrderRole.STOP)), view(held(10))),
]  # fmt: skip


def lines() -> Iterator[str]:
    """Yield every gauge of the busy desk, then every breach."""
    desk = busy()
    for name, check in sorted(CHECKS.items()):
        assert check.gauge is not None
        try:
            found = list(check.gauge(desk))
        except FactMissing as fact:
            yield f"{name} | MISSING {fact.message} | {fact.about} | {fact.hint}"
            continue
        for gauge in found:
            figures = f"{gauge.used} of {gauge.limit} {gauge.unit.name}"
            yield f"{gauge.check} | {gauge.subject} | {figures} | {gauge.note}"
    for name, command, world in BREACHES:
        yield ""
        yield f"{name}: {len(judge(name, command, world))}"
        for breach in judge(name, command, world):
            kind = "note" if breach.is_warning else "denied"
            figures = f"{breach.actual} of {breach.limit}, {breach.headroom} left"
            yield f"  {breach.check} {kind}: {breach.message} | {figures} | {breach.hint}"


def test_every_word_is_as_it_was_read_and_approved() -> None:
    assert "\n".join(lines()) + "\n" == WORDS.read_text(encoding="utf-8")


if __name__ == "__main__":
    WORDS.write_text("\n".join(lines()) + "\n", encoding="utf-8")
