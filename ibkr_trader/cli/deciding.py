"""What a running trader decides by: strategies from files, signals from sources.

Warming up takes a while, and the trader looks after its orders meanwhile. Sources are opened
last, so that no signal comes before the rules that it is for.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.adapters.strategy_file import StrategyFile
from ibkr_trader.cli.outside import made_sinks, made_sources
from ibkr_trader.cli.progress import progress
from ibkr_trader.cli.strategies import StrategyShelf
from ibkr_trader.cli.wording import counted
from ibkr_trader.execution.tasks import alongside

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ibkr_trader.cli.event_lines import EventLines
    from ibkr_trader.cli.face import Face
    from ibkr_trader.cli.trader_card import TraderCard
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.ports import SignalSource
    from ibkr_trader.execution.strategist import Strategist


class Decides(NamedTuple):
    """What a trader decides by.

    Attributes:
        live: Files of strategies that trade.
        shadows: Files of strategies that only write down what they would do.
        symbols: Whose signals are taken, beside those of the strategies.
    """

    live: tuple[Path, ...] = ()
    shadows: tuple[Path, ...] = ()
    symbols: tuple[str, ...] = ()


NOTHING = Decides()


def check(face: Face, by: Decides) -> None:
    """Refuse what cannot be used before anything is opened or started.

    Raises:
        ConfigError: If a strategy, a source or a sink cannot be used.
    """
    for path in (*by.live, *by.shadows):
        StrategyFile(path).load()
    made_sources(face.settings())
    made_sinks(face.settings())


@asynccontextmanager
async def deciding(
    face: Face, desk: Desk, lines: EventLines, *, by: Decides, card: TraderCard
) -> AsyncIterator[None]:
    """Run strategies and sources for the length of the block.

    Raises:
        ConfigError: If a strategy or a source cannot be used.
        TraderError: If a strategy's symbol cannot be had.
    """
    strategist = desk.trader.strategist
    if strategist is None:
        yield
        return
    sources = made_sources(face.settings())
    shelf = StrategyShelf(desk.trader, strategist, say=lambda text: lines.say("Strategy", text))
    with progress("", is_shown=not face.json) as report:
        await shelf.open(by.live, by.shadows, tell=lambda text: report(0, 0, text))
    _take_only_known(strategist, by)
    strategist.settle_open()
    _told(lines, strategist, sources)
    card.shelf = shelf
    works = [source.run(strategist.signals.take) for source in sources]
    async with alongside(shelf.work(), *works):
        yield


def _take_only_known(strategist: Strategist, by: Decides) -> None:
    """Refuse signals of symbols that nothing here trades, unless the file says which to take."""
    signals = strategist.signals
    named = signals.admission.symbols
    if named is None:
        every = (*strategist.rules.strategies, *strategist.rules.shadows)
        named = frozenset(symbol for strategy in every for symbol in strategy.symbols)
    signals.admission = msgspec.structs.replace(signals.admission, symbols=named.union(by.symbols))


def _told(lines: EventLines, strategist: Strategist, sources: list[SignalSource]) -> None:
    for strategy in strategist.rules.strategies:
        what = f"{strategy.name} {strategy.version} trades {', '.join(strategy.symbols)}"
        lines.say("Strategy", f"{what} by {counted(len(strategy.rules), 'rule')}")
    for strategy in strategist.rules.shadows:
        lines.say("Strategy", f"{strategy.name} {strategy.version} runs in the shadow")
    for source in sources:
        lines.say("Source", f"signals are taken from {source.name}")
