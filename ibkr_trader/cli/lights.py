"""The three lights: the line to the gateway, the gateway's to IBKR, and the prices.

A gateway that is there and has lost IBKR looks alive; so the two lines are told apart, by the
words with which the loss was told. What nobody can say at present is unknown, never well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.adapters.ibkr.absence import STILL
from ibkr_trader.adapters.ibkr.error_codes import Kind, rule_for
from ibkr_trader.core import events as ev
from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import DataType
from ibkr_trader.core.text import plain
from ibkr_trader.core.trading_day import session_at
from ibkr_trader.dashboard.scene import Light
from ibkr_trader.risk.gauges import at_stake

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ibkr_trader.core.models import Contract
    from ibkr_trader.portfolio.state import Link
    from ibkr_trader.risk.view import AgedQuote, RiskView

QUIET = 60.0  # seconds without news of a price, while its market is open
_NAMED = 3  # contracts that a line names


class Lit(NamedTuple):
    """A light, and in words what is wrong; empty if nothing is."""

    light: Light
    trouble: str = ""


class Lights(NamedTuple):
    """How the three lines stand, by the names under which they are told to scripts."""

    gateway: Lit
    ibkr: Lit
    data: Lit


class LinkWatch:
    """Hears which of the lines went down last, and why; that one is up again the link says."""

    def __init__(self) -> None:
        self._lost = ""
        self._is_behind = False  # the gateway is there, and IBKR is not

    def hear(self, event: ev.BaseEvent) -> None:
        """Take note of an event."""
        match event:
            case ev.DisconnectEvent(reason=reason):
                self._lost, self._is_behind = plain(reason), is_of_ibkr(reason)
            case ev.ErrorEvent(code=0, message=message) if message.startswith(STILL):
                self._is_behind = False  # by now the gateway is gone, too
            case _:
                pass

    def lights(self, link: Link, *, is_synced: bool, restarting: str = "") -> tuple[Lit, Lit]:
        """Return the lights of the line to the gateway, and of the gateway's to IBKR.

        A gateway that is `restarting` (in words: until when), as it does every day, is waited for.
        """
        if is_synced:  # the news of a new line may come later than the answers on it
            return Lit(Light.UP), Lit(Light.UP)
        if link.is_up:
            return Lit(Light.UP), Lit(Light.WAITING, "asking the broker for everything")
        if not link.epoch:
            return Lit(Light.UNKNOWN, "not connected yet"), Lit(Light.UNKNOWN)
        if restarting:
            calm = Lit(Light.WAITING, f"the gateway is gone: {restarting}")
            return (Lit(Light.UP), calm) if self._is_behind else (calm, Lit(Light.WAITING))
        if self._is_behind:
            return Lit(Light.UP), Lit(Light.DOWN, f"the gateway has lost IBKR: {self._lost}")
        return Lit(Light.DOWN, f"the gateway is gone: {self._lost}"), Lit(Light.UNKNOWN)

    def words(self, link: Link, *, is_synced: bool) -> str:
        """Return how the two lines stand, in one sentence that names the one that is down."""
        if is_synced:
            return "connected, in sync"
        if link.is_up:
            return "connected, not in sync yet"
        return away(self._lost) if self._is_behind else f"lost: {self._lost}"

    def three(self, view: RiskView, *, is_synced: bool, restarting: str = "") -> Lights:
        """Return all three lights: those of the lines, and of the prices of what is at stake."""
        link = view.portfolio.link
        gateway, ibkr = self.lights(link, is_synced=is_synced, restarting=restarting)
        if link.is_up or is_synced:
            data = data_light(at_stake(view), view.quotes, is_open=_is_open(view))
        else:
            data = unheard(ibkr, link)
        return Lights(gateway, ibkr, data)


def away(reason: str) -> str:
    """Return what to say of a gateway that is there and has lost IBKR, by TWS's own `reason`."""
    return f"IBKR is away ({reason.rstrip('.')}); the gateway is up"


def is_of_ibkr(reason: str) -> bool:
    """Whether TWS itself said that it has lost IBKR: its code stands before its words."""
    code = reason.partition(" ")[0]
    return code.isdecimal() and code.isascii() and rule_for(int(code)).kind is Kind.LINK_LOST


def unheard(far: Lit, link: Link) -> Lit:
    """Return the light of the prices while nothing can come; `far` is that of the line to IBKR."""
    if not link.epoch:
        return Lit(Light.UNKNOWN)
    return Lit(Light.WAITING if far.light is Light.WAITING else Light.DOWN)


def data_light(
    wanted: Iterable[Contract], quotes: Mapping[int, AgedQuote], *, is_open: bool | None
) -> Lit:
    """Return the light of the prices of `wanted`: what is held, and what works.

    A quiet price is no trouble while its market is closed. Where nothing is wanted nobody can
    say whether a price would come.
    """
    troubles: dict[str, list[str]] = {}
    count = missing = 0
    for contract in wanted:
        quote = quotes.get(contract.con_id)
        count, missing = count + 1, missing + (quote is None)
        if what := _trouble(quote, is_open=is_open):
            troubles.setdefault(what, []).append(label(contract))
    if not count:
        return Lit(Light.UNKNOWN)
    words = "; ".join(f"{what} {_names(names)}" for what, names in troubles.items())
    if not words:
        return Lit(Light.UP)
    return Lit(Light.DOWN if missing == count else Light.WAITING, words)


def _trouble(aged: AgedQuote | None, *, is_open: bool | None) -> str:
    if aged is None:
        return "no price of"
    if aged.quote.data_type in (DataType.DELAYED, DataType.DELAYED_FROZEN):
        return "delayed prices of"
    if aged.quote.halted:
        return "trading is halted in"
    is_quiet = aged.age.total_seconds() > QUIET and is_open is not False
    return f"no news for {QUIET:.0f} s of" if is_quiet else ""


def _names(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _is_open(view: RiskView) -> bool | None:
    """Whether a market is open in which something is at stake; None if nobody says."""
    details = [view.details.get(contract.con_id) for contract in at_stake(view)]
    known = [one.liquid_sessions for one in details if one is not None and one.liquid_sessions]
    if not known:
        return None
    return any(session_at(sessions, view.exchange_now) is not None for sessions in known)
