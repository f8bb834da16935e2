"""The gateway's line to its broker, as its clients know it: up, lost, or without market data."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from ibkr_trader.sim.gateway import account_requests as account
from ibkr_trader.sim.gateway import order_requests as orders
from ibkr_trader.sim.gateway.session_faults import (
    CompetingSession,
    DelayedData,
    Outage,
    SessionFault,
    Stale,
)

NOBODY_ASKED = -1
LOST = {
    1100: "Connectivity between IBKR and Trader Workstation has been lost.",
    2110: "Connectivity between Trader Workstation and server is broken. "
    "It will be restored automatically.",
}
RESTORED = {
    1101: "Connectivity between IBKR and Trader Workstation has been restored - data lost.",
    1102: "Connectivity between IBKR and Trader Workstation has been restored - data maintained.",
}
# What the gateway knows or does by itself, with nobody behind it.
_ITS_OWN = (
    account.StartApi,
    account.ReqIds,
    account.ReqManagedAccounts,
    account.ReqCurrentTime,
    account.ReqCurrentTimeMillis,
    account.SetServerLogLevel,
)
_OF_ORDERS = (orders.PlaceOrder, orders.CancelOrder, orders.GlobalCancel)


class DataDesk(Protocol):
    """A client's subscriptions to markets, as an outage needs to know them."""

    def close(self) -> None:
        """End them all."""

    def show_again(self) -> None:
        """Tell what has changed since they were last told."""

    def compete(self) -> None:
        """Tell that somebody else has the data."""

    def turn_delayed(self, *, is_told: bool) -> None:
        """Go over to delayed data, or back; whatever was shown counts as never told."""


class Told(Protocol):
    """Where a client is answered."""

    def refuse(self, req_id: int, code: int, text: str) -> None:
        """Send an error or a notice."""


class Conversation(Protocol):
    """A client, as an outage needs to know it."""

    is_closed: bool

    @property
    def talk(self) -> Told:
        """The way to answer."""

    @property
    def market(self) -> DataDesk:
        """Its market data."""

    def act(self, request: msgspec.Struct) -> None:
        """Do what a request asks for."""


class InForce:
    """A fault in force: its number, what it is, and when it ends by itself."""

    def __init__(self, number: int, fault: SessionFault, *, until: datetime | None) -> None:
        self.number = number
        self.fault = fault
        self.until = until


class Uplink:
    """What stands between the gateway and its broker.

    `now` is the exchange's time, `number` gives each fault the number it is lifted by, and
    `clients` are those who have started the API.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        number: Callable[[], int],
        clients: Callable[[], Iterable[Conversation]],
    ) -> None:
        self._now = now
        self._number = number
        self._clients = clients
        self._armed: list[InForce] = []
        self._waiting: list[tuple[Conversation, msgspec.Struct]] = []

    @property
    def armed(self) -> tuple[InForce, ...]:
        """The faults in force, oldest first."""
        return tuple(self._armed)

    @property
    def outage(self) -> Outage | None:
        """The outage, if the broker is out of reach."""
        found = (one.fault for one in self._armed if isinstance(one.fault, Outage))
        return next(found, None)

    def has(self, *kinds: type[SessionFault]) -> bool:
        """Say whether a fault of one of these kinds is in force."""
        return bool(self._armed) and any(isinstance(one.fault, kinds) for one in self._armed)

    def arm(self, fault: SessionFault) -> int:
        """Put a fault in force, and tell clients what they are told; return its number."""
        seconds = None if isinstance(fault, Outage) else fault.seconds
        until = None if seconds is None else self._now() + timedelta(seconds=seconds)
        one = InForce(self._number(), fault, until=until)
        match fault:
            case Outage(code=code):
                self._armed = [old for old in self._armed if not isinstance(old.fault, Outage)]
                self._tell(code, LOST[code])
            case CompetingSession():
                for client in self._clients():
                    client.market.compete()
            case _:
                pass
        self._armed.append(one)
        if isinstance(fault, DelayedData):
            self._turn_delayed(is_told=True)
        return one.number

    def lift(self, number: int | None = None) -> int:
        """End one fault, or all; an outage ends as with 1102. Return how many there were."""
        gone = [one for one in self._armed if number in {None, one.number}]
        for one in gone:
            if isinstance(one.fault, Outage):
                self.restore(1102)
            else:
                self._end(one)
        return len(gone)

    def restore(self, code: int) -> None:
        """End an outage: 1101 with the subscriptions lost, 1102 with them kept.

        What waited is done now: questions of clients that are still there, and all orders. Told
        of no outage, clients are told of the end all the same.
        """
        self._armed = [one for one in self._armed if not isinstance(one.fault, Outage)]
        self._tell(code, RESTORED[code])
        for client in self._clients():
            if code == 1101:  # noqa: PLR2004 - TWS's own code
                client.market.close()
        self._show_again()
        waiting, self._waiting = self._waiting, []
        for client, request in waiting:
            if isinstance(request, _OF_ORDERS) or not client.is_closed:
                client.act(request)

    def forget(self) -> None:
        """Begin anew, as a gateway that was restarted: whatever was in force is over."""
        self._armed.clear()
        self._waiting.clear()

    def tick(self) -> None:
        """End what has lasted long enough."""
        for one in [one for one in self._armed if one.until and one.until <= self._now()]:
            self._end(one)

    def keeps(self, client: Conversation, request: msgspec.Struct) -> bool:
        """Say whether a request waits for the end of the outage, and keep it if so."""
        if not self._armed:
            return False
        outage = self.outage
        if outage is None or isinstance(request, _ITS_OWN):
            return False
        if isinstance(request, _OF_ORDERS) and outage.orders == "work":
            return False
        self._waiting.append((client, request))
        return True

    def _end(self, one: InForce) -> None:
        self._armed.remove(one)
        if isinstance(one.fault, DelayedData):
            self._turn_delayed(is_told=False)
        else:
            self._show_again()

    def _turn_delayed(self, *, is_told: bool) -> None:
        for client in self._clients():
            client.market.turn_delayed(is_told=is_told)
        self._show_again()

    def _show_again(self) -> None:
        """Tell what has changed meanwhile, unless something else keeps prices back."""
        if not self.has(Outage, CompetingSession, Stale):
            for client in self._clients():
                client.market.show_again()

    def _tell(self, code: int, text: str) -> None:
        for client in self._clients():
            client.talk.refuse(NOBODY_ASKED, code, text)
