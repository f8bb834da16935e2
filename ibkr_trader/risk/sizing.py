"""How many: from a rule, the stop and the account to a whole quantity, with its reasons.

Each rule is a small value with one method. All of them round down, to the lot; none of them
is a way round the limits, which cut what they find (`capped`) and are asked again by the
guard. What cannot be sized is refused with the reason: a guess is no size.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Protocol

import msgspec

from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import money, percent, price, quantity

if TYPE_CHECKING:
    from ibkr_trader.portfolio.results import Record
    from ibkr_trader.risk.limits import EffectiveLimits, RiskLimits

_CENT = Decimal("0.01")
FEWEST_TRIPS = 30  # before that, a record says more of luck than of an edge


class CannotSize(ValueError):
    """A rule that finds no quantity, in plain words; `hint` says what to give it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Stakes(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to size from.

    Attributes:
        entry: The price at which it is expected to fill.
        sign: 1 to buy, -1 to sell short.
        stop: Where it is given up; None if that is still to be said.
        equity: What the account is worth.
        multiplier: Of the contract.
        lot: The smallest step in quantity.
        daily_range: The average true range of a day, in price; None if unknown.
        record: How earlier trips ended; None if nobody has looked.
    """

    entry: Decimal
    sign: int
    equity: Decimal
    stop: Decimal | None = None
    multiplier: Decimal = Decimal(1)
    lot: Decimal = Decimal(1)
    daily_range: Decimal | None = None
    record: Record | None = None


class Sized(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity and how it was found; `stop` is set where the rule chose it."""

    quantity: Decimal
    reasons: tuple[str, ...]
    stop: Decimal | None = None


class Sizing(Protocol):
    """A rule for the size of an entry."""

    def size(self, stakes: Stakes) -> Sized:
        """Return the quantity for `stakes`.

        Raises:
            CannotSize: If it needs something that is not there, or finds nothing to trade.
        """


class FixedQuantity(msgspec.Struct, frozen=True):
    """Always as many."""

    quantity: Decimal

    def size(self, stakes: Stakes) -> Sized:
        """Return the quantity, rounded down to the lot."""
        return _sized(stakes, self.quantity, f"fixed at {quantity(self.quantity)}")


class FixedRisk(msgspec.Struct, frozen=True):
    """As many as lose an amount at the stop: `amount`, or `fraction` of what the account is worth.

    Raises:
        ValueError: If not exactly one of them is given, or it is out of range.
    """

    amount: Decimal | None = None
    fraction: Decimal | None = None

    def __post_init__(self) -> None:
        _require((self.amount is None) != (self.fraction is None), "an amount or a fraction")
        _require(self.amount is None or (self.amount.is_finite() and self.amount > 0), "above 0")
        _require(_is_fraction(self.fraction), "a fraction between 0 and 1")

    def size(self, stakes: Stakes) -> Sized:
        """Return what may be lost, divided by the distance to the stop."""
        risk = self.amount if self.amount is not None else self._of(stakes)
        words = money(risk)
        if self.fraction is not None:
            words += f" ({percent(self.fraction)} of {money(stakes.equity)})"
        return _by_risk(stakes, risk, words)

    def _of(self, stakes: Stakes) -> Decimal:
        return (self.fraction or ZERO) * stakes.equity


class AtrRisk(msgspec.Struct, frozen=True, kw_only=True):
    """As `FixedRisk`, with the stop `multiple` average daily ranges from the entry.

    A stop that is given already stays; then the range only says how far away it is.

    Raises:
        ValueError: If a figure is out of range.
    """

    multiple: Decimal
    risk: FixedRisk

    def __post_init__(self) -> None:
        _require(self.multiple.is_finite() and self.multiple > 0, "a multiple above 0")

    def size(self, stakes: Stakes) -> Sized:
        """Return the quantity, and the stop if none was given."""
        average = stakes.daily_range
        average = average.quantize(_CENT) if average is not None else None
        if average is None or average <= 0:
            raise CannotSize(
                "the average daily range is unknown: too few daily bars",
                "give --stop-loss, and size by --size risk:1%",
            )
        if stakes.stop is not None:
            away = abs(stakes.entry - stakes.stop) / average
            found = self.risk.size(stakes)
            words = f"the stop is {away:.1f} average daily ranges of {price(average)} away"
            return msgspec.structs.replace(found, reasons=(*found.reasons, words))
        # In whole cents, away from the entry: the loss that is counted is not less than it will be.
        rounding = ROUND_FLOOR if stakes.sign > 0 else ROUND_CEILING
        stop = (stakes.entry - self.multiple * average * stakes.sign).quantize(_CENT, rounding)
        if stop <= 0:
            message = f"{self.multiple} daily ranges below the entry is below zero"
            raise CannotSize(message, "use a smaller multiple, or give --stop-loss")
        found = self.risk.size(msgspec.structs.replace(stakes, stop=stop))
        words = f"stop {price(stop)}: {self.multiple} average daily ranges of {price(average)}"
        return msgspec.structs.replace(found, stop=stop, reasons=(words, *found.reasons))


class Odds(msgspec.Struct, frozen=True, kw_only=True):
    """How often one wins, and how much for each unit that is lost.

    Raises:
        ValueError: If a figure is out of range.
    """

    win_rate: Decimal
    payoff: Decimal

    def __post_init__(self) -> None:
        _require(_is_fraction(self.win_rate), "a win rate between 0 and 1")
        _require(self.payoff.is_finite() and self.payoff > 0, "a payoff above 0")

    @property
    def edge(self) -> Decimal:
        """The part of the capital that Kelly's rule risks; not above zero without an edge."""
        return self.win_rate - (1 - self.win_rate) / self.payoff


class Kelly(msgspec.Struct, frozen=True, kw_only=True):
    """A part of what Kelly's rule risks, never more than `cap`.

    Attributes:
        odds: Given; None takes them from the record.
        part: How much of the full rule: a quarter, unless one says otherwise.
        cap: The most to risk, as a fraction of what the account is worth.

    Raises:
        ValueError: If a figure is out of range.
    """

    odds: Odds | None = None
    part: Decimal = Decimal("0.25")
    cap: Decimal = Decimal("0.02")

    def __post_init__(self) -> None:
        _require(_is_fraction(self.part), "a part of the rule between 0 and 1")
        _require(_is_fraction(self.cap), "a cap between 0 and 1")

    def size(self, stakes: Stakes) -> Sized:
        """Return the quantity that risks that part of the account at the stop."""
        odds, source = self._odds(stakes)
        if odds.edge <= 0:
            raise CannotSize(
                f"there is no edge: {percent(odds.win_rate)} wins at a payoff of "
                f"{odds.payoff:.2f} {source} lose in the long run",
                "size by --size risk:1%",
            )
        fraction = min(self.part * odds.edge, self.cap)
        capped = " (the cap)" if fraction == self.cap else ""
        words = (
            f"Kelly {percent(odds.edge)} from {percent(odds.win_rate)} wins at a payoff of "
            f"{odds.payoff:.2f} {source}, {self.part} of it{capped}"
        )
        risk = fraction * stakes.equity
        found = _by_risk(stakes, risk, f"{money(risk)} ({percent(fraction)} of the account)")
        return msgspec.structs.replace(found, reasons=(words, *found.reasons))

    def _odds(self, stakes: Stakes) -> tuple[Odds, str]:
        if self.odds is not None:
            return self.odds, "as given"
        record = stakes.record
        if record is None or record.count < FEWEST_TRIPS:
            count = record.count if record is not None else 0
            raise CannotSize(
                f"{count} trips are on record, and Kelly's rule needs {FEWEST_TRIPS}",
                "give the odds: --size kelly:0.55:1.8",
            )
        if not record.wins or not record.average_loss:
            raise CannotSize(
                f"{record.wins} of {record.count} trips won: that says nothing of the odds",
                "give the odds: --size kelly:0.55:1.8",
            )
        odds = Odds(
            win_rate=Decimal(record.wins) / record.count,
            payoff=record.average_win / record.average_loss,
        )
        return odds, f"in {record.count} trips"


Size = FixedQuantity | FixedRisk | AtrRisk | Kelly
"""The rules that can be written down."""


def capped(
    found: Sized,
    stakes: Stakes,
    *,
    limits: RiskLimits,
    symbol: EffectiveLimits,
    most_lost: Decimal,
) -> Sized:
    """Return `found`, cut to what single orders may have; each cut is among the reasons.

    `most_lost` is what one trade may lose at its stop, in money.

    Raises:
        CannotSize: If nothing is left.
    """
    stop = found.stop if found.stop is not None else stakes.stop
    unit = stakes.entry * stakes.multiplier
    most = [
        ("max_order_quantity", limits.max_order_quantity),
        ("max_position_size", symbol.max_position_size),
        ("max_order_exposure", symbol.max_order_exposure / unit),
    ]
    if stop is not None and stop != stakes.entry:
        away = abs(stakes.entry - stop) * stakes.multiplier
        most.append(("the risk of one trade", most_lost / away))
    name, room = min(most, key=lambda one: one[1])
    if room >= found.quantity:
        return found
    left = _lots(room, stakes.lot)
    words = f"cut from {quantity(found.quantity)} to {quantity(left)} by {name}"
    if stop is not None:
        words += f", which risks {money(left * abs(stakes.entry - stop) * stakes.multiplier)}"
    if left <= 0:
        message = f"not even one fits: {name} leaves room for {room:.2f}"
        raise CannotSize(message, "ibkr-trader limits")
    return msgspec.structs.replace(found, quantity=left, reasons=(*found.reasons, words))


def _by_risk(stakes: Stakes, risk: Decimal, words: str) -> Sized:
    if stakes.stop is None:
        raise CannotSize("a size by risk needs a stop", "give --stop-loss, or --size atr:2")
    away = (stakes.entry - stakes.stop) * stakes.sign
    if away <= 0:
        side = "below" if stakes.sign > 0 else "above"
        message = f"the stop {price(stakes.stop)} is not {side} {price(stakes.entry)}"
        raise CannotSize(message, f"move the stop {side} {price(stakes.entry)}")
    reason = f"risks {words} over {price(away)} to the stop"
    return _sized(stakes, risk / (away * stakes.multiplier), reason)


def _sized(stakes: Stakes, exact: Decimal, reason: str) -> Sized:
    whole = _lots(exact, stakes.lot)
    if whole <= 0:
        message = f"that comes to {exact:.2f}, less than one lot of {stakes.lot}: {reason}"
        raise CannotSize(message, "risk more, or move the stop nearer")
    return Sized(quantity=whole, reasons=(reason,))


def _lots(exact: Decimal, lot: Decimal) -> Decimal:
    return (exact / lot).to_integral_value(rounding=ROUND_DOWN) * lot


def _is_fraction(value: Decimal | None) -> bool:
    return value is None or (value.is_finite() and 0 < value <= 1)


def _require(condition: bool, what: str) -> None:  # noqa: FBT001 - a condition, read in place
    if not condition:
        raise ValueError(f"needs {what}")
