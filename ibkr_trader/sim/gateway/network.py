"""The faults of the transport that are in force, for all connections of one gateway."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from ibkr_trader.sim.gateway import transport_faults as faults
from ibkr_trader.sim.gateway.transport_faults import LinkFault, OneWay, covers


class Rules(NamedTuple):
    """What holds for one way of one connection now.

    Attributes:
        is_black: Nothing arrives.
        latency: What is sent now arrives so many seconds later.
        rate: So many bytes a second arrive at most; None is no bound.
        is_single: Each byte arrives alone.
    """

    is_black: bool = False
    latency: float = 0
    rate: float | None = None
    is_single: bool = False


FREE = Rules()


class Standing:
    """A fault in force.

    Attributes:
        number: It is lifted by.
        fault: What it is.
        since: The serial number of the first connection that came after it.
        until: When it ends by itself, by the exchange's clock; None is never.
        struck: How many connections it has turned away.
    """

    def __init__(
        self, number: int, fault: LinkFault, *, since: int, until: datetime | None
    ) -> None:
        self.number = number
        self.fault = fault
        self.since = since
        self.until = until
        self.struck = 0


class Mark:
    """A place in the stream of some connection, and what happens once it is reached.

    Bytes count from the connection's beginning, or from the setting of the mark if that was later.
    """

    def __init__(
        self, way: OneWay, at: int, *, client: int | None, then: Callable[[], None]
    ) -> None:
        self.way = way
        self.at = at
        self.client = client
        self.then = then
        self.bases: dict[int, int] = {}

    def left(self, serial: int, passed: int) -> int:
        """Return how many bytes of a connection may pass before it is reached."""
        return max(0, self.at - (passed - self.bases.get(serial, 0)))


class Network:
    """What lies between the gateway and its clients.

    `now` is the exchange's time, and `number` gives each fault the number it is lifted by.

    Attributes:
        marks: Places in streams that somebody waits for.
        passed: The bytes that have arrived, by a connection's serial number and the way.
    """

    def __init__(self, *, now: Callable[[], datetime], number: Callable[[], int]) -> None:
        self.marks: list[Mark] = []
        self.passed: dict[tuple[int, OneWay], int] = {}
        self._now = now
        self._number = number
        self._standing: list[Standing] = []
        self._serial = 0

    @property
    def armed(self) -> tuple[Standing, ...]:
        """The faults in force, oldest first."""
        return tuple(one for one in self._standing if not self._is_over(one))

    @property
    def is_idle(self) -> bool:
        """Whether bytes pass as if it were not there."""
        return not self._standing and not self.marks

    @property
    def is_refusing(self) -> bool:
        """Whether nobody may listen."""
        return any(isinstance(one.fault, faults.Refuse) for one in self.armed)

    def arm(self, fault: LinkFault) -> int:
        """Put a fault in force; return the number it is lifted by."""
        until = None
        if isinstance(fault, faults.Lasting) and fault.seconds is not None:
            until = self._now() + timedelta(seconds=fault.seconds)
        one = Standing(self._number(), fault, since=self._serial, until=until)
        self._standing = [*self.armed, one]
        return one.number

    def lift(self, number: int | None = None) -> int:
        """End one fault, or all; return how many there were."""
        gone = [one for one in self.armed if number in {None, one.number}]
        self._standing = [one for one in self.armed if one not in gone]
        return len(gone)

    def tick(self) -> None:
        """Forget what is over."""
        if self._standing:
            self._standing = [*self.armed]

    def mark(self, mark: Mark) -> None:
        """Have something happen once a connection's stream has come so far."""
        for (serial, way), count in self.passed.items():
            if way == mark.way:
                mark.bases[serial] = count
        self.marks.append(mark)

    def join(self) -> int:
        """Take a connection in; return its serial number."""
        serial, self._serial = self._serial, self._serial + 1
        self.passed[serial, "c2s"] = self.passed[serial, "s2c"] = 0
        return serial

    def turns_away(self) -> bool:
        """Say whether the connection that has just come is closed at once."""
        for one in self.armed:
            if isinstance(one.fault, faults.AcceptThenClose):
                one.struck += 1
                return True
        return False

    def rules(self, serial: int, client_id: int, way: OneWay) -> Rules:
        """Return what holds for one way of a connection."""
        found = FREE
        for fault in self._striking(serial, client_id):
            if isinstance(fault, faults.AcceptThenClose | faults.Refuse):
                continue
            if not covers(fault.way, way):
                continue
            match fault:
                case faults.Blackhole():
                    found = found._replace(is_black=True)
                case faults.Latency(seconds=seconds):
                    found = found._replace(latency=found.latency + seconds)
                case faults.Slow(rate=rate):
                    found = found._replace(rate=min(rate, found.rate or rate))
                case faults.Trickle():
                    found = found._replace(is_single=True)
        return found

    def _striking(self, serial: int, client_id: int) -> Iterator[LinkFault]:
        for one in self.armed:
            fault = one.fault
            if fault.client not in {None, client_id}:
                continue
            if isinstance(fault, faults.Blackhole) and fault.standing and serial >= one.since:
                continue
            yield fault

    def _is_over(self, one: Standing) -> bool:
        if isinstance(one.fault, faults.AcceptThenClose):
            return one.struck >= one.fault.times
        return one.until is not None and one.until <= self._now()
