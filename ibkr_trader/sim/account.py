"""The account: fills in; cash, positions, margins and profit out. Pure: prices are passed in.

Costs are IBKR's fixed pricing; margins are Regulation T (half to open, a quarter to keep, 30 %
for shorts), long options paid in full, short ones 20 % of the underlying less what they are
out of the money, 10 % at least. Average costs include commissions, as IBKR states them.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

import msgspec

from ibkr_trader.core.enums import Side
from ibkr_trader.sim.instruments import Instrument
from ibkr_trader.sim.statement import AccountValue, statement

ZERO = Decimal(0)

Price = Callable[[int], Decimal | None]  # con_id -> the price to value it at
Rate = Callable[[str], Decimal]  # currency -> what one unit is worth in the base currency

_SHARE_FEE, _ORDER_MINIMUM, _ORDER_CAP = Decimal("0.005"), Decimal(1), Decimal("0.01")
_CONTRACT_FEE = Decimal("0.65")
_CASH_FEE, _CASH_MINIMUM = Decimal("0.00002"), Decimal(2)
_CENTI_CENT = Decimal("0.0001")
_INITIAL, _KEEP_LONG, _KEEP_SHORT = Decimal("0.5"), Decimal("0.25"), Decimal("0.3")
_OPTION_SHARE, _OPTION_FLOOR = Decimal("0.2"), Decimal("0.1")


class PositionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is held of one instrument.

    Attributes:
        quantity: Positive for long, negative for short.
        cost: What the position cost in all, commissions included, signed like the quantity.
        realized_pnl: Of this instrument, today; commissions taken off.
        day_value: What it was worth when the day began.
        day_flow: Today's purchases less sales, commissions included.
    """

    con_id: int
    quantity: Decimal
    cost: Decimal
    realized_pnl: Decimal = ZERO
    day_value: Decimal = ZERO
    day_flow: Decimal = ZERO

    @property
    def average_cost(self) -> Decimal:
        """Cost of one contract (the multiplier included, as IBKR states it); 0 when flat."""
        return self.cost / self.quantity if self.quantity else ZERO


class PositionValue(msgspec.Struct, frozen=True, kw_only=True):
    """A position at the market, in the instrument's currency: portfolioValue and pnlSingle."""

    position: PositionRecord
    market_price: Decimal
    market_value: Decimal
    unrealized_pnl: Decimal
    realized_pnl: Decimal
    daily_pnl: Decimal


class AccountPnl(msgspec.Struct, frozen=True, kw_only=True):
    """Profit in the base currency: of the day, open, and taken today."""

    daily: Decimal
    unrealized: Decimal
    realized: Decimal


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """The account's figures in its base currency."""

    cash: Decimal
    stock_value: Decimal
    option_value: Decimal
    gross_value: Decimal
    init_margin: Decimal
    maint_margin: Decimal
    unrealized: Decimal
    realized: Decimal

    @property
    def net_liquidation(self) -> Decimal:
        """What is left if everything is closed at the market."""
        return self.cash + self.stock_value + self.option_value

    @property
    def equity_with_loan(self) -> Decimal:
        """What margin is measured against: options lend nothing."""
        return self.cash + self.stock_value + min(ZERO, self.option_value)

    @property
    def available_funds(self) -> Decimal:
        """What can still be put up as initial margin."""
        return self.equity_with_loan - self.init_margin

    @property
    def excess_liquidity(self) -> Decimal:
        """The distance from a liquidation."""
        return self.equity_with_loan - self.maint_margin

    @property
    def buying_power(self) -> Decimal:
        """What that buys of stock, at half."""
        return max(ZERO, self.available_funds) / _INITIAL


class AccountState(msgspec.Struct, frozen=True, kw_only=True):
    """What outlives a restart, beside the positions."""

    account: str
    currency: str
    cash: dict[str, Decimal]  # by currency; negative is borrowed
    day_equity: Decimal  # net liquidation when the day began


class FillEffect(msgspec.Struct, frozen=True, kw_only=True):
    """What a fill did: `position` is None for currencies, which only move cash."""

    position: PositionRecord | None
    realized_pnl: Decimal | None


def commission(instrument: Instrument, *, quantity: Decimal, value: Decimal) -> Decimal:
    """Return what an order costs in all, having traded `quantity` for `value` so far."""
    if instrument.sec_type == "OPT":
        return max(_ORDER_MINIMUM, quantity * _CONTRACT_FEE)
    if instrument.sec_type == "CASH":
        return max(_CASH_MINIMUM, value * _CASH_FEE).quantize(_CENTI_CENT)
    fee = max(_ORDER_MINIMUM, quantity * _SHARE_FEE)
    return min(fee, value * _ORDER_CAP).quantize(_CENTI_CENT)


class Account:
    """Cash and positions of one account, and what they are worth.

    Attributes:
        state: Cash by currency, and the day's starting equity.
        positions: By con_id; those closed today stay, with quantity 0.
    """

    def __init__(
        self,
        state: AccountState,
        positions: Iterable[PositionRecord] = (),
        *,
        instruments: Mapping[int, Instrument] | Callable[[int], Instrument],
        price: Price,
        rate: Rate,
    ) -> None:
        self.state = state
        self.positions = {position.con_id: position for position in positions}
        self._instrument = instruments if callable(instruments) else instruments.__getitem__
        self._price = price
        self._rate = rate

    def apply(self, instrument: Instrument, *, side: Side, quantity: Decimal, price: Decimal,
              fee: Decimal) -> FillEffect:  # fmt: skip
        """Book one fill and what it cost."""
        signed = quantity * side.sign
        value = signed * price * instrument.multiplier
        self._pay(instrument.currency, value + fee)
        if instrument.sec_type == "CASH":
            self._pay(instrument.symbol, -signed)
            return FillEffect(position=None, realized_pnl=None)
        before = self.positions.get(instrument.con_id) or PositionRecord(
            con_id=instrument.con_id, quantity=ZERO, cost=ZERO
        )
        after, realized = fold(before, signed=signed, value=value, fee=fee)
        self.positions[instrument.con_id] = after
        return FillEffect(position=after, realized_pnl=realized)

    def totals(
        self, hypothetical: PositionRecord | None = None, *, spent: Decimal = ZERO
    ) -> Totals:
        """Return the account's figures; what-if: with one position replaced, and cash spent."""
        positions = dict(self.positions)
        if hypothetical is not None:
            positions[hypothetical.con_id] = hypothetical
        cash = sum((amount * self._rate(c) for c, amount in self.state.cash.items()), -spent)
        figures = [ZERO] * 7
        for position in positions.values():
            for index, figure in enumerate(self._figures(position)):
                figures[index] += figure
        stock, option, gross, init, maint, unrealized, realized = figures
        return Totals(
            cash=cash, stock_value=stock, option_value=option, gross_value=gross, init_margin=init,
            maint_margin=maint, unrealized=unrealized, realized=realized,
        )  # fmt: skip

    def portfolio(self) -> tuple[PositionValue, ...]:
        """Return every position at the market, today's closed ones included."""
        return tuple(self.value_of(position) for position in self.positions.values())

    def value_of(self, position: PositionRecord) -> PositionValue:
        """Return one position at the market."""
        instrument = self._instrument(position.con_id)
        price = self._price(position.con_id)
        if price is None:  # never quoted: it is worth what it cost
            price = position.average_cost / instrument.multiplier
        value = position.quantity * price * instrument.multiplier
        return PositionValue(
            position=position,
            market_price=price,
            market_value=value,
            unrealized_pnl=value - position.cost,
            realized_pnl=position.realized_pnl,
            daily_pnl=value - position.day_value - position.day_flow,
        )

    def values(self) -> tuple[AccountValue, ...]:
        """Return every line TWS states, the `$LEDGER` rows of each currency and BASE included."""
        return statement(self.state, self.totals(), self._rate)

    def pnl(self) -> AccountPnl:
        """Return the account's profit."""
        totals = self.totals()
        return AccountPnl(
            daily=totals.net_liquidation - self.state.day_equity,
            unrealized=totals.unrealized,
            realized=totals.realized,
        )

    def roll(self) -> None:
        """Begin a new day: what was realized is history, values are measured from here."""
        equity = self.totals().net_liquidation
        held = (position for position in self.positions.values() if position.quantity)
        self.positions = {
            position.con_id: msgspec.structs.replace(
                position,
                realized_pnl=ZERO,
                day_value=self.value_of(position).market_value,
                day_flow=ZERO,
            )
            for position in held
        }
        self.state = msgspec.structs.replace(self.state, day_equity=equity)

    def _pay(self, currency: str, amount: Decimal) -> None:
        cash = dict(self.state.cash)
        cash[currency] = cash.get(currency, ZERO) - amount
        self.state = msgspec.structs.replace(self.state, cash=cash)

    def _figures(self, position: PositionRecord) -> tuple[Decimal, ...]:
        """Stock and option value, gross, initial and maintenance margin, unrealized, realized."""
        instrument = self._instrument(position.con_id)
        rate = self._rate(instrument.currency)
        valued = self.value_of(position)
        value, size = valued.market_value * rate, abs(valued.market_value * rate)
        open_pnl, taken = valued.unrealized_pnl * rate, position.realized_pnl * rate
        if instrument.sec_type == "OPT":
            margin = self._short_option_margin(instrument, valued) * rate
            return ZERO, value, size, margin, margin, open_pnl, taken
        keep = _KEEP_LONG if position.quantity > 0 else _KEEP_SHORT
        return value, ZERO, size, size * _INITIAL, size * keep, open_pnl, taken

    def _short_option_margin(self, option: Instrument, valued: PositionValue) -> Decimal:
        if valued.position.quantity >= 0:
            return ZERO
        under = self._price(option.underlying_con_id) or option.strike
        gap = option.strike - under if option.right == "C" else under - option.strike
        floor_base = under if option.right == "C" else option.strike
        per_unit = max(under * _OPTION_SHARE - max(ZERO, gap), floor_base * _OPTION_FLOOR)
        return per_unit * abs(valued.position.quantity) * option.multiplier


def fold(
    before: PositionRecord, *, signed: Decimal, value: Decimal, fee: Decimal
) -> tuple[PositionRecord, Decimal | None]:
    """Return a position after a fill, and what was realized (None if nothing was closed).

    Args:
        before: The position.
        signed: The fill's quantity, negative for a sale.
        value: Its price times quantity times multiplier, signed likewise.
        fee: Its commission: of what opens it becomes cost, of what closes it lowers the gain.
    """
    held = before.quantity
    closes = ZERO if held * signed >= 0 else min(abs(held), abs(signed))
    removed = _share(before.cost, closes, abs(held))
    closed_value = _share(value, closes, abs(signed))
    closed_fee = _share(fee, closes, abs(signed))
    realized = -closed_value - closed_fee - removed if closes else None
    after = PositionRecord(
        con_id=before.con_id,
        quantity=held + signed,
        cost=before.cost - removed + (value - closed_value) + (fee - closed_fee),
        realized_pnl=before.realized_pnl + (realized or ZERO),
        day_value=before.day_value,
        day_flow=before.day_flow + value + fee,
    )
    return after, realized


def _share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    if part == whole:
        return amount  # exactly: a closed position has cost nothing
    return amount * part / whole
