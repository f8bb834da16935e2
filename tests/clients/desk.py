"""The official clients as the tests use them: one vocabulary over what the releases call things."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.environments import DRIVERS, program, surroundings
from tests.clients.spoken import Driver, Event

Fields = dict[str, Any]
AAPL: Fields = {"symbol": "AAPL", "secType": "STK", "exchange": "SMART", "currency": "USD"}


@dataclass(frozen=True)
class Release:
    """An official client, and what changed its name between the releases.

    Attributes:
        environment: Where it is installed.
        version: The server version that it and the gateway agree on.
        charge: Its callback for a commission; also the argument's name.
        fee: The field of a charge and of a preview that holds the commission.
        average: The field of a bar that holds its average price.
    """

    environment: str
    version: int
    charge: str
    fee: str
    average: str


RELEASES = (
    Release("client_ibapi_9", 157, "commissionReport", "commission", "average"),
    Release("client_ibapi_10", 178, "commissionAndFeesReport", "commissionAndFees", "wap"),
)


def official(release: Release, port: int, *, home: Path, client_id: int) -> Driver:
    """Start an official client's process; it connects by itself."""
    python = program(release.environment)
    return Driver([python, DRIVERS / "official.py", str(port), str(client_id)], surroundings(home))


class Desk:
    """One official client, connected."""

    def __init__(self, release: Release, port: int, *, home: Path, client_id: int) -> None:
        self.release = release
        self.client_id = client_id
        self.driver = official(release, port, home=home, client_id=client_id)
        self.expect = self.driver.expect
        self.call = self.driver.call
        self.expect("$connected", version=release.version)
        self.next_id = int(self.expect("nextValidId")["orderId"])

    def take_id(self) -> int:
        """Return an order id that was not used before."""
        self.next_id += 1
        return self.next_id - 1

    def place(self, contract: Fields, order_id: int = 0, **order: Any) -> int:
        """Place an order, or change the one with this id; return its id."""
        order_id = order_id or self.take_id()
        self.call("placeOrder", order_id, {"$Contract": contract}, {"$Order": order})
        return order_id

    def cancel(self, order_id: int) -> None:
        """Cancel as this release does."""
        self.call("cancelOrder", order_id, *self._cancel_terms())

    def cancel_all(self) -> None:
        """Cancel everything as this release does."""
        self.call("reqGlobalCancel", *self._cancel_terms())

    def charged(self, exec_id: str) -> Event:
        """Wait for the commission of an execution; return it."""
        name = self.release.charge
        report: Event = self.expect(name, **{name: {"execId": exec_id}})[name]
        return report

    def _cancel_terms(self) -> tuple[object, ...]:
        return ({"$OrderCancel": {}},) if self.release.version >= 178 else ()
