"""How a trader stands at a moment, for one screen: the panels, and what of the orders is new.

A glimpse holds everything since the last one that was sent: one that the screen did not take
is simply not made up for, because the next says the same and more. State and rows are of the
moment; what adds up the whole book (heat, limits, correlations) is of the last second.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader import __version__
from ibkr_trader.cli.lights import Lit, data_light, unheard
from ibkr_trader.cli.limits_view import figure, gauge_name
from ibkr_trader.cli.position_view import six_digits
from ibkr_trader.cli.screen_rows import ScreenRows, in_order
from ibkr_trader.cli.session_hours import USUAL, Hours, hours
from ibkr_trader.core.accounts import masked
from ibkr_trader.core.contracts import label
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import SENTENCES, plain
from ibkr_trader.core.trading_day import session_at
from ibkr_trader.dashboard.scene import GaugeRow, Glimpse, Head
from ibkr_trader.risk.concentration import standing
from ibkr_trader.risk.correlated import index_of
from ibkr_trader.risk.gauges import at_stake, readings
from ibkr_trader.risk.traffic import ratio

if TYPE_CHECKING:
    from ibkr_trader.cli.board import Board
    from ibkr_trader.core.models import ContractDetails, OrderId
    from ibkr_trader.dashboard.scene import OrderRow
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.ports import Calendar
    from ibkr_trader.risk.check import Gauge
    from ibkr_trader.risk.view import RiskView

PAUSE = 1.0  # seconds for which what costs more is believed
_CENT = Decimal("0.01")
_CONFIG_SHOWN = 7  # letters of the name of the settings: enough to tell two apart
_MOST_LIMITS = 100
_ALL_OF_THEM = "less in use; all of them: ibkr-trader limits"
_MOST_PAIRS = 20
# Limits of a single order, of which nothing is ever in use.
OF_AN_ORDER = frozenset({"price_collar", "risk_per_trade"})
_NOTHING: Mapping[OrderId, OrderRow] = MappingProxyType({})


class _Slow(NamedTuple):
    """What is of the last second."""

    at: float
    heat: Decimal | None
    data: Lit
    hours: Hours
    zone: str
    gauges: tuple[GaugeRow, ...]
    warnings: tuple[str, ...]


class Glimpser:
    """Takes glimpses for one screen.

    Attributes:
        skipped: How many the screen did not take.
    """

    def __init__(
        self, desk: Desk, board: Board, *, profile: str, calendar: Calendar, config: str = ""
    ) -> None:
        self._version = f"{__version__} {config[:_CONFIG_SHOWN]}".rstrip()
        self._trader = desk.trader
        self._board = board
        self._profile = profile
        self._calendar = calendar
        self._rows = ScreenRows(board.origins.words)
        self._slow: _Slow | None = None
        self._told = _NOTHING  # the orders as the screen has them
        self._line = 0  # the last one of the feed that it has
        self._taken = 0  # the last one of the glimpse that was taken
        self._is_first = True
        self.skipped = 0

    def take(self) -> Glimpse:
        """Return how things stand, and all that is new since the last glimpse that was sent."""
        board, outlook = self._board, self._trader.outlook
        self._rows.follow(outlook.portfolio, outlook.details)
        slow, rows, told = self._seen(), self._rows.orders, self._told
        fresh = [row for order_id, row in rows.items() if told.get(order_id) is not row]
        feed = board.lines(since=self._line)
        self._taken = feed[-1].number if feed else self._line
        return Glimpse(
            head=self._head(slow),
            is_first=self._is_first,
            positions=tuple(self._rows.positions.values()),
            orders=tuple(in_order(fresh)),
            gone=tuple(order_id for order_id in told if order_id not in rows),
            gauges=slow.gauges,
            warnings=slow.warnings,
            decisions=board.decisions,
            feed=feed,
            equity=board.equity,
            events=board.events,
            skipped=self.skipped,
        )

    def sent(self) -> None:
        """Take note that the screen has what was taken last: the next one begins there."""
        self._told = dict(self._rows.orders)
        self._line, self._is_first = self._taken, False

    def left_out(self) -> None:
        """Take note that the screen did not take it: the next one begins where it would have."""
        self.skipped += 1

    def _head(self, slow: _Slow) -> Head:
        trader, outlook = self._trader, self._trader.outlook
        pnl, book, limits = outlook.pnl, outlook.book, outlook.limits
        facts = book.facts(is_synced=outlook.is_synced, pnl=pnl)
        traffic, values = book.traffic_today, outlook.portfolio.values
        link = outlook.portfolio.link
        socket, far = self._board.links.lights(
            link, is_synced=outlook.is_synced, restarting=book.restarting
        )
        data = slow.data if link.is_up or outlook.is_synced else unheard(far, link)
        arming = trader.arming.arming(as_typed=False)
        worth = values.net_liquidation if values is not None else None
        return Head(
            profile=self._profile,
            account=masked(trader.account),
            state=facts["trading_state"].value,
            reason=plain(facts["state_reason"], limit=SENTENCES),
            halts=tuple(sorted(symbol for symbol in book.switch.held if symbol)),
            alarms=len(trader.alarming.standing),
            socket=socket.light,
            link=far.light,
            data=data.light,
            trouble="; ".join(lit.trouble for lit in (socket, far, data) if lit.trouble),
            now=trader.clock.now(),
            zone=slow.zone,
            is_open=slow.hours.is_open,
            turns_at=slow.hours.turns_at,
            day_net=pnl.net,
            day_limit=limits.max_daily_loss,
            net_liquidation=worth,
            heat=slow.heat,
            heat_limit=None if worth is None else (worth * limits.max_heat).quantize(_CENT),
            efficiency=ratio(traffic) if traffic is not None and traffic.messages else None,
            armed_until=arming.until if arming.is_live else None,
            is_readonly=outlook.is_readonly,
            version=self._version,
            pid=os.getpid(),
        )

    def _seen(self) -> _Slow:
        """Return what is of the last second, made again once that is over."""
        now, slow = self._trader.clock.monotonic(), self._slow
        if slow is None or now - slow.at >= PAUSE:
            view = self._trader.outlook.view()
            details, heat = _details(view), view.heat_now()
            open_hours = hours(details, self._calendar, view.exchange_now)
            self._slow = slow = _Slow(
                at=now,
                heat=None if heat.unknown else heat.total,
                data=data_light(at_stake(view), view.quotes, is_open=open_hours.is_open),
                hours=open_hours._replace(is_open=_is_any_open(view, open_hours)),
                zone=str(self._calendar.zone(details)),
                gauges=gauge_rows(view),
                warnings=warnings(view),
            )
        return slow


def gauge_rows(view: RiskView) -> tuple[GaugeRow, ...]:
    """Return how much of every limit is in use: the fullest first, mere rules last."""
    found = sorted(readings(view), key=_rank)
    limits = [one for one in found if one.limit is not None]
    shown, rules = limits[:_MOST_LIMITS], found[len(limits) :]
    rows = [_gauge_row(one) for one in shown]
    if more := len(limits) - len(shown):
        rows.append(GaugeRow(name=f"and {more} more", used="", limit="", note=_ALL_OF_THEM))
    return (*rows, *(_gauge_row(one) for one in rules))


def warnings(view: RiskView) -> tuple[str, ...]:
    """Return the pairs at stake that move together, the closest first, and what is assumed."""
    index, on = index_of(view), standing(view)
    if len(index.spans) <= 1:  # what stands alone moves with nothing
        return ()
    lines = [on.why] if on.why else []
    if index.strangers and index.matrix is not None:
        lines.append(f"no correlations of {', '.join(sorted(index.strangers))}")
    found: list[tuple[float, str, str]] = []
    for symbol in index.spans:
        near = index.near.get(symbol)
        others = (*near.alike, *near.against) if near is not None else ()
        for other in others:
            if symbol < other and other in index.spans and index.matrix is not None:
                rho = index.matrix.get_correlation(symbol, other) or 0.0
                found.append((rho, symbol, other))
    found.sort(key=lambda one: (-abs(one[0]), one[1:]))
    for rho, symbol, other in found[:_MOST_PAIRS]:
        words = "moves with" if rho > 0 else "moves against"
        lines.append(f"{symbol} {words} {other} ({rho:.2f})")
    if len(found) > _MOST_PAIRS:
        lines.append(f"and {len(found) - _MOST_PAIRS} more pairs")
    return tuple(lines)


def _gauge_row(gauge: Gauge) -> GaugeRow:
    is_rule = gauge.limit is None and gauge.used is None
    return GaugeRow(
        name=gauge_name(gauge),
        used="" if is_rule else figure(gauge.used, gauge.unit),
        limit="" if is_rule else figure(gauge.limit, gauge.unit),
        share=six_digits(gauge.share),
        note=plain(gauge.note, limit=SENTENCES),
    )


def _rank(gauge: Gauge) -> tuple[int, Decimal]:
    """Where a gauge stands: what nobody knows before what is in use, since it opens nothing."""
    if gauge.limit is None:
        return 3, ZERO
    if gauge.used is None:
        return (2 if gauge.check in OF_AN_ORDER else 0), ZERO
    share = gauge.share
    return 1, -gauge.used if share is None else -share  # of nothing, anything is too much


def _is_any_open(view: RiskView, first: Hours) -> bool | None:
    """Whether any market is open in which something is held or works; those of one may differ."""
    at_work = {order.spec.contract.con_id for order in view.portfolio.orders.values()}
    known = [view.details.get(con_id) for con_id in (*view.portfolio.positions, *at_work)]
    sessions = [one for found in known if found for one in found.trading_sessions]
    if session_at(sessions, view.exchange_now) is not None and first.is_open is False:
        return None  # outside regular hours, or elsewhere: the guard decides order by order
    return first.is_open


def _details(view: RiskView) -> ContractDetails:
    """Return the details of something held, or known: whose market the session is of."""
    held = sorted(view.portfolio.positions.values(), key=lambda one: label(one.contract))
    for position in held:
        if (found := view.details.get(position.contract.con_id)) is not None:
            return found
    return next(iter(view.details.values()), USUAL)
