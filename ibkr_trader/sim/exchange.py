"""The exchange behind one door: orders in, typed events out, time passed in.

Everything it does is a function of the calls made, their times and the seed. It reads no
clock, does no I/O and knows no socket: `sim/gateway` speaks TWS for it over TCP, and
`SimulatedBroker` is it in process. `now` is the exchange's own time (`sim/clock.py`), aware
and in UTC; one that lies before the last call's counts as that.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from ibkr_trader.sim import acceptance, credit, refusals, trading
from ibkr_trader.sim.account import Account, AccountState
from ibkr_trader.sim.bars import BarSeries
from ibkr_trader.sim.broker_acts import BrokerActs
from ibkr_trader.sim.events import SimEvent
from ibkr_trader.sim.families import BracketMode
from ibkr_trader.sim.feed import Feed
from ibkr_trader.sim.floor_acts import FloorActs
from ibkr_trader.sim.floor_rules import FloorRules
from ibkr_trader.sim.forcing import Forcing
from ibkr_trader.sim.hand import Hand
from ibkr_trader.sim.instruments import Tape
from ibkr_trader.sim.life import cancel
from ibkr_trader.sim.liquidating import Liquidator
from ibkr_trader.sim.listing_acts import ListingActs
from ibkr_trader.sim.market import Market
from ibkr_trader.sim.matching import CLOSE_TYPES
from ibkr_trader.sim.model import PriceModel
from ibkr_trader.sim.oca import follow_cancel
from ibkr_trader.sim.orders import OrderKey, OrderTerms, Preview, Refusal, SimOrder
from ibkr_trader.sim.pit import ExchangeConfig, Pit
from ibkr_trader.sim.precautions import READ_ONLY
from ibkr_trader.sim.register import Register
from ibkr_trader.sim.state import Counters, ExchangeState, changed_state, load, whole_state
from ibkr_trader.sim.tws_acts import TwsActs
from ibkr_trader.sim.universe import Universe

__all__ = ["BracketMode", "Counters", "Exchange", "ExchangeConfig", "ExchangeState"]

_AUCTION_LOCK = timedelta(minutes=10)  # before the close, its orders can no longer be taken back


class Exchange:
    """One account's exchange.

    Attributes:
        config: How it behaves.
        universe: What is listed.
        market: Quotes and bars; tests set prices there.
        account: Cash, positions, margins.
        orders: Every order and execution of the day.
        floor_acts: What happens to markets: halts, gaps, splits, price caps and bands, TWS's own.
        broker_acts: What the broker does of itself: corrections, rejections, time-outs, locates.
        tws_acts: What TWS does of itself: it restarts, its date changes.
        listing_acts: What becomes of listings: other tickers and numbers, and their end.
        hand: A person who trades the same account at TWS.
        forcing: Makes an order trade now, for whoever rehearses a race.
    """

    def __init__(
        self,
        config: ExchangeConfig,
        universe: Universe,
        state: ExchangeState | None = None,
        *,
        bars: Mapping[int, BarSeries] | None = None,
    ) -> None:
        """Open a new exchange, or the one that `state` (from `dump()`) describes.

        `bars` gives prices of their own to some instruments, by con_id.
        """
        if state is not None:
            config = state.config
        files = dict(bars or {})
        now = state.at if state is not None else config.opened_at
        model = PriceModel(config.seed, config.opened_at)
        feed = Feed(universe, model, files, now=now)
        fresh = AccountState(
            account=config.account,
            currency=config.currency,
            cash={config.currency: config.cash},
            day_equity=config.cash,
        )
        account = Account(
            state.account if state is not None else fresh,
            state.positions if state is not None else (),
            instruments=universe.__getitem__,
            price=lambda con_id: feed.tape(con_id).mark,
            rate=lambda currency: feed.rate(currency, config.currency),
        )
        self.config = config
        self.universe = universe
        self.market = Market(feed, model, files)
        self.account = account
        self._pit = Pit(config, universe, feed=feed, account=account, now=now)
        self.orders = Register(self._pit.ledger)
        self._reported: dict[int, Tape] = {}
        self.floor_acts = FloorActs(self._pit, self._reach, self._finish)
        self.broker_acts = BrokerActs(self._pit, self._reach, self._finish)
        self.listing_acts = ListingActs(self._pit, self._reach, self._finish)
        self.liquidator = Liquidator(self._pit, self._reach, self._finish)
        self.hand = Hand(self._pit, self._reach, self._finish)
        self.tws_acts = TwsActs(self._pit, self._reach, self._finish)
        self.forcing = Forcing(self._pit, self._reach, self._finish)
        load(self._pit, state)

    @property
    def rules(self) -> FloorRules:
        """How broker and exchange behave at present."""
        return self._pit.rules

    @property
    def now(self) -> datetime:
        """The time it has reached."""
        return self._pit.now

    def place(
        self, client_id: int, order_id: int, *, terms: OrderTerms, now: datetime
    ) -> list[SimEvent]:
        """Place a new order, or change the client's open order of that id.

        Returns what followed, in order: nothing at all for transmit=0; `Noticed` for a
        refusal; else the order's states, fills, and whatever they caused in other orders.
        """
        self._reach(now)
        acceptance.place(self._pit, OrderKey(client_id, order_id), terms)
        return self._finish()

    def preview(
        self, client_id: int, order_id: int, *, terms: OrderTerms, now: datetime
    ) -> Preview | Refusal:
        """Answer a what-if: what the order would do to margins. Nothing is kept of it.

        An order the account could not carry is previewed all the same, with a warning.
        Time passes by `advance` only: quotes are those of the last call.
        """
        del now  # one signature for all that a client may ask
        return credit.preview(self._pit, OrderKey(client_id, order_id), terms)

    def cancel(self, client_id: int, order_id: int, *, now: datetime) -> list[SimEvent]:
        """Cancel an order, the client's own or (unless `strict_clients`) anybody's."""
        self._reach(now)
        key = OrderKey(client_id, order_id)
        order = self._pit.ledger.orders.get(key) or self._foreign(key)
        if self._pit.rules.precautions.is_read_only:
            refusal = READ_ONLY
        elif order is None:
            refusal = refusals.not_found(order_id)
        elif order.status.is_closed:
            refusal = refusals.not_cancellable(order)
        elif self._is_locked(order):
            refusal = refusals.too_late(order)
        else:
            cancel(self._pit, order, asked=True)
            follow_cancel(self._pit, order)
            return self._finish()
        self._pit.notice(key, refusal.code, refusal.text)
        return self._finish()

    def cancel_all(self, *, now: datetime) -> list[SimEvent]:
        """Cancel every open order of every client (reqGlobalCancel)."""
        self._reach(now)
        for key in tuple(self._pit.ledger.open):
            order = self._pit.order(key)
            if order is not None:
                cancel(self._pit, order, asked=True)
        return self._finish()

    def advance(self, now: datetime) -> list[SimEvent]:
        """Let time pass to `now`: quotes move, orders trade, trigger, expire; the day rolls.

        Also matches what `market.set_quote()` and `print_trade()` changed: call it after them.
        """
        self._reach(now)
        return self._finish()

    def changes(self) -> ExchangeState | None:
        """Return what changed since the last call, to be made durable; None if nothing did."""
        return changed_state(self._pit)

    def dump(self) -> ExchangeState:
        """Return everything that outlives a restart, to be passed to `__init__`."""
        return whole_state(self._pit)

    def _reach(self, now: datetime) -> None:
        trading.reach(self._pit, now)

    def _finish(self) -> list[SimEvent]:
        trading.settle(self._pit)
        if self.market.watched:
            trading.report_quotes(self._pit, list(self.market.watched), self._reported)
        out, self._pit.out = self._pit.out, []  # what a failed act left over goes out with the next
        return out

    def _foreign(self, key: OrderKey) -> SimOrder | None:
        if self.config.strict_clients and key.client_id != 0:
            return None
        working = self._pit.ledger.open
        named = (k for k in working if k.order_id == key.order_id)
        found = (self._pit.ledger.orders[k] for k in named)
        return next((order for order in found if order.is_visible), None)

    def _is_locked(self, order: SimOrder) -> bool:
        closes = order.active_at
        is_auction = order.terms.order_type in CLOSE_TYPES and not order.is_held
        return is_auction and closes is not None and self._pit.now >= closes - _AUCTION_LOCK
