"""From a client's contract to the simulator's instrument, and back."""

import msgspec

from ibkr_trader.sim.gateway.contracts import WireContract
from ibkr_trader.sim.gateway.kinds import ZERO, number_text
from ibkr_trader.sim.instruments import Instrument
from ibkr_trader.sim.universe import ContractQuery, Universe

NOT_FOUND = (200, "No security definition has been found for the request")
AMBIGUOUS = (200, "The contract description specified for {symbol} is ambiguous.")
_NO_RIGHT = frozenset({"?", "0"})
_RIGHTS = {"CALL": "C", "PUT": "P"}


class NoContract(Exception):
    """A contract names no instrument, or more than one; `code` and `text` are TWS's."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def find(universe: Universe, contract: WireContract) -> tuple[Instrument, ...]:
    """Return every instrument that `contract` may mean."""
    right = "" if contract.right in _NO_RIGHT else contract.right.upper()
    query = ContractQuery(
        con_id=contract.con_id,
        symbol=contract.symbol,
        sec_type=contract.sec_type,
        expiry=contract.expiry,
        strike=contract.strike or ZERO,
        right=_RIGHTS.get(right, right),
        multiplier=contract.multiplier,
        exchange=contract.exchange,
        primary_exchange=contract.primary_exchange,
        currency=contract.currency,
        local_symbol=contract.local_symbol,
        trading_class=contract.trading_class,
    )
    return universe.find(query)


def resolve(universe: Universe, contract: WireContract) -> Instrument:
    """Return the one instrument that `contract` means.

    Raises:
        NoContract: It means none, or several.
    """
    if contract.con_id and contract.con_id in universe:
        return universe[contract.con_id]
    found = find(universe, contract)
    if len(found) == 1:
        return found[0]
    if not found:
        raise NoContract(*NOT_FOUND)
    name = contract.symbol or contract.local_symbol
    raise NoContract(AMBIGUOUS[0], AMBIGUOUS[1].format(symbol=name))


def wire_contract(instrument: Instrument) -> WireContract:
    """Return the full contract that replies carry."""
    multiplier = "" if instrument.multiplier == 1 else number_text(instrument.multiplier)
    return WireContract(
        con_id=instrument.con_id,
        symbol=instrument.symbol,
        sec_type=instrument.sec_type,
        expiry=instrument.expiry,
        strike=instrument.strike or None,
        right=instrument.right,
        multiplier=multiplier,
        exchange=instrument.routing_exchange,
        primary_exchange=instrument.primary_exchange,
        currency=instrument.currency,
        local_symbol=instrument.local_symbol or instrument.symbol,
        trading_class=instrument.trading_class,
    )


def order_contract(full: WireContract, asked: WireContract) -> WireContract:
    """Return the contract that openOrder shows: resolved, routed where the client said.

    TWS shows `?` as the right of what is not an option.
    """
    return msgspec.structs.replace(
        full, exchange=asked.exchange or full.exchange, right=full.right or "?"
    )
