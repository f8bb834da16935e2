from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderRole, OrderType, Outcome, Side, Stage, WouldBe
from ibkr_trader.core.models import Fill, FillId, GroupId, OrderId, OrderSpec
from ibkr_trader.risk.sizing import AtrRisk, FixedRisk
from ibkr_trader.rules.parity import Parity, parity
from ibkr_trader.rules.would_results import Results
from tests.rules.shadow_samples import AAPL, MINUTE, NOON, D, decision, enter, leave

V1, V2 = "v1", "v2"


def stage(kind: Stage, version: str, minutes: float = 0) -> ev.StageEvent:
    return ev.StageEvent(at=at(minutes), strategy="one", stage=kind, version=version)


def at(minutes: float) -> Any:
    return NOON + minutes * MINUTE


BEGUN = [stage(Stage.LIVE, V1), stage(Stage.SHADOW, V2)]


def live(name: str, minutes: float = 1, wish: Any = None, **fields: Any) -> ev.DecisionEvent:
    wish = enter() if wish is None else wish
    return decision(wish, name=name, at=at(minutes), version=V1, is_shadow=False, **fields)


def shadow(name: str, minutes: float = 1, wish: Any = None, **fields: Any) -> ev.DecisionEvent:
    wish = enter() if wish is None else wish
    return decision(wish, name=name, at=at(minutes), **{"version": V2, **fields})


def ident(name: str) -> OrderId:
    """Return an order's id: each of these has a group of its own."""
    return OrderId(f"{name}memo-1-entry")


def group(name: str) -> GroupId:
    return GroupId(f"{name}memo-1")


def order(
    name: str, cause: str, minutes: float, *, origin: str = "strategy/one/R", **fields: Any
) -> ev.NewOrderEvent:
    usual: dict[str, Any] = {"role": OrderRole.ENTRY, "side": Side.BUY}
    spec = OrderSpec(
        order_id=ident(name), group_id=group(name), contract=AAPL, account="",
        quantity=D(10), order_type=OrderType.MARKET, **{**usual, **fields},
    )  # fmt: skip
    return ev.NewOrderEvent(
        at=at(minutes), order_id=spec.order_id, spec=spec, origin=origin, correlation_id=cause
    )


def fill(name: str, price: str, minutes: float, *, side: Side = Side.BUY, revision: int = 1,
         key: str = "") -> ev.FillEvent:  # fmt: skip
    one = Fill(
        fill_id=FillId(key or name), revision=revision, order_id=ident(name), contract=AAPL,
        account="", side=side, quantity=D(10), price=D(price), at=at(minutes),
    )  # fmt: skip
    return ev.FillEvent(at=one.at, order_id=one.order_id, fill=one)


def would(minutes: float, **fields: Any) -> ev.WouldFillEvent:
    usual: dict[str, Any] = {
        "version": V2, "ticker": "AAPL", "decision_id": "s", "kind": WouldBe.EXIT,
        "side": Side.SELL, "quantity": D(10), "price": D(110), "commission": D(1), "gain": D(98),
    }  # fmt: skip
    return ev.WouldFillEvent(at=at(minutes), strategy="one", **{**usual, **fields})


def compared(*events: ev.BaseEvent, since: Any = None) -> Parity:
    found = parity([*BEGUN, *events], "one", since=since)
    assert found is not None
    return found


def test_without_a_shadow_there_is_nothing_to_compare() -> None:
    assert parity([stage(Stage.LIVE, V1)], "one") is None
    assert parity(BEGUN, "other") is None
    assert parity([], "one") is None


def test_decisions_of_one_moment_are_the_same_and_others_are_told_apart() -> None:
    found = compared(
        live("a"), shadow("b"),
        live("c", 2), shadow("d", 3),
        live("e", 4, enter(Side.BUY)), shadow("f", 4, enter(Side.SELL)),
        live("g", 5), shadow("h", 5, cause="s/1"),
        live("i", 6), shadow("j", 6, leave()),
    )  # fmt: skip
    assert [(a.decision_id, b.decision_id) for a, b in found.same] == [("a", "b")]
    assert [one.decision_id for one in found.only_live] == ["c", "e", "g", "i"]
    assert [one.decision_id for one in found.only_shadow] == ["d", "f", "h", "j"]
    assert found.sample == 5


def test_what_is_not_modelled_is_no_sample() -> None:
    blind = enter(stop=None, size=AtrRisk(multiple=D(2), risk=FixedRisk(fraction=D("0.01"))))
    found = compared(live("a"), shadow("b", wish=blind), shadow("c", 2, blind), shadow("d", 3))
    assert (len(found.same), len(found.only_shadow), found.sample) == (1, 2, 1)


def test_each_decision_is_matched_once() -> None:
    found = compared(live("a"), live("b"), shadow("c"))
    assert (len(found.same), len(found.only_live), len(found.only_shadow)) == (1, 1, 0)


def test_other_versions_and_other_times_are_left_out() -> None:
    early = live("x", -1)
    found = compared(early, shadow("y", 2, version="v0"), shadow("z", 2), since=at(1.5))
    assert found.sample == 1
    assert not found.only_live
    assert found.span.begins == at(1.5)


def test_the_span_ends_with_the_promotion_and_goes_on_after_restarts() -> None:
    restarted = [stage(Stage.LIVE, V1, 1), stage(Stage.SHADOW, V2, 1)]
    found = compared(
        shadow("a"), *restarted, shadow("b", 2), stage(Stage.LIVE, V2, 3), live("c", 4)
    )
    assert (found.sample, found.span.begins, found.span.ends) == (2, at(0), at(3))
    assert not found.only_live
    again = compared(
        stage(Stage.LIVE, V2, 3), stage(Stage.SHADOW, V1, 3), shadow("d", 4, version=V1)
    )
    assert (again.span.version, again.span.ends, again.sample) == (V1, None, 1)


def test_a_shadow_of_the_very_version_that_trades_is_not_ended_by_a_restart() -> None:
    twins = [stage(Stage.LIVE, V1), stage(Stage.SHADOW, V1)]
    found = parity([*twins, *twins], "one")
    assert found is not None
    assert found.span.ends is None


def test_what_was_promoted_and_taken_back_begins_a_new_span() -> None:
    back = [stage(Stage.LIVE, V2, 3), stage(Stage.LIVE, V1, 5), stage(Stage.SHADOW, V2, 5)]
    found = compared(shadow("a"), *back, shadow("b", 6))
    assert (found.sample, found.span.begins, found.span.ends) == (1, at(5), None)


def test_a_retired_stage_changes_no_span() -> None:
    assert compared(stage(Stage.RETIRED, V2, 1)).span.ends is None


@pytest.mark.parametrize("issued", [True, False])
def test_latency_counts_from_the_signal(*, issued: bool) -> None:
    signal = ev.PredictionSignalEvent(
        at=at(1) - timedelta(seconds=1), ticker="AAPL", source="s", signal_id="1",
        issued_at=at(1) - timedelta(seconds=3) if issued else None, signal="BUY", confidence=D(1),
    )  # fmt: skip
    found = compared(
        signal, live("a", cause="s/1"), live("b"), shadow("c", cause="s/1"),
        order("o", "a", 1.5), order("p", "a", 2),
    )  # fmt: skip
    seconds = 3 if issued else 1
    assert found.waits == found.shadow_waits == (timedelta(seconds=seconds),)
    assert found.ways == (timedelta(seconds=30),)


def test_real_entries_at_the_market_stand_beside_the_model() -> None:
    found = compared(
        live("a"), live("b", 2, enter(limit=D(99))), live("c", 3, price=None),
        order("o", "a", 1), fill("o", "100.12", 1),
        order("q", "b", 2), fill("q", "99", 2),
        order("r", "c", 3), fill("r", "99", 3),
        order("t", "a", 4, role=OrderRole.TARGET, side=Side.SELL),
        fill("t", "101", 4, side=Side.SELL),
    )  # fmt: skip
    (slip,) = found.slips
    assert (slip.paid, slip.modelled, slip.worse) == (D("100.12"), D("100.02"), D("0.10"))
    assert (slip.quantity, slip.decision_id) == (D(10), "a")


def test_a_short_that_sells_higher_is_better_than_the_model() -> None:
    found = compared(
        live("a", 1, enter(Side.SELL)), order("o", "a", 1, side=Side.SELL),
        fill("o", "100", 1, side=Side.SELL),
    )  # fmt: skip
    (slip,) = found.slips
    assert slip.worse == D("-0.02")


def test_real_trips_count_with_their_fees_in_their_latest_revision() -> None:
    found = compared(
        live("a"), order("o", "a", 1), order("t", "a", 1, role=OrderRole.STOP, side=Side.SELL),
        fill("o", "100", 1, key="x"), fill("o", "101", 1, key="x", revision=2),
        fill("o", "99", 1, key="x"),
        fill("t", "110", 2, side=Side.SELL, key="y"), fill("foreign", "1", 2, key="z"),
        ev.CommissionEvent(at=at(2), order_id=ident("t"), fill_id=FillId("y"),
                           commission=D(2), currency="USD"),
    )  # fmt: skip
    assert found.live.gains == (D(88),)
    assert found.live.fees == 2


def test_a_trip_that_ended_before_the_span_is_left_out() -> None:
    found = compared(
        live("a"), order("o", "a", 1), order("t", "a", 1, side=Side.SELL), fill("o", "100", 1),
        fill("t", "110", 2, side=Side.SELL), since=at(3),
    )  # fmt: skip
    assert found.live.gains == ()


def closing(name: str, minutes: float, *, origin: str) -> tuple[ev.BaseEvent, ...]:
    """Return a closing: what was asked for, its order, and that it sold ten at 110."""
    request = ev.CloseRequestEvent(
        at=at(minutes), group_id=group(name), contract=AAPL, account="", origin=origin
    )
    sold = order(name, "", minutes, origin="close", role=OrderRole.CLOSE, side=Side.SELL)
    return request, sold, fill(name, "110", minutes + 1, side=Side.SELL)


@pytest.mark.parametrize("origin", ["strategy/one/Out", "cli"])
def test_a_trip_is_its_own_whoever_has_closed_it(origin: str) -> None:
    found = compared(
        live("a"), order("o", "a", 1), fill("o", "100", 1), *closing("t", 2, origin=origin)
    )
    assert found.live.gains == (D(100),)


def test_the_way_of_a_closing_ends_with_its_order() -> None:
    request, sold, traded = closing("t", 2, origin="strategy/one/Out")
    caused = msgspec.structs.replace(sold, correlation_id="b")
    found = compared(
        live("a"), order("o", "a", 1), fill("o", "100", 1),
        live("b", 1.5, leave()), request, caused, traded,
    )  # fmt: skip
    assert found.ways == (timedelta(0), timedelta(seconds=30))


def test_trips_of_others_and_their_closings_are_left_out() -> None:
    theirs = "strategy/two/R"
    found = compared(
        order("o", "a", 1, origin=theirs), fill("o", "100", 1), *closing("t", 2, origin=theirs),
        order("p", "", 4, origin="cli"), fill("p", "100", 4), *closing("u", 5, origin="cli"),
    )  # fmt: skip
    assert found.live == Results()


def test_would_be_trips_of_this_version_count() -> None:
    found = compared(would(1), would(2, version="v0"), would(3, gain=None), would(-1))
    assert (found.shadow.gains, found.shadow.fees) == ((D(98),), D(2))


def test_denials_are_counted_by_their_reasons_and_outcomes_by_their_kinds() -> None:
    def end(name: str, outcome: Outcome, *reasons: str) -> ev.DecisionEndEvent:
        return ev.DecisionEndEvent(
            at=at(1), strategy="one", decision_id=name, outcome=outcome, reasons=reasons
        )

    found = compared(
        live("a"), live("b"), live("c"),
        end("a", Outcome.REFUSED, "too large"), end("b", Outcome.REFUSED, "too large", "late"),
        end("c", Outcome.ACTED, "size 10"), end("else", Outcome.REFUSED, "x"),
    )  # fmt: skip
    assert found.denials == {"too large": 2, "late": 1}
    assert found.outcomes == {Outcome.REFUSED: 2, Outcome.ACTED: 1}


def test_what_rules_of_the_shadow_raised_is_told() -> None:
    def fault(minutes: float, *, is_shadow: bool) -> ev.FaultEvent:
        return ev.FaultEvent(
            at=at(minutes), strategy="one", rule="R", message="oh", is_shadow=is_shadow
        )

    found = compared(fault(1, is_shadow=True), fault(1, is_shadow=False), fault(-1, is_shadow=True))
    assert found.faults == ("R: oh",)


def test_news_of_the_system_says_nothing() -> None:
    halted = CancelOrder(order_id=OrderId("o"))
    found = parity([*BEGUN, ev.TimeEvent(at=NOON), halted], "one")
    assert found is not None
    assert found.sample == 0
