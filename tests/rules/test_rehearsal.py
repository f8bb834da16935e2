from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import SignalAction, WouldBe
from ibkr_trader.core.models import Bar, Session
from ibkr_trader.core.signals import Claim, FlowClaim, Malformed
from ibkr_trader.rules.admission import Admission
from ibkr_trader.rules.moment import Trigger
from ibkr_trader.rules.rehearsal import Happening, Rehearsal, Setting, hours_of, in_order
from ibkr_trader.rules.strategy_text import read_strategy
from tests.rules.shadow_samples import AAPL, MINUTE, NOON, D, bar

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY = timedelta(days=1)
HEAD = 'name = "one"\nsymbols = ["AAPL"]\n'
OPEN = '[rule.open]\nside = "long"\nsize = "10"\nstop_loss = "5%"\ntake_profit = "5%"\n'
UP = (
    HEAD
    + '[[rule]]\nname = "Up"\nwhen = "bar.close > 100 and position.is_flat"\non = ["bar"]\n'
    + OPEN
)
SIGNAL = HEAD + '[[rule]]\nname = "S"\nwhen = "signal.action == \'BUY\'"\n' + OPEN


def run(text: str, happenings: Iterable[Happening], **setting: Any) -> list[ev.BaseEvent]:
    on = Rehearsal.of(read_strategy(text), Setting(**{"part": MINUTE, **setting}))
    found: list[ev.BaseEvent] = []
    for one in happenings:
        on, events = on.after(one)
        found += events
    return found


def bars(*rows: str) -> list[Bar]:
    return [bar(*row.split(), at=NOON + number * MINUTE) for number, row in enumerate(rows)]


def claim(seconds: int = 90, **fields: Any) -> Happening:
    at = NOON + timedelta(seconds=seconds)
    usual: dict[str, Any] = {
        "source": "s", "signal_id": "1", "ticker": "AAPL", "action": SignalAction.BUY,
        "confidence": D("0.9"), "issued_at": at,
    }  # fmt: skip
    return Happening(at, Claim(**{**usual, **fields}))


def only(events: list[ev.BaseEvent], kind: type[Any]) -> list[Any]:
    return [one for one in events if isinstance(one, kind)]


def test_what_a_bar_decides_meets_the_next_bar_and_nothing_of_the_past() -> None:
    found = run(UP, in_order([bars("99 101 98 101", "103 104 102 103", "103 109 102 108")], MINUTE))
    (decision,) = only(found, ev.DecisionEvent)[:1]
    assert (decision.at, decision.price) == (NOON + MINUTE, D(101))
    assert (decision.decision_id, decision.cause) == ("r-1", "bar")
    entry, target = only(found, ev.WouldFillEvent)
    assert (entry.kind, entry.price) == (WouldBe.ENTRY, D("103.0206"))
    assert entry.at == NOON + 2 * MINUTE
    assert (target.kind, target.price) == (WouldBe.TARGET, D("106.05"))


def test_twice_is_the_same() -> None:
    rows = bars(*(f"{100 + n % 7} {109 + n % 5} {90 - n % 3} {98 + n % 6}" for n in range(50)))
    first, second = (run(UP, in_order([rows], MINUTE)) for _ in range(2))
    assert first == second
    assert only(first, ev.WouldFillEvent)


def test_a_signal_waits_for_a_bar_that_begins_after_it() -> None:
    rows = bars("100 101 99 100", "50 51 49 50", "100 101 99 100")
    found = run(SIGNAL, in_order([rows], MINUTE, [claim(90)]))
    (fill,) = only(found, ev.WouldFillEvent)
    assert (fill.price, fill.at) == (D("100.02"), NOON + 3 * MINUTE)
    (decision,) = only(found, ev.DecisionEvent)
    assert (decision.cause, decision.price) == ("s/1", D(100))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"confidence": D("0.5")}, "low_confidence"),
        ({"ticker": "MSFT"}, "unknown_symbol"),
        ({"issued_at": NOON - timedelta(hours=1)}, "stale"),
    ],
)
def test_a_signal_that_is_not_taken_says_why(fields: dict[str, Any], code: str) -> None:
    (refused,) = run(SIGNAL, [claim(**fields)])
    assert isinstance(refused, ev.SignalRefusedEvent)
    assert refused.code == code
    assert refused.message


def test_a_signal_is_taken_once() -> None:
    rows = in_order([bars("100 101 99 100")], MINUTE, [claim(90), claim(91)])
    assert [one.code for one in only(run(SIGNAL, rows), ev.SignalRefusedEvent)] == ["duplicate"]


def test_what_is_no_signal_is_refused() -> None:
    (refused,) = run(SIGNAL, [Happening(NOON, Malformed(source="s", message="no"))])
    assert isinstance(refused, ev.SignalRefusedEvent)
    assert (refused.code, refused.message, refused.ticker) == ("malformed", "no", "")


def test_a_signal_before_any_bar_finds_no_price() -> None:
    assert run(SIGNAL, [claim()]) == []


def test_a_signal_of_the_journal_is_not_judged_again() -> None:
    event = ev.PredictionSignalEvent(
        at=NOON, ticker="AAPL", source="s", signal_id="1", signal="BUY", confidence=D("0.1")
    )
    other = msgspec.structs.replace(event, ticker="MSFT")
    later = [Happening(NOON + 2 * MINUTE, one) for one in (other, event)]
    found = run(SIGNAL, in_order([bars("100 101 99 100")], MINUTE, later))
    assert [one.cause for one in only(found, ev.DecisionEvent)] == ["s/1"]


def test_a_measure_sets_its_rules_off() -> None:
    text = HEAD + '[[rule]]\nname = "F"\nwhen = "flow.value > 5"\n[rule.notify]\nmessage = "m"\n'
    flow = FlowClaim(
        source="s", signal_id="1", ticker="AAPL", measure="trades", value=D(9), threshold=D(5)
    )
    (decision,) = run(text, [Happening(NOON, flow)])
    assert isinstance(decision, ev.DecisionEvent)
    assert decision.wish == "notify"


def test_a_rule_sees_what_it_would_hold_itself() -> None:
    text = (
        UP
        + '[[rule]]\nname = "Out"\nwhen = "position.is_long and bar.close < 100"\n'
        + "[rule.close_all]\n"
    )
    rows = bars("99 101 98 101", "101 102 99 101", "101 101 98 98", "98 98 97 98")
    kinds = [one.kind for one in only(run(text, in_order([rows], MINUTE)), ev.WouldFillEvent)]
    assert kinds == [WouldBe.ENTRY, WouldBe.EXIT]


def test_a_rule_hears_of_its_executions() -> None:
    text = UP + (
        '[[rule]]\nname = "P"\nwhen = "position.is_long"\non = ["position"]\n'
        '[rule.notify]\nmessage = "in"\n'
    )
    found = run(text, in_order([bars("99 101 98 101", "101 102 99 101")], MINUTE))
    assert [one.rule for one in only(found, ev.DecisionEvent)] == ["Up", "P"]


def test_larger_bars_are_made_of_those_that_are_given() -> None:
    text = UP.replace('symbols = ["AAPL"]', 'symbols = ["AAPL"]\nbars = "2 min"')
    rows = bars("99 101 98 101", "101 101 98 99", "99 101 98 98", "98 102 98 101")
    (decision,) = only(run(text, in_order([rows], MINUTE)), ev.DecisionEvent)
    assert decision.at == NOON + 4 * MINUTE
    with pytest.raises(ValueError, match="cannot be made"):
        Rehearsal.of(read_strategy(UP), Setting(part=2 * MINUTE))


def test_larger_bars_count_from_the_opening_of_their_day() -> None:
    text = HEAD + 'bars = "3 min"\n[[rule]]\nname = "N"\nwhen = "bar.close > 100"\n'
    text += 'on = ["bar"]\n[rule.notify]\nmessage = "m"\n'
    rows = bars(*["99 102 98 101"] * 5)
    opens = NOON + MINUTE  # where 3 minutes of the clock do not begin
    days = Session(opens, NOON + 5 * MINUTE), Session(opens + DAY, NOON + DAY + 5 * MINUTE)
    tomorrow = [msgspec.structs.replace(one, at=one.at + DAY) for one in rows]
    found = only(run(text, in_order([[*rows, *tomorrow]], MINUTE), sessions=days), ev.DecisionEvent)
    ends = [one.at - NOON for one in found]
    assert ends == [4 * MINUTE, 5 * MINUTE, DAY + 4 * MINUTE, DAY + 5 * MINUTE]


def test_an_indicator_of_the_day_knows_where_its_days_begin() -> None:
    text = UP.replace("bar.close > 100 and position.is_flat", "vwap() > 0")
    traded = [
        msgspec.structs.replace(one, volume=D(1)) for one in bars("99 102 98 101", "99 102 98 101")
    ]
    rows = list(in_order([traded], MINUTE))
    assert not only(run(text, rows), ev.DecisionEvent)  # nobody knows where the day began
    hours = (Session(NOON, NOON + 2 * MINUTE),)
    found = only(run(text, rows, sessions=hours), ev.DecisionEvent)
    assert [one.at - NOON for one in found] == [MINUTE]  # then it is entering


def test_a_signal_may_name_what_the_policy_names() -> None:
    policy = Admission(symbols=frozenset({"MSFT"}))
    assert run(SIGNAL, [claim(ticker="MSFT")], policy=policy) == []
    (refused,) = run(SIGNAL, [claim()], policy=policy)
    assert isinstance(refused, ev.SignalRefusedEvent)
    assert refused.code == "unknown_symbol"


def test_the_hours_of_a_day_are_those_of_its_bars() -> None:
    night = timedelta(hours=17, minutes=30)
    first = [NOON, NOON + MINUTE, NOON + 40 * MINUTE]  # a gap within the day is none of its ends
    second = [one + night for one in first]
    assert hours_of([*second, *first, NOON], MINUTE) == (
        Session(NOON, NOON + 41 * MINUTE),
        Session(NOON + night, NOON + night + 41 * MINUTE),
    )
    assert hours_of([], MINUTE) == ()
    day = timedelta(days=1)
    assert hours_of([NOON, NOON + day], day) == (
        Session(NOON, NOON + day),
        Session(NOON + day, NOON + 2 * day),
    )


@pytest.mark.parametrize(
    ("when", "decided"),
    [
        ("market.is_open", [1]),
        ("time.minutes_to_close == 1", [1]),
        ("time.minutes_since_open == 1", [1]),
        ("not market.is_open", [2]),
    ],
)
def test_a_rule_is_asked_within_the_hours_that_are_known(when: str, decided: list[int]) -> None:
    text = UP.replace("bar.close > 100 and position.is_flat", when)
    happenings = list(in_order([bars("99 101 98 101", "101 102 99 101")], MINUTE))
    evening = Session(NOON, NOON + 2 * MINUTE)
    tomorrow = Session(NOON + timedelta(days=1), NOON + timedelta(days=1, minutes=2))
    found = only(run(text, happenings, sessions=(evening, tomorrow)), ev.DecisionEvent)
    assert [one.at for one in found] == [NOON + number * MINUTE for number in decided]
    known = only(run(text, happenings, sessions=(evening,)), ev.DecisionEvent)
    assert [one.at for one in known] == [NOON + MINUTE for number in decided if number == 1]
    assert not only(run(text, happenings), ev.DecisionEvent)  # unknown is not closed


def test_a_strategys_own_envelope_binds_it_in_a_rehearsal_too() -> None:
    text = UP.replace("[[rule]]", "[envelope]\nmax_entries_per_day = 1\n[[rule]]")
    rows = bars("99 101 98 101", "101 101 90 101", "101 101 98 101", "101 101 98 101")
    free, bound = (run(one, in_order([rows], MINUTE)) for one in (UP, text))
    kinds = [one.kind for one in only(free, ev.WouldFillEvent)]
    assert kinds == [WouldBe.ENTRY, WouldBe.STOP, WouldBe.ENTRY]
    assert [one.kind for one in only(bound, ev.WouldFillEvent)] == kinds[:2]
    (_, refused, *_) = only(bound, ev.DecisionEvent)
    assert refused.terms["quantity"] == "0"
    assert refused.terms["sized"].startswith("envelope: It would be entry 2")


def test_what_other_symbols_tie_up_counts_at_their_last_price() -> None:
    text = UP.replace('["AAPL"]', '["AAPL", "MSFT"]')
    text = text.replace("[[rule]]", "[envelope]\ncapital = 2050\n[[rule]]")
    rows = bars("99 101 98 101", "101 103 98 103", "103 103 102 103")
    other = msgspec.structs.replace(AAPL, symbol="MSFT", con_id=2)
    late = [msgspec.structs.replace(one, contract=other) for one in rows[1:]]
    found = run(text, in_order([rows, late], MINUTE))
    sizes = [(one.ticker, one.terms["quantity"]) for one in only(found, ev.DecisionEvent)]
    assert sizes[0] == ("AAPL", "10")
    assert sizes[1] == ("MSFT", "9")  # for ten of each, at 103, it lacks ten dollars


def test_prices_and_time_are_asked_with_every_bar_that_is_given() -> None:
    text = UP.replace('symbols = ["AAPL"]', 'symbols = ["AAPL"]\nbars = "2 min"')
    text = text.replace('on = ["bar"]', 'on = ["price", "time"]')
    found = run(text, in_order([bars("99 101 98 101")], MINUTE))
    assert [one.cause for one in only(found, ev.DecisionEvent)] == []  # no bar is complete
    text = text.replace("bar.close > 100", "price.last > 100")
    found = run(text, in_order([bars("99 101 98 101")], MINUTE))
    assert [one.cause for one in only(found, ev.DecisionEvent)][:1] == ["price"]


def test_bars_of_other_symbols_are_passed_over() -> None:
    other = msgspec.structs.replace(
        bar("100", "101", "99", "101"), contract=msgspec.structs.replace(AAPL, symbol="MSFT")
    )
    assert run(UP, [Happening(NOON, other)]) == []


def test_a_rule_that_raises_is_told_and_asked_no_more() -> None:
    strategy = read_strategy(UP)

    class Broken:
        text, triggers, indicators = "broken", frozenset({Trigger.BAR}), frozenset[object]()

        def holds(self, _: object) -> bool:
            raise ZeroDivisionError("oh")

    (rule,) = strategy.rules
    strategy = msgspec.structs.replace(
        strategy, rules=(msgspec.structs.replace(rule, when=Broken(), on=frozenset()),)
    )
    on, found = Rehearsal.of(strategy, Setting(part=MINUTE)), list[ev.BaseEvent]()
    for one in in_order([bars("99 101 98 101", "101 102 99 101")], MINUTE):
        on, events = on.after(one)
        found += events
    (fault,) = found
    assert isinstance(fault, ev.FaultEvent)
    assert fault.is_shadow
    assert "oh" in fault.message


def test_several_symbols_come_in_the_order_of_their_ends() -> None:
    first = bars("1 1 1 1", "1 1 1 1")
    second = [msgspec.structs.replace(one, at=one.at + timedelta(seconds=30)) for one in first]
    at = [one.at - NOON for one in in_order([first, second], MINUTE, [claim(60)])]
    assert [one.total_seconds() for one in at] == [60, 60, 90, 120, 150]
