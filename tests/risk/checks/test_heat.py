from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.core.models import AccountValues, GroupId
from ibkr_trader.portfolio.growing import GrowingMap
from ibkr_trader.risk.check import CHECKS, Gauge, Unit
from ibkr_trader.risk.view import FactMissing
from ibkr_trader.risk.wording import FOREIGN_HINT
from tests.orders.samples import values
from tests.risk.world import (
    AAPL,
    ACCOUNT,
    MSFT,
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
    reasons,
    review,
    spec,
    stop,
    submit,
    view,
    working,
)

if TYPE_CHECKING:
    from ibkr_trader.core.events import Breach
    from ibkr_trader.core.models import Order, Position
    from ibkr_trader.portfolio.state import PortfolioState
    from ibkr_trader.risk.view import RiskView

VALUES = AccountValues(
    account=ACCOUNT, net_liquidation=D(2_000), available_funds=D(1_000_000)
)  # five percent of it: 100


def world(*parts: Order | Position, state: PortfolioState | None = None) -> RiskView:
    return view(
        portfolio=state or portfolio(*parts, values=VALUES), limits=limits(max_heat=D("0.05"))
    )


def actual(found: list[Breach]) -> list[str]:
    return [breach.actual for breach in found]


RESTING = working(stop("SELL", 10, "145", "t-5-stop"), OrderStatus.PRESUBMITTED)


@pytest.mark.parametrize(
    ("quantity", "loss", "expected"),
    [
        (10, "145", []),  # 50
        (20, "145", []),  # 100: the limit itself
        (21, "145", ["105"]),
        (20, "144", ["120"]),
    ],
)
def test_a_brackets_own_risk_counts(quantity: int, loss: str, expected: list[str]) -> None:
    assert actual(judge("heat", bracket(quantity, loss=loss), world())) == expected


def test_it_comes_on_top_of_what_is_held_and_works() -> None:
    assert judge("heat", bracket(10), world(held(10), RESTING)) == []
    assert actual(judge("heat", bracket(11), world(held(10), RESTING))) == ["105"]
    entry = working(limit("BUY", 5, "100", "t-9-single"))  # no stop: a fifth of 500
    assert actual(judge("heat", bracket(10), world(entry))) == ["150"]
    unknown = working(limit("BUY", 5, "100", "t-9-single"), OrderStatus.UNKNOWN)
    assert actual(judge("heat", bracket(10), world(unknown))) == ["150"]


def test_a_plain_entry_counts_a_fifth_of_its_value() -> None:
    assert judge("heat", submit(limit("BUY", 3, "150")), world()) == []
    assert actual(judge("heat", submit(limit("BUY", 4, "150")), world())) == ["120"]


def test_what_adds_nothing_passes_however_hot_it_is() -> None:
    hot = world(held(10))  # without a stop: 300
    protect = submit(stop("SELL", 10, "145", role=OrderRole.STOP))
    assert judge("heat", protect, hot) == []
    assert judge("heat", submit(limit("SELL", 10, "150")), hot) == []
    assert actual(judge("heat", bracket(1), hot)) == ["305"]


def test_a_stop_that_is_moved_away_counts() -> None:
    desk = world(held(20), working(stop("SELL", 20, "146", "t-5-stop"), OrderStatus.PRESUBMITTED))
    assert judge("heat", modify("t-5-stop", stop_price="145"), desk) == []
    assert actual(judge("heat", modify("t-5-stop", stop_price="144"), desk)) == ["120"]
    assert judge("heat", modify("t-5-stop", stop_price="148"), desk) == []
    assert "heat" in reasons(review(modify("t-5-stop", stop_price="144"), desk))


def test_an_entry_that_is_made_larger_counts() -> None:
    desk = world(working(limit("BUY", 2, "150", "t-9-single")))
    assert actual(judge("heat", modify("t-9-single", quantity=4), desk)) == ["120"]
    assert judge("heat", modify("t-9-single", quantity=3), desk) == []
    done = world(held(2), working(limit("BUY", 2, "150", "t-9-single"), filled=2))
    assert judge("heat", modify("t-9-single", quantity=2), done) == []


def test_a_scale_in_is_stopped_where_its_group_is() -> None:
    ends = working(
        stop("SELL", 10, "145", "t-1-stop", group_id=GroupId("t-1")), OrderStatus.PRESUBMITTED
    )
    gone = "t-1-entry"  # closed, and let go of
    state = msgspec.structs.replace(
        portfolio(held(10), ends, values=VALUES),
        groups=GrowingMap({GroupId("t-1"): (gone, ends.order_id)}),
    )
    more = limit("BUY", 5, "150", "t-1-entry2", group_id=GroupId("t-1"), role=OrderRole.ENTRY)
    assert judge("heat", submit(more), world(state=state)) == []  # 50, and 25 of its own
    another = working(stop("SELL", 10, "145", "t-8-stop"), OrderStatus.PRESUBMITTED)
    assert actual(judge("heat", submit(more), world(held(10), another))) == ["200"]


def test_what_has_no_price_is_unknown() -> None:
    state = msgspec.structs.replace(portfolio(held(1, MSFT), values=VALUES), marks={})
    with pytest.raises(FactMissing) as missing:
        judge("heat", bracket(1), world(state=state))
    assert missing.value.about == "heat"
    assert missing.value.message.startswith("Nobody knows what MSFT would lose")
    assert missing.value.hint == "ibkr-trader quote MSFT"


def test_the_quote_prices_a_market_order_that_is_asked_for() -> None:
    bare = msgspec.structs.replace(portfolio(values=VALUES), marks={})
    order = submit(spec("BUY", 4))
    assert actual(judge("heat", order, world(state=bare))) == ["120"]
    unpriced = msgspec.structs.replace(
        world(state=bare), quotes={AAPL.con_id: aged(quote(None, None))}
    )
    with pytest.raises(FactMissing) as missing:
        judge("heat", order, unpriced)
    assert "AAPL" in missing.value.message


def test_a_change_of_what_has_no_price_is_unknown() -> None:
    order = working(spec("BUY", 4, "t-9-single"))
    bare = msgspec.structs.replace(portfolio(order, values=VALUES), marks={})
    with pytest.raises(FactMissing):
        judge("heat", modify("t-9-single", quantity=5), world(state=bare))


def test_an_unknown_worth_of_the_account_opens_nothing() -> None:
    with pytest.raises(FactMissing):
        judge("heat", bracket(1), view(portfolio=portfolio(values=None)))


def test_the_message() -> None:
    (breach,) = judge("heat", bracket(21), world())
    assert breach.message == (
        "Every stop hit would then lose 105.00, of which 105.00 is new; the limit is 100.00 "
        "(5 % of net liquidation)."
    )
    assert values(breach.limit, breach.headroom) == ("100", "100")


def gauge(desk: RiskView) -> Gauge:
    read = CHECKS["heat"].gauge
    assert read is not None
    (found,) = read(desk)
    assert found.unit is Unit.MONEY
    return found


def test_the_gauge() -> None:
    found = gauge(world(held(10), RESTING))
    assert values(found.limit, found.used, found.note) == (100, 50, "")
    state = msgspec.structs.replace(portfolio(held(1, MSFT), values=VALUES), marks={})
    found = gauge(world(state=state))
    assert values(found.used, found.note) == (None, "no price of MSFT")
    assert gauge(view(portfolio=portfolio(values=None))).limit is None


YEN = msgspec.structs.replace(MSFT, symbol="7203", con_id=7, currency="JPY")


def test_other_money_has_no_heat_that_could_be_added() -> None:
    desk = world(held(100, YEN, "3000"))
    with pytest.raises(FactMissing) as missing:
        judge("heat", bracket(1), desk)
    assert values(missing.value.message, missing.value.hint) == (
        "Nobody knows what 7203 would lose at its stop: nothing here converts JPY.",
        FOREIGN_HINT,
    )
    found = gauge(desk)
    assert values(found.used, found.note) == (None, "nothing here converts JPY")
    # And what is asked for, though nothing of it is held yet.
    with pytest.raises(FactMissing):
        judge("heat", submit(limit("BUY", 1, "3000", contract=YEN)), world())


def test_other_money_beside_what_has_no_price() -> None:
    state = portfolio(held(1, MSFT), held(100, YEN, "3000"), values=VALUES)
    desk = world(state=msgspec.structs.replace(state, marks={7: D(3000)}))
    with pytest.raises(FactMissing) as missing:
        judge("heat", bracket(1), desk)
    assert values(missing.value.message, missing.value.hint) == (
        (
            "Nobody knows what MSFT, 7203 would lose at its stop: no price of MSFT, "
            "nothing here converts JPY."
        ),
        "ibkr-trader quote MSFT",
    )
