"""What nobody can account for: unknown orders, disagreements, closings that are not over.

None of it is for a plan to do. It is told with what is known, and with the next command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.text import quantity
from ibkr_trader.orders.members import traded
from ibkr_trader.portfolio.fingerprint import in_words
from ibkr_trader.portfolio.plan_steps import PlanStep, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibkr_trader.core.models import GroupId, Order
    from ibkr_trader.portfolio.state import PortfolioState


# Where it was sent from a trader that runs: a command alone is a connection of its own.
_WHAT_SETTLES_IT = (
    "answer the dialogs in TWS, which may hold it back; only another connection tells that it "
    "never came: end run, and start it again"
)


def unknown_steps(state: PortfolioState) -> Iterator[PlanStep]:
    """Yield the orders of which nobody knows whether they are live, with what is known."""
    for order in state.orders.values():
        if order.status is OrderStatus.UNKNOWN:
            name = short_id(order.order_id)
            yield PlanStep(
                id=f"{StepKind.UNKNOWN}-{name}",
                kind=StepKind.UNKNOWN,
                symbol=label(order.spec.contract),
                words=f"UNKNOWN order {name}  {in_words(order)}: {_known_of(order)}",
                next=f"ibkr-trader why {name}",
                orders=(order.order_id,),
            )


def _known_of(order: Order) -> str:
    done = traded(order)
    has = f"{quantity(done)} of it traded, " if done else ""
    seen = "the broker has had it" if order.perm_id else "the broker has never acknowledged it"
    known = f"{has}{seen}; it may be live, it is never sent again"
    return known if order.perm_id else f"{known}; {_WHAT_SETTLES_IT}"


def drift_steps(state: PortfolioState, misled: Iterable[GroupId]) -> Iterator[PlanStep]:
    """Yield what broker and books say differently, and the groups that are wrong because of it.

    Args:
        state: The account.
        misled: The open groups of positions that the broker has restated.
    """
    for found in state.drift.values():
        yield PlanStep(
            id=f"{StepKind.DRIFT}-{found.subject.replace(' ', '-')}",
            kind=StepKind.DRIFT,
            symbol="",
            words=f"drift {found.subject}: ours {found.ours}, broker {found.theirs}",
            next="ibkr-trader status",
        )
    for group_id in misled:
        members = (state.order(order_id) for order_id in state.groups.get(group_id, ()))
        order = next((one for one in members if one is not None), None)
        if order is not None:
            yield _misled(state, group_id, order)


def _misled(state: PortfolioState, group_id: GroupId, order: Order) -> PlanStep:
    contract, name = order.spec.contract, short_id(group_id)
    position = state.positions.get(contract.con_id)
    held = quantity(position.quantity, signed=True) if position is not None else "0"
    return PlanStep(
        id=f"{StepKind.DRIFT}-{name}",
        kind=StepKind.DRIFT,
        symbol=label(contract),
        words=(
            f"drift: the broker restated the position, now {held}, and group {name} was made for "
            "another; to adopt says that the broker's figure is right, and to be looked after"
        ),
        next=f"ibkr-trader {'adopt' if position is not None else 'cancel'} "
        + (ticker(contract) if position is not None else name),
        con_id=contract.con_id,
    )


def closing_steps(state: PortfolioState) -> Iterator[PlanStep]:
    """Yield the closings that were begun and are not over."""
    for request in state.closings.values():
        name = label(request.contract)
        yield PlanStep(
            id=f"{StepKind.CLOSING}-{name}",
            kind=StepKind.CLOSING,
            symbol=name,
            words=f"closing since {request.at:%Y-%m-%d %H:%M:%S} UTC, and not over",
            next=f"ibkr-trader close {ticker(request.contract)}",
            con_id=request.contract.con_id,
        )
