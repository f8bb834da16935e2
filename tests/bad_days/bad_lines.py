"""What happens to a day's connection beside the faults of single messages, and who else has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr.connection import IBKRConnection, LinkSettings
from ibkr_trader.cli.lights import LinkWatch, Lit
from ibkr_trader.core.events import BaseEvent
from ibkr_trader.dashboard.scene import Light
from ibkr_trader.sim.gateway.act_words import read_act
from ibkr_trader.sim.gateway.doing import Doer

if TYPE_CHECKING:
    from tests.bad_days.stage import Day


def break_off(day: Day) -> None:
    """Reset every connection at once; a client hears of it when its loop turns next."""
    for session in day.server.lines.sessions():
        session.cut(reset=True, keep=False)
    day.server.lines.flush()


def hang_up(day: Day) -> None:
    """End the desk's connection in good order (FIN), with what was said before."""
    for session in day.server.lines.sessions(client_id=1):
        session.cut(reset=False, keep=True)
    day.server.lines.flush()


def another_link(
    day: Day, *, client_id: int, account: str | None = None, max_attempts: int = 1
) -> IBKRConnection:
    """Another program's connection to the same gateway, yet to be opened; it tries once."""
    settings = LinkSettings(
        port=day.server.port, client_id=client_id, account=account, max_attempts=max_attempts
    )
    return IBKRConnection(settings, clock=day.time, jitter=lambda: 0.5)


def line_of(day: Day) -> IBKRConnection:
    """The connection of the desk that is open."""
    assert day._connection is not None
    return day._connection


def write_raw(day: Day, data: bytes) -> None:
    """Have the gateway write bytes as they are, after all that it has written so far."""
    (line,) = day.server.lines._lines
    assert line._transport is not None
    line._transport.write(data)


def inject_now(day: Day, words: str) -> None:
    """Do to the gateway what `ibkr-trader gateway inject` would; nobody has heard of it yet."""
    Doer(day.server)(read_act(words.split()))


async def inject(day: Day, words: str) -> None:
    """Do it, and let everybody hear of it."""
    inject_now(day, words)
    await day.quiet()


class Lamps:
    """The lights of the lines to the gateway and to IBKR, as a screen has them."""

    def __init__(self, day: Day) -> None:
        self._day = day
        self._watch = LinkWatch()
        day.trader.bus.subscribe(BaseEvent, self._watch.hear)

    @property
    def lit(self) -> tuple[Light, Light]:
        """How they stand."""
        return self._seen[0].light, self._seen[1].light

    @property
    def trouble(self) -> str:
        """What the screen says is wrong."""
        return "; ".join(lit.trouble for lit in self._seen if lit.trouble)

    @property
    def _seen(self) -> tuple[Lit, Lit]:
        outlook = self._day.trader.outlook
        restarting = outlook.book.restarting
        link = outlook.portfolio.link
        return self._watch.lights(link, is_synced=outlook.is_synced, restarting=restarting)
