"""What a running trader decides by: strategies from files, signals from sources.

Warming up takes a while, and the trader looks after its orders meanwhile. Sources are opened
last, so that no signal comes before the rules that it is for.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.notify.apprise_notifier import notifier_of
from ibkr_trader.cli.outside import made_sinks, made_sources
from ibkr_trader.cli.progress import progress
from ibkr_trader.cli.strategies import Read, StrategyShelf, read
from ibkr_trader.cli.wording import counted
from ibkr_trader.config import Profile
from ibkr_trader.core import events as ev
from ibkr_trader.core.signals import Malformed
from ibkr_trader.execution.tasks import alongside

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from ibkr_trader.cli.event_lines import EventLines
    from ibkr_trader.cli.face import Face
    from ibkr_trader.cli.trader_card import TraderCard
    from ibkr_trader.core.signals import Incoming, SignalReply
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.ports import PayloadSink, SignalSource
    from ibkr_trader.execution.strategist import Strategist
    from ibkr_trader.execution.trader import Trader


class Decides(NamedTuple):
    """What a trader decides by.

    Attributes:
        live: Files of strategies that trade.
        shadows: Files of strategies that only write down what they would do.
        symbols: Whose signals are taken, beside those of the strategies.
        as_edited: The files trade as they are, whatever traded before.
    """

    live: tuple[Path, ...] = ()
    shadows: tuple[Path, ...] = ()
    symbols: tuple[str, ...] = ()
    as_edited: bool = False


class Ready(NamedTuple):
    """What was named, read and made once: whoever runs it runs what was checked.

    Attributes:
        strategies: As their files were then.
        symbols: Whose signals are taken, beside those of the strategies.
        sources: Where signals come from; none is open yet.
        sinks: Who is told what happens; likewise.
        as_edited: The files trade as they are, whatever traded before.
    """

    strategies: tuple[Read, ...] = ()
    symbols: tuple[str, ...] = ()
    sources: tuple[SignalSource, ...] = ()
    sinks: tuple[PayloadSink, ...] = ()
    as_edited: bool = False


NOTHING = Ready()


def check(face: Face, by: Decides) -> Ready:
    """Make what is named, or refuse it, before anything is opened or started.

    Raises:
        ConfigError: If a strategy, a source or a sink cannot be used, or nobody could be told.
    """
    settings = face.settings()
    if settings.notify is not None:  # of a trader that stays it must be sure whom it calls
        notifier_of(settings.notify.urls_env)
    return Ready(
        strategies=read(by.live, by.shadows),
        symbols=by.symbols,
        sources=tuple(made_sources(settings)),
        sinks=tuple(made_sinks(settings)),
        as_edited=by.as_edited,
    )


@asynccontextmanager
async def deciding(
    face: Face, desk: Desk, lines: EventLines, *, by: Ready, card: TraderCard
) -> AsyncIterator[None]:
    """Run strategies and sources for the length of the block.

    Raises:
        TraderError: If a strategy's symbol cannot be had.
    """
    strategist = desk.trader.strategist
    if strategist is None:
        yield
        return
    # Before anything trades: what this process decides is not what the last one left open.
    for event in strategist.settle_open():
        lines.hear(event)  # nobody listens to the bus yet, and some of it must be seen
    shelf = StrategyShelf(desk.trader, strategist)
    with progress("", is_shown=not face.json) as report:
        remarks = await shelf.open(
            by.strategies,
            as_edited=by.as_edited,
            tell=lambda text: report(0, 0, text),
        )
    strategist.signals.also = frozenset(by.symbols)
    _told(lines, strategist, by.sources)
    for remark in remarks:
        lines.say("Strategy", remark)
    card.shelf, card.sources = shelf, by.sources
    take = taking(strategist, is_simulated=face.settings().profile is Profile.SIM)
    works = [source.run(take, say=telling(desk.trader, source)) for source in by.sources]
    async with alongside(shelf.work(), *works):
        yield


def telling(trader: Trader, source: SignalSource) -> Callable[[str], None]:
    """Return what tells people of a source, on record: so it reaches the log and every screen.

    While it is in trouble, exits by signal do not come either: that is said aloud.
    """

    def say(words: str) -> None:
        now, is_ill = trader.clock.now(), bool(source.trouble)
        told = ev.ErrorEvent(at=now, code=0, message=words, is_serious=is_ill)
        trader.record.witness([told])

    return say


def taking(
    strategist: Strategist, *, is_simulated: bool
) -> Callable[[Incoming], Awaitable[SignalReply]]:
    """Return the door for sources; their times are turned into the desk's.

    Producers live by the machine's clock, and the simulator has one of its own: a signal of a
    second ago is to be a second old there, too.
    """
    if not is_simulated:
        return strategist.signals.take
    clock, machine = strategist.trader.clock, SystemClock()

    async def take(claim: Incoming) -> SignalReply:
        if not isinstance(claim, Malformed) and claim.issued_at is not None:
            made = claim.issued_at + (clock.now() - machine.now())
            claim = msgspec.structs.replace(claim, issued_at=made)
        return await strategist.signals.take(claim)

    return take


def _told(lines: EventLines, strategist: Strategist, sources: tuple[SignalSource, ...]) -> None:
    for strategy in strategist.rules.strategies:
        what = f"{strategy.name} {strategy.version} trades {', '.join(strategy.symbols)}"
        lines.say("Strategy", f"{what} by {counted(len(strategy.rules), 'rule')}")
    for strategy in strategist.rules.shadows:
        lines.say("Strategy", f"{strategy.name} {strategy.version} runs in the shadow")
    for source in sources:
        lines.say("Source", f"signals are taken from {source.name}")
