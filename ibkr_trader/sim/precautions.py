"""What TWS's own settings refuse before an order leaves it: precautions of presets, read-only API.

They are settings of the person at TWS, not of the exchange: they refuse whoever asks through the
API, what-ifs too, and know nothing of what an order is for.
"""

from decimal import Decimal

import msgspec

from ibkr_trader.core.enums import Side
from ibkr_trader.sim.instruments import Instrument, Tape
from ibkr_trader.sim.orders import OrderKey, OrderTerms, Refusal

_HUNDRED = Decimal(100)
_WHERE = "Restriction is specified in Precautionary Settings of Global Configuration/Presets."
READ_ONLY = Refusal(
    code=321,
    text="Error validating request.-'bN' : cause - The API interface is currently in "
    "Read-Only mode.",
)


class Precautions(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in force; None bounds nothing.

    Attributes:
        size_limit: The most shares of one order.
        value_limit: The most that one order may be worth, in its own currency.
        percentage: How far a limit may lie from the market, in percent.
        is_read_only: The API may only look.
    """

    size_limit: Decimal | None = None
    value_limit: Decimal | None = None
    percentage: Decimal | None = None
    is_read_only: bool = False


def precaution_refusal(
    set_up: Precautions, key: OrderKey, terms: OrderTerms, *, market: tuple[Instrument, Tape]
) -> Refusal | None:
    """Return what TWS's settings have against an order, or None.

    What a person types into TWS (an id below zero) is warned of there, and not refused.
    """
    if key.order_id < 0 or set_up == Precautions():
        return None
    if set_up.is_read_only:
        return READ_ONLY
    instrument, tape = market
    what, size = f'The following order "ID:{key.order_id}"', terms.quantity
    if set_up.size_limit is not None and size > set_up.size_limit:
        text = f"{what} size exceeds the Size Limit of {set_up.size_limit:f}. {_WHERE}"
        return Refusal(code=383, text=text)
    at = terms.limit_price or terms.aux_price or tape.mark
    if set_up.value_limit is not None and at is not None:
        value = size * at * instrument.multiplier
        if value > set_up.value_limit:
            text = (
                f"{what} value estimate of {value:,.0f} {instrument.currency} exceeds  the Total "
                f"Value Limit of {set_up.value_limit:,.0f} {instrument.currency}. {_WHERE}"
            )
            return Refusal(code=451, text=text)
    if set_up.percentage is not None and terms.limit_price is not None:
        quoted = (tape.ask if terms.action == Side.BUY else tape.bid) or tape.mark
        if quoted and abs(terms.limit_price - quoted) * _HUNDRED > quoted * set_up.percentage:
            most = f"the Percentage constraint of {set_up.percentage:f}%"
            return Refusal(code=163, text=f"{what} price exceeds {most}. {_WHERE}")
    return None
