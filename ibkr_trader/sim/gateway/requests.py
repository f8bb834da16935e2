"""The one table of requests: a message's fields become a typed request, or a typed refusal."""

from collections.abc import Sequence

import msgspec

from ibkr_trader.sim.gateway.account_requests import ACCOUNT_REQUESTS
from ibkr_trader.sim.gateway.items import MalformedMessage
from ibkr_trader.sim.gateway.kinds import int_or_none
from ibkr_trader.sim.gateway.layout import Layout
from ibkr_trader.sim.gateway.market_requests import MARKET_REQUESTS
from ibkr_trader.sim.gateway.order_requests import ORDER_REQUESTS
from ibkr_trader.sim.gateway.reference_requests import REFERENCE_REQUESTS

REQUESTS: dict[int, Layout[msgspec.Struct]] = {
    **ORDER_REQUESTS,
    **ACCOUNT_REQUESTS,
    **MARKET_REQUESTS,
    **REFERENCE_REQUESTS,
}
_SINCE = {105: 197, 104: 167}


class UnknownMessage(Exception):
    """A message id that this version does not have."""


def decode(fields: Sequence[str], version: int) -> msgspec.Struct:
    """Return the request that `fields` make at `version`.

    Raises:
        UnknownMessage: The id is not in the table.
        MalformedMessage: The id is missing, or a field is missing or unreadable.
    """
    if not fields:
        message = "an empty message"
        raise MalformedMessage(message)
    try:
        number = int_or_none(fields[0])
    except ValueError as error:
        message = f"message id: {error}"
        raise MalformedMessage(message) from None
    layout = REQUESTS.get(-1 if number is None else number)
    if layout is None or version < _SINCE.get(number or 0, 0):
        raise UnknownMessage(fields[0])
    return layout.read(fields, version=version, at=1)
