"""Runs a drill in a sandbox of its own, and judges it by the exchange's books."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.app import equip, face_outside, link_settings, risk_settings
from ibkr_trader.core.errors import TraderError
from ibkr_trader.drills.evidence import Evidence
from ibkr_trader.drills.judges import disagreement, strangers_touched
from ibkr_trader.drills.sandbox import sandboxed
from ibkr_trader.drills.scene import Scene, Skipped, Step, Stuck
from ibkr_trader.drills.still_desk import DeskTerms
from ibkr_trader.drills.still_gateway import StillGateway
from ibkr_trader.sim.exchange import ExchangeConfig

if TYPE_CHECKING:
    from ibkr_trader.config import Settings
    from ibkr_trader.drills.drill import Drill
    from ibkr_trader.drills.scene import Companion
    from ibkr_trader.execution.trader import Trader

USUAL = "AAPL"
SIZES = (10, 5, 3)  # shares of an entry: the first that the settings allow
_AT_ONCE = timedelta(0)


class Outcome(StrEnum):
    """What came of a drill."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    SKIPPED = "skipped"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What was done in a drill, and how it is judged.

    Attributes:
        drill: Its name, and `sentence`: what went wrong.
        outcome: Whether what must hold has held.
        reasons: Why not, or why it was not rehearsed.
        steps: What was done, in order.
        naked: How long something was held without its full stop, in all.
        surplus: How long exits could trade more than there was to end, in all.
        duplicates: How many orders went out once too often.
        orders_left: How many orders of the desk still work.
        positions_left: What is still held, in shares, by symbol.
        profit: What the account has gained, in its currency, costs included.
        drift: In what the desk's books differ from the exchange's; empty if in nothing.
        lasted: How much time has passed at the exchange.
    """

    drill: str
    sentence: str
    outcome: Outcome
    reasons: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    naked: timedelta = _AT_ONCE
    surplus: timedelta = _AT_ONCE
    duplicates: int = 0
    orders_left: int = 0
    positions_left: dict[str, Decimal] = {}
    profit: Decimal = Decimal(0)
    drift: str = ""
    lasted: timedelta = _AT_ONCE


class Cast(msgspec.Struct, frozen=True, kw_only=True):
    """Whose settings are rehearsed, and with what.

    Attributes:
        settings: The effective ones; what in them leads outside is left behind.
        symbol: What is traded.
        companion: Gives each desk more to decide by, such as strategies.
    """

    settings: Settings
    symbol: str = USUAL
    companion: Companion | None = None


async def rehearse(drill: Drill, cast: Cast, *, size: int = SIZES[0]) -> Result:
    """Play a drill with these settings, in a folder and at a gateway of its own.

    Entries are for `size` shares.

    The running loop's time stands still meanwhile, and passes as the story wants it.

    Raises:
        OSError: If there is no room for a sandbox.
    """
    with tempfile.TemporaryDirectory(prefix="ibkr-trader-drill-") as name:
        settings = sandboxed(cast.settings, Path(name).resolve())
        config = ExchangeConfig(opened_at=drill.opened_at, bracket_mode=drill.brackets)
        gateway = StillGateway(config)
        async with gateway.serving():
            terms, evidence = _terms(settings, gateway), Evidence(gateway)
            try:
                scene = Scene(
                    gateway,
                    terms,
                    settings=settings,
                    evidence=evidence,
                    symbol=cast.symbol,
                    size=size,
                )
            except Skipped as skipped:
                return _skipped(drill, str(skipped))
            scene.companion = cast.companion
            result = await _play(drill, scene)
    return _at_home(result, settings.data_dir, cast.settings.data_dir)


def _at_home(result: Result, sandbox: Path, home: Path) -> Result:
    """Name the user's own files where a reason names their copies."""
    reasons = tuple(one.replace(str(sandbox), str(home)) for one in result.reasons)
    steps = tuple(Step(one.at, one.text.replace(f"{sandbox}/", "")) for one in result.steps)
    return msgspec.structs.replace(result, reasons=reasons, steps=steps)


def run(drill: Drill, cast: Cast) -> Result:
    """Play a drill in an event loop of its own, as large as the settings allow; see `rehearse`."""
    result = asyncio.run(rehearse(drill, cast))
    for size in SIZES[1:]:
        if result.outcome is not Outcome.SKIPPED:
            break
        result = asyncio.run(rehearse(drill, cast, size=size))
    return result


async def _play(drill: Drill, scene: Scene) -> Result:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(scene.stop)
        trouble: list[str] = []
        try:
            await scene.start()
            await drill.story(scene)
            await scene.gateway.quiet()
        except Skipped as skipped:
            return _skipped(drill, str(skipped), tuple(scene.steps))
        except (TraderError, Stuck, ExceptionGroup) as error:
            trouble = [f"the story came to an end: {_words(error)}"]
        return _judged(drill, scene, trouble)


def _judged(drill: Drill, scene: Scene, trouble: list[str]) -> Result:
    """Hold what the exchange saw against what must hold in every drill, and in this one."""
    evidence, ledger = scene.evidence, scene.ledger
    universe = scene.gateway.exchange.universe
    naked, surplus, duplicates = evidence.naked, evidence.surplus, evidence.duplicates()
    drift, touched = _own_books(scene)
    reasons = [*trouble, *scene.complaints]
    if naked.longest > drill.naked:
        reasons.append(f"something was held for {_span(naked.longest)} without its full stop")
    if surplus.longest > drill.surplus:
        reasons.append(f"for {_span(surplus.longest)} exits could trade more than was held")
    if duplicates:
        reasons.append(f"{duplicates} orders went out once too often")
    reasons += [words for words in (drift and f"drift: {drift}", touched) if words]
    return Result(
        drill=drill.name,
        sentence=drill.sentence,
        outcome=Outcome.FAIL if reasons else Outcome.PASS,
        reasons=tuple(reasons),
        steps=tuple(scene.steps),
        naked=naked.total,
        surplus=surplus.total,
        duplicates=duplicates,
        orders_left=len([one for one in ledger.live() if one.terms.order_ref]),
        positions_left={universe[one].symbol: n for one, n in ledger.positions().items()},
        profit=evidence.profit,
        drift=drift,
        lasted=scene.gateway.clock.now() - drill.opened_at,
    )


def _own_books(scene: Scene) -> tuple[str, str]:
    """What is wrong with the desk's books, and with what it did to orders of others."""
    try:
        trader = scene.trader
    except TraderError:
        return "", ""  # no desk is left, so no books are
    install, client = trader.journal.state.install, scene.client_id
    return (
        disagreement(scene.ledger, trader.portfolio),
        strangers_touched(scene.gateway.wire, install, client),
    )


def _skipped(drill: Drill, why: str, steps: tuple[Step, ...] = ()) -> Result:
    return Result(
        drill=drill.name,
        sentence=drill.sentence,
        outcome=Outcome.SKIPPED,
        reasons=(why,),
        steps=steps,
    )


def _terms(settings: Settings, gateway: StillGateway) -> DeskTerms:
    def add(trader: Trader) -> None:
        equip(trader, settings)
        face_outside(trader, settings, (), timeout=settings.timeout_seconds)

    return DeskTerms(
        journal=settings.place.journal,
        risk=risk_settings(settings),
        protection=settings.protection,
        link=link_settings(settings, gateway.server.port),
        patience=settings.timeout_seconds,
        equip=add,
    )


def _words(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_words(one) for one in error.exceptions)
    return str(error) or type(error).__name__


def _span(span: timedelta) -> str:
    return f"{span.total_seconds():g} s"
