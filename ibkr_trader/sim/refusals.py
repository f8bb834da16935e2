"""TWS's error codes and its words for them: every refusal and notice the exchange gives."""

from datetime import datetime
from decimal import Decimal

from ibkr_trader.core.enums import Side
from ibkr_trader.sim.calendar import NEW_YORK, ZONE_NAME
from ibkr_trader.sim.orders import Refusal, SimOrder

REJECTED = 201
CANCELLED = 202
LOCATING = 404
HELD_UNTIL_OPEN = 399
PRICE_CAPPED = 2161
TIF_ASSUMED = 10349
OUTSIDE_RTH_IGNORED = 2109

DUPLICATE_ID = Refusal(code=103, text="Duplicate order ID.")
FILLED = Refusal(code=104, text="Cannot modify a filled order.")
MISMATCH = Refusal(code=105, text="Order being modified does not match original order.")
OFF_TICK = Refusal(
    code=110, text="The price does not conform to the minimum price variation for this contract."
)
TIF_INCOMPATIBLE = Refusal(code=111, text="The TIF (Tif type) and the order type are incompatible.")
CLOSE_NEEDS_DAY = Refusal(
    code=113, text="The Tif option should be set to DAY for MOC and LOC orders."
)
MODIFY_FAILED = Refusal(code=134, text="Modify order failed.")
BAD_TRIGGER = Refusal(code=146, text="Invalid trigger method.")
HALTED = Refusal(code=154, text="Orders cannot be transmitted for a halted security.")
BAD_PERCENT = Refusal(code=159, text="The percent offset value must be between 0% and 100%.")
NO_CONTRACT = Refusal(code=200, text="No security definition has been found for the request")
TYPE_CHANGED = Refusal(code=329, text="Order modify failed. Cannot change to the new order type.")
BAD_ADJUSTED_TRIGGER = Refusal(code=361, text="Invalid trigger price.")
BAD_ADJUSTED_STOP = Refusal(code=362, text="Invalid adjusted stop price.")
BAD_ADJUSTED_LIMIT = Refusal(code=363, text="Invalid adjusted stop limit price.")
BAD_ADJUSTED_TRAIL = Refusal(code=364, text="Invalid adjusted trailing amount.")
TOO_LARGE = Refusal(
    code=383,
    text="The size specified violates the size constraint specified in the default order settings.",
)
TOO_SMALL = Refusal(code=388, text="Order size is smaller than the minimum requirement.")
BAD_TIME = Refusal(
    code=391,
    text="The time or time-zone entered is invalid. The correct format is hh:mm:ss xxx",
)
ZERO_SIZE = Refusal(code=434, text="The order size cannot be zero.")
NO_PRICE = Refusal(code=463, text="You must enter a valid price.")
NO_PARENT = Refusal(code=10006, text="Missing parent order.")
BAD_TIF = Refusal(code=10052, text="Invalid time in force")
FRACTION = Refusal(code=10318, text="This order doesn't support fractional quantity trading")
OCA_OVER = Refusal(code=10325, text="The OCA group has been filled already")
OCA_REVISED = Refusal(code=10326, text="OCA group revision is not allowed")
OCA_TYPE_REVISED = Refusal(code=10327, text="OCA handling method revision is not allowed")


def invalid(cause: str) -> Refusal:
    """Return the refusal of a malformed request (321)."""
    return Refusal(code=321, text=f"Error validating request.-'bN' : cause - {cause}")


def unsupported(what: str = "") -> Refusal:
    """Return the refusal of what is not simulated (387), naming it."""
    detail = f" ({what})" if what else ""
    text = f"Unsupported order type for this exchange and security type.{detail}"
    return Refusal(code=387, text=text)


def rejected(reason: str) -> Refusal:
    """Return a rejection by the exchange (201): the order existed, and is Inactive."""
    return Refusal(code=REJECTED, text=f"Order rejected - reason:{reason}")


OCA_HANDLING = rejected("Invalid OCA handling method.")
CROWDED = rejected(
    "The maximum number of active orders on this side of this contract has been reached."
)


def short_of_margin(equity: Decimal, margin: Decimal, currency: str) -> Refusal:
    """Return the rejection of an order that the account cannot carry."""
    return rejected(
        "YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION YOUR EQUITY WITH "
        f"LOAN VALUE [{equity:.2f} {currency}] MUST EXCEED THE INITIAL MARGIN "
        f"[{margin:.2f} {currency}]"
    )


def not_found(order_id: int) -> Refusal:
    """Return the refusal to cancel what is not there."""
    text = f"OrderId {order_id} that needs to be cancelled is not found."
    return Refusal(code=10147, text=text)


def not_cancellable(order: SimOrder) -> Refusal:
    """Return the refusal to cancel what is over."""
    text = (
        f"OrderId {order.order_id} that needs to be cancelled cannot be cancelled, "
        f"state: {order.status}."
    )
    return Refusal(code=10148, text=text)


def too_late(order: SimOrder) -> Refusal:
    """Return the refusal to cancel what the auction has already taken."""
    text = (
        f"Cancel attempted when order is not in a cancellable state.  Order permId ={order.perm_id}"
    )
    return Refusal(code=161, text=text)


def capped(order: SimOrder) -> str:
    """Return the warning (2161) of an order that may only trade at a price of the broker's."""
    word = "cap" if order.side is Side.BUY else "floor"
    return (
        f"In accordance with our regulatory obligations as a broker, a price {word} of "
        f"{order.cap_price:f} is set for your order: it may not be filled."
    )


def held_until(order: SimOrder, *, label: str, opens: datetime) -> str:
    """Return the warning (399) of an order that waits for its market to open."""
    local = opens.astimezone(NEW_YORK)
    return (
        f"Order Message:\n{order.side} {order.quantity:f} {label}\nWarning: your order will not "
        f"be placed at the exchange until {local:%Y-%m-%d %H:%M:%S} {ZONE_NAME}"
    )


LOCATE_TEXT = "Order held while securities are located."
TIF_TEXT = "Order TIF was set to DAY based on order preset."
OUTSIDE_RTH_TEXT = (
    'Order Event Warning:Attribute "Outside Regular Trading Hours" is ignored based on the order '
    "type and destination. PlaceOrder is now being processed."
)
CANCEL_TEXT = "Order Canceled - reason:"
TOO_FAR = "The limit price is too far through the market."
CORPORATE_ACTION = "Corporate action."
