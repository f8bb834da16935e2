"""What a symbol may mean, as a question to the gateway; and which answer was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.contracts import contract_of
from ibkr_trader.core.enums import SecType
from ibkr_trader.core.errors import AmbiguousContract
from ibkr_trader.core.models import Contract

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibkr_trader.adapters.ibkr.messages import Details

_SHOWN = 5


def query_for(symbol: str, *, sec_type: SecType | None, currency: str) -> Contract:
    """Return the contract to ask for: a ticker's stock, an OCC symbol's option, or as told.

    Raises:
        AmbiguousContract: If the text can name nothing.
    """
    match sec_type:
        case SecType.CASH:
            base, _, quoted = symbol.upper().replace("/", ".").partition(".")
            return Contract(
                symbol=base, sec_type=sec_type, exchange="IDEALPRO", currency=quoted or currency
            )
        case SecType.FUTURE:
            return Contract(
                symbol="", local_symbol=symbol, sec_type=sec_type, exchange="", currency=currency
            )
        case SecType.INDEX:
            return Contract(symbol=symbol, sec_type=sec_type, exchange="", currency=currency)
        case _:
            pass
    try:
        contract = contract_of(symbol)
    except ValueError as error:
        raise AmbiguousContract(str(error)) from None
    if sec_type is not None and contract.sec_type is not sec_type:
        raise AmbiguousContract(f"{symbol!r} names no contract of type {sec_type.value}")
    return msgspec.structs.replace(contract, currency=currency)


def choose(symbol: str, found: Sequence[Details]) -> Details:
    """Return the one contract among `found`.

    Raises:
        AmbiguousContract: If there is none, or more than one; with the candidates.
    """
    distinct = {row.details.contract.con_id: row for row in found}
    if len(distinct) == 1:
        return next(iter(distinct.values()))
    candidates = tuple(row.details.contract for row in distinct.values())
    if not candidates:
        raise AmbiguousContract(f"{symbol!r} names no contract that IBKR knows")
    listed = "; ".join(_described(contract) for contract in candidates[:_SHOWN])
    more = f" and {len(candidates) - _SHOWN} more" if len(candidates) > _SHOWN else ""
    raise AmbiguousContract(
        f"{symbol!r} names {len(candidates)} contracts: {listed}{more}", candidates=candidates
    )


def _described(contract: Contract) -> str:
    venue = contract.primary_exchange or contract.exchange
    name = contract.local_symbol.strip() or contract.symbol
    return f"{name} {contract.sec_type.value} {venue} {contract.currency} ({contract.con_id})"
