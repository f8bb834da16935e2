"""Every message of one link, read and passed on; what cannot be read is said, never skipped.

The frequent messages are read from their fields; the intricate ones by the client library's
decoder, which calls the functions of `_CALLS` by their names. A message that nobody can
read is a `DecodeFailure`: if it spoke of orders, executions or positions, we no longer know
them.
"""

from __future__ import annotations

from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr import messages as m
from ibkr_trader.adapters.ibkr.translate import order_report, what_if_report
from ibkr_trader.adapters.ibkr.translate_bars import bar_report
from ibkr_trader.adapters.ibkr.translate_contracts import bands_of, details_of
from ibkr_trader.adapters.ibkr.translate_reports import READERS
from ibkr_trader.adapters.ibkr.translate_values import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ibkr_trader.adapters.ibkr.client import Library
    from ibkr_trader.adapters.ibkr.frames import Frame

# Of these every one counts: orders, executions, commissions, positions, and their ends.
VITAL = frozenset({3, 5, 11, 53, 55, 59, 61, 62, 101, 102})

# Sent beside what we ask for, and of no use to us: portfolio rows, bulletins, greeks, tick
# texts, snapshot ends, tick parameters, news, bound orders.
_IGNORED = frozenset({7, 14, 21, 46, 47, 57, 81, 84, 100})

_CALLS: Mapping[str, Callable[..., m.Message]] = MappingProxyType(
    {
        "openOrder": lambda _, contract, order, state: (
            what_if_report(order, state)
            if order.whatIf
            else m.OpenOrder(order_report(contract, order, state))
        ),
        "completedOrder": lambda contract, order, state: m.CompletedOrder(
            order_report(contract, order, state, is_completed=True)
        ),
        "openOrderEnd": lambda: m.End("openOrderEnd"),
        "completedOrdersEnd": lambda: m.End("completedOrdersEnd"),
        "execDetailsEnd": lambda request_id: m.End("execDetailsEnd", request_id),
        "positionEnd": lambda: m.End("positionEnd"),
        "updateAccountValue": lambda key, value, currency, account: m.AccountValue(
            account, key, value, currency
        ),
        "updateAccountTime": m.AccountTime,
        "accountDownloadEnd": lambda _: m.End("accountDownloadEnd"),
        "error": lambda request_id, code, text, *_: m.ErrorReport(request_id, code, text),
        "managedAccounts": lambda names: m.Accounts(
            tuple(name for name in names.split(",") if name)
        ),
        "nextValidId": m.NextOrderId,
        "currentTime": lambda seconds: m.ServerTime(moment(str(seconds), zone="UTC")),
        "contractDetails": lambda request_id, details: m.Details(request_id, *details_of(details)),
        "contractDetailsEnd": lambda request_id: m.End("contractDetailsEnd", request_id),
        "marketRule": lambda rule_id, increments: m.MarketRule(rule_id, bands_of(increments)),
        "marketDataType": m.DataTypeReport,
        "historicalData": bar_report,
        "historicalDataEnd": lambda request_id, *_: m.End("historicalDataEnd", request_id),
    }
)


class Receiver:
    """Turns frames into messages for `publish`."""

    def __init__(
        self, library: Library, *, version: int, publish: Callable[[m.Message], None]
    ) -> None:
        self._publish = publish
        self._read: list[m.Message] = []
        calls = {name: self._keeping(read) for name, read in _CALLS.items()}
        self._decoder = library.decoder(SimpleNamespace(**calls), version=version)

    def take(self, frame: Frame) -> None:
        """Read one frame and pass on what it says."""
        for message in self._messages(frame):
            self._publish(message)

    def _messages(self, frame: Frame) -> list[m.Message]:
        fields, is_clean = frame
        number = -1
        self._read = []
        try:
            number = int(fields[0])
            if not is_clean and number in VITAL:
                raise ValueError("not valid UTF-8")  # noqa: TRY301 - one place says what is lost
            reader = READERS.get(number)
            if reader is not None:
                return [reader(fields)]
            if number not in _IGNORED:
                self._decoder.handlers[number](fields)
        except Exception as error:  # noqa: BLE001 - whatever the reason, something is lost
            reason = f"{type(error).__name__}: {error}"
            return [m.DecodeFailure(number, tuple(fields[:8]), reason[:200])]
        return self._read

    def _keeping(self, read: Callable[..., m.Message]) -> Callable[..., None]:
        def keep(*values: object) -> None:
            self._read.append(read(*values))

        return keep
