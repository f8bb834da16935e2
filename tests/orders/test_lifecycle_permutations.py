"""In whatever order the broker's messages come, and one of them twice, the end is the same.

Every order of up to six callbacks, with any one of them repeated anywhere, is played to the
ledger and to the group. Paths that lead to the same state are walked once.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderRole, Side
from ibkr_trader.core.models import OrderId
from ibkr_trader.orders.bracket_orders import bracket_of
from ibkr_trader.orders.single_orders import single_of
from ibkr_trader.portfolio.ledger_fold import is_news
from ibkr_trader.portfolio.state import PortfolioState
from tests.orders.bracket_play import ENTRY, STOP, TARGET, cancelled, rejected
from tests.orders.samples import (
    AAPL,
    AT,
    GROUP,
    accepted,
    bracket_specs,
    fill,
    filled,
    later,
    spec,
    working,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.core.models import OrderSpec
    from ibkr_trader.orders.group import OrderGroup

ENTRY2 = OrderId("memo-1-entry.2")
SINGLE = OrderId("memo-1-single")
REST = 3.0  # seconds, after which everything that may be waited for is due


class Scene(NamedTuple):
    """Ledger and group after some of the messages, and what the group has asked for."""

    portfolio: PortfolioState
    group: OrderGroup
    asked: tuple[Command, ...] = ()

    def after(self, event: ev.BaseEvent) -> Scene:
        """Deliver one event, as the intake would: an execution that is known is no news."""
        portfolio = self.portfolio.apply(event)
        if isinstance(event, ev.FillEvent) and not is_news(self.portfolio, event.fill):
            return Scene(portfolio, self.group, self.asked)
        step = self.group.react(event)
        return Scene(portfolio, step.group, (*self.asked, *step.commands))


def opening(specs: tuple[OrderSpec, ...], kind: str = "bracket") -> Scene:
    """Return the scene once the orders are sent, and nothing is heard of them yet."""
    make = bracket_of if kind == "bracket" else single_of
    scene = Scene(PortfolioState(), make(GROUP, specs, {}))
    for one in specs:
        scene = scene.after(written(one, kind=kind))
    return scene


def holding() -> Scene:
    """Return the scene of a bracket that holds ten, to which an entry more is being added."""
    scene = opening(bracket_specs())
    for one in bracket_specs():
        scene = scene.after(accepted(one))
    for event in (working(STOP, is_working=False), bought(10), done(ENTRY, 10), written(more())):
        scene = scene.after(event)
    return Scene(scene.portfolio, scene.group)


def more() -> OrderSpec:
    entry = bracket_specs()[0]
    return msgspec.structs.replace(entry, order_id=ENTRY2, broker_order_id=4)


def bought(quantity: int, order_id: OrderId = ENTRY, key: str = "") -> ev.FillEvent:
    key = key or f"b{quantity}{order_id}"
    return filled(fill(quantity, key=key, order_id=order_id, at=later(quantity / 100)), at=AT)


def sold(quantity: int, order_id: OrderId) -> ev.FillEvent:
    told = fill(quantity, "155", key=f"s{quantity}{order_id}", order_id=order_id, side=Side.SELL)
    return filled(msgspec.structs.replace(told, at=later(1)), at=AT)


def done(order_id: OrderId, quantity: int) -> ev.DoneEvent:
    return ev.DoneEvent(at=AT, order_id=order_id, filled=Decimal(quantity))


def charged(event: ev.FillEvent) -> ev.CommissionEvent:
    return ev.CommissionEvent(
        at=AT, order_id=event.order_id, fill_id=event.fill.fill_id, commission=Decimal(1)
    )


def smaller(order_id: OrderId, quantity: int) -> ev.AcceptEvent:
    """Return the broker's word that it has cut an exit by itself."""
    (old,) = (one for one in bracket_specs() if one.order_id == order_id)
    return accepted(msgspec.structs.replace(old, quantity=Decimal(quantity)))


def ends(scene: Scene, events: tuple[ev.BaseEvent, ...]) -> list[Scene]:
    """Return every scene that some order of the events leads to, one of them told twice."""
    nodes: dict[tuple[frozenset[int], bool], list[Scene]] = {(frozenset(), False): [scene]}
    last: list[Scene] = []
    for _ in range(len(events) + 1):
        following: dict[tuple[frozenset[int], bool], list[Scene]] = {}
        for (told, has_repeated), scenes in nodes.items():
            for number, event in enumerate(events):
                if number in told and has_repeated:
                    continue
                node = (told | {number}, has_repeated or number in told)
                found = following.setdefault(node, [])
                for one in scenes:
                    after = one.after(event)
                    if after not in found:
                        found.append(after)
        nodes = following
        last = [one for scenes in nodes.values() for one in scenes] or last
    assert set(nodes) == {(frozenset(range(len(events))), True)}
    return last


def ledger(scene: Scene) -> object:
    """What has become of orders, position and money."""
    portfolio, held = scene.portfolio, scene.portfolio.books.get(AAPL.con_id)
    known = sorted((*portfolio.orders.values(), *portfolio.closed.values()), key=str)
    return (
        {o.order_id: (o.status, o.filled, o.commission, o.spec.quantity) for o in known},
        held and (held.position.quantity, held.position.average_cost, held.position.realized_pnl),
        sorted(portfolio.fills),
    )


def standing(scene: Scene) -> object:
    """What the group believes."""
    orders: Iterable[object] = getattr(scene.group, "orders").values()  # noqa: B009 - of any kind
    return (
        [(o.order_id, o.status, o.filled, o.spec.quantity) for o in orders],  # type: ignore[attr-defined]
        scene.group.is_closed,
    )


def at_rest(scene: Scene) -> Scene:
    """Let time pass, so that whatever is still to be asked for is."""
    for seconds in (0.0, REST):
        scene = scene.after(ev.TimeEvent(at=later(seconds)))
    return scene


def wishes(scene: Scene) -> dict[object, Command]:
    """What the group wants in the end, without what has come about by itself."""
    live = scene.portfolio.orders
    found: dict[object, Command] = {}
    for command in scene.asked:
        match command:
            case SubmitOrders():
                found["new", command.orders[0].order_id] = command
            case ModifyOrder(order_id=order_id) if order_id in live:
                found["size", order_id] = command  # the last one counts
                if live[order_id].spec.quantity == command.quantity:
                    del found["size", order_id]
            case CancelOrder(order_id=order_id) if order_id in live:
                found["cancel", order_id] = command
            case _:
                pass
    return found


HALF, REST_OF_IT = bought(4), bought(6)
STORIES: dict[str, tuple[Scene, tuple[ev.BaseEvent, ...]]] = {
    "a single order fills": (
        opening((spec(),), "single"),
        (
            accepted(spec()),
            working(SINGLE, 4),
            bought(4, SINGLE),
            bought(6, SINGLE),
            charged(bought(4, SINGLE)),
            done(SINGLE, 10),
        ),
    ),
    "a single order is cancelled half-way": (
        opening((spec(),), "single"),
        (
            accepted(spec()),
            working(SINGLE, 4),
            bought(4, SINGLE),
            ev.CancelRequestEvent(at=AT, order_id=SINGLE, origin="cli"),
            cancelled(SINGLE),
            charged(bought(4, SINGLE)),
        ),
    ),
    "a bracket is entered": (
        opening(bracket_specs()),
        (
            *(accepted(one) for one in bracket_specs()),
            HALF,
            REST_OF_IT,
            done(ENTRY, 10),
        ),
    ),
    "a bracket reaches its target": (
        opening(bracket_specs()),
        (HALF, REST_OF_IT, done(ENTRY, 10), sold(10, TARGET), done(TARGET, 10), cancelled(STOP)),
    ),
    "a bracket is stopped out": (
        opening(bracket_specs()),
        (HALF, REST_OF_IT, sold(4, STOP), sold(6, STOP), done(STOP, 10), cancelled(TARGET)),
    ),
    "the entry is refused": (
        opening(bracket_specs()),
        (rejected(ENTRY), cancelled(TARGET), cancelled(STOP)),
    ),
    "the entry is cancelled half-way, and the broker cuts the exits": (
        opening(bracket_specs()),
        (
            HALF,
            cancelled(ENTRY),
            smaller(TARGET, 4),
            smaller(STOP, 4),
            charged(HALF),
            working(STOP, is_working=False),
        ),
    ),
    "the target fills in part, and the broker cuts the stop": (
        opening(bracket_specs()),
        (HALF, REST_OF_IT, done(ENTRY, 10), sold(4, TARGET), smaller(STOP, 6), charged(HALF)),
    ),
    "a scale-in fills": (
        holding(),
        (
            accepted(more()),
            working(ENTRY2, 4),
            bought(4, ENTRY2),
            bought(6, ENTRY2),
            done(ENTRY2, 10),
            charged(bought(4, ENTRY2)),
        ),
    ),
    "a scale-in fills half-way and is cancelled": (
        holding(),
        (accepted(more()), working(ENTRY2, 4), bought(4, ENTRY2), cancelled(ENTRY2)),
    ),
    "the stop trades while a scale-in fills": (
        holding(),
        (bought(5, ENTRY2), sold(10, STOP), done(STOP, 10), cancelled(TARGET), cancelled(ENTRY2)),
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_the_order_of_the_messages_does_not_matter(name: str) -> None:
    scene, events = STORIES[name]
    canonical = scene
    for event in events:
        canonical = canonical.after(event)
    expected = at_rest(canonical)
    found = ends(scene, events)
    for one in found:
        assert ledger(one) == ledger(canonical)
        assert standing(one) == standing(canonical)
        assert wishes(at_rest(one)) == wishes(expected)


def test_what_the_stories_end_in() -> None:
    """So that it is not the same nonsense each time."""
    ended = {}
    for name, (scene, events) in STORIES.items():
        for event in events:
            scene = scene.after(event)  # noqa: PLW2901 - it goes on
        scene = at_rest(scene)  # noqa: PLW2901 - and on
        ended[name] = wishes(scene)
        assert scene.group.is_closed is (not scene.portfolio.orders and not ended[name])

    def grown(quantity: int) -> dict[object, Command]:
        return {
            ("size", one): ModifyOrder(order_id=one, quantity=Decimal(quantity), origin="bracket")
            for one in (TARGET, STOP)
        }

    assert ended.pop("a scale-in fills") == grown(20)
    assert ended.pop("a scale-in fills half-way and is cancelled") == grown(14)
    (close,) = ended.pop("the stop trades while a scale-in fills").values()
    assert isinstance(close, SubmitOrders)
    assert [(one.role, one.quantity) for one in close.orders] == [(OrderRole.CLOSE, Decimal(5))]
    assert not any(ended.values())


def test_a_message_that_moves_something_of_its_own_is_found() -> None:
    """A fill counted twice, which is what the test above is for."""

    class Doubting(Scene):
        def after(self, event: ev.BaseEvent) -> Scene:
            step = self.group.react(event)
            return Doubting(self.portfolio.apply(event), step.group, self.asked)

    scene, events = STORIES["a single order fills"]
    found = ends(Doubting(*scene), events)
    assert len({str(standing(one)) for one in found}) > 1
