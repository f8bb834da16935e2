"""The order numbers of our client: which are given out, and up to which they have left.

TWS takes a new order under a number above all that it had before; one that is lower is refused
(103), though nobody ever used it. Numbers are given out before an order is written down, and
what gets out leaves before what opens: its number is then above those of the entries that wait.
Such an entry stays here. Sent, it would come back refused, and a number that seems to be used
twice stops all openings until a person has looked.
"""

from __future__ import annotations

from ibkr_trader.core.ids import next_broker_order_ids


class OrderNumbers:
    """What is given out is above everything known; what leaves is above everything that left.

    It outlives each link: TWS counts by client, whatever becomes of the connection.
    """

    def __init__(self) -> None:
        self._next = 0  # above every one that was given out
        self._highest = 0  # of those that have left

    def reserve(self, count: int, *, next_valid: int, floor: int, seen: int) -> tuple[int, ...]:
        """Return `count` ascending numbers that nobody has used; one that was denied has, too.

        Raises:
            BrokerUnavailable: If no number is left.
        """
        floor = max(floor, self._next)
        numbers = next_broker_order_ids(count, next_valid=next_valid, floor=floor, seen=seen)
        self._next = numbers[-1] + 1
        return numbers

    def leave(self, highest: int) -> None:
        """Note that a new order has left under this number, and all before it of its group."""
        self._highest = max(self._highest, highest)

    def overtaken(self, lowest: int) -> str:
        """Say why a new order of this number must not leave any more; nothing if it may."""
        if lowest > self._highest:
            return ""
        return (
            f"order number {self._highest} has left before number {lowest}, and TWS takes none out "
            "of turn (103)"
        )
