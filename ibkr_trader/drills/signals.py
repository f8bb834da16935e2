"""Signals in a story, and a strategy for those who have named none."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.enums import Outcome, SignalAction, Stage
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.signals import Claim
from ibkr_trader.drills.scene import Skipped
from ibkr_trader.execution.strategist import Strategist
from ibkr_trader.rules.strategy_text import read_strategy

if TYPE_CHECKING:
    from ibkr_trader.core.signals import SignalReply
    from ibkr_trader.drills.scene import Scene

_OURS = """
name = "drill"
symbols = ["{symbol}"]

[[rule]]
name = "Entry"
when = "signal.action == 'BUY'"
[rule.open]
side = "long"
size = "{size}"
stop_loss = "3%"
take_profit = "30%"

[[rule]]
name = "Follow"
when = "position.unrealized_profit_pct > 0.02"
[rule.adjust_stop]
behind = "3%"
"""


def strategist(scene: Scene) -> Strategist:
    """Return who runs the strategies of the desk that is open.

    Raises:
        InvariantBroken: If nobody does.
    """
    found = scene.trader.strategist
    if not isinstance(found, Strategist):
        raise InvariantBroken("the desk of a drill runs no strategies")
    return found


async def with_a_strategy(scene: Scene) -> None:
    """See to it that a strategy trades: the user's, or a plain one that enters on a signal."""
    one = strategist(scene)
    if not one.rules.strategies:
        text = _OURS.format(symbol=scene.symbol, size=scene.size)
        await scene.doing(one.admit(read_strategy(text), Stage.LIVE))


def claim(scene: Scene, name: str, action: SignalAction = SignalAction.BUY) -> Claim:
    """Return a signal as a source would hand it over now."""
    return Claim(
        source="drill",
        signal_id=name,
        ticker=scene.symbol,
        action=action,
        confidence=Decimal("0.99"),
        issued_at=scene.gateway.clock.now(),
        is_signed=True,
    )


async def hand_over(scene: Scene, signal: Claim) -> SignalReply:
    """Hand a signal over, as its source does."""
    return await scene.doing(strategist(scene).signals.take(signal))


def said(reply: SignalReply) -> str:
    """Return what a source is told, in words."""
    return "; ".join([reply.outcome.value.lower(), *reply.reasons[:1]])


async def entered(scene: Scene) -> Claim:
    """Begin with a position that a strategy has opened by a signal; return that signal.

    Raises:
        Skipped: If the strategy opens nothing by it.
    """
    await with_a_strategy(scene)
    signal = claim(scene, "drill-1")
    reply = await hand_over(scene, signal)
    await scene.gateway.wait(2)
    if reply.outcome is not Outcome.ACTED or not scene.held:
        why = "; ".join(reply.reasons) or reply.outcome.value.lower()
        raise Skipped(f"the strategy opens nothing by a signal: {why}")
    scene.did(f"a signal comes: {scene.held} {scene.symbol} are bought")
    return signal
