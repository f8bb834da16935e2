"""The whole world twice, so that nothing but the network differs: the kernel's, and memory.

In both nothing takes time that is on its way, and the loop goes on only when all of it is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.invariants.kernel_network import LockstepLoop
from tests.invariants.memory_network import MemoryNetwork
from tests.invariants.playing import Play
from tests.invariants.schedule import Act, Schedule
from tests.invariants.whole_world import WholeWorld

if TYPE_CHECKING:
    from tests.invariants.virtual_time import VirtualLoop


class TcpWorld(WholeWorld):
    """One whose bytes go through the kernel."""

    def _new_loop(self, seed: int | None) -> VirtualLoop:
        return LockstepLoop()


class InstantWorld(WholeWorld):
    """One whose bytes stay in memory, and are there at once."""

    def _new_loop(self, seed: int | None) -> VirtualLoop:
        loop = super()._new_loop(seed)
        assert isinstance(loop.network, MemoryNetwork)
        loop.network.is_instant = True
        return loop


def _wait(seconds: float) -> Act:
    return Act("wait", {"seconds": seconds})


def _bracket(symbol: str = "AAPL", *, limit: int | None = None) -> Act:
    what: dict[str, Any] = {"symbol": symbol, "side": "BUY", "quantity": 10, "away": 2}
    return Act("bracket", what | {"limit": limit})


def _move(tenths: int, symbol: str = "AAPL") -> Act:
    return Act("move", {"symbol": symbol, "tenths": tenths, "size": 10_000})


GROWN = (
    *(_bracket(), _wait(1.2)),
    *(Act("scale_in", {"symbol": "AAPL", "quantity": 5}), _wait(3.0)),
    *(_move(5), Act("tighten", {"pick": 0}), _wait(1.2)),
    *(Act("trail", {"symbol": "AAPL", "percent": 1, "managed": True}), _wait(1.2)),
    *(_move(10), _wait(3.0), Act("cancel", {"pick": 1}), _wait(3.0)),
    *(_move(-30), _wait(3.0), Act("close", {"symbol": "AAPL"}), _wait(3.0)),
)
KILLED = (
    *(_bracket(), _wait(1.2), Act("die"), _wait(3.0), Act("rise"), _wait(1.2)),
    *(_move(12), _wait(3.0), Act("flatten"), _wait(8.0)),
)
CUT_OFF = (
    *(
        _bracket(),
        _bracket("MSFT", limit=1),
        _wait(1.2),
        Act("cut_link", {"side": 1, "reset": False}),
    ),
    *(_wait(8.0), _move(25), _move(-12, "MSFT"), _wait(3.0)),
    *(Act("stop_gateway", {"crash": True}), _wait(3.0), Act("start_gateway"), _wait(8.0)),
    *(_bracket(limit=0), Act("cut_link", {"side": 0, "reset": True}), _wait(8.0)),
)
# One thing after another: what is asked of the broker does not depend on when anything is heard.
IN_TURN = {"grown": GROWN, "killed": KILLED}
QUIET = IN_TURN | {"cut off": CUT_OFF}


def live(kind: type[WholeWorld], acts: tuple[Act, ...], *, seed: int = 3) -> WholeWorld:
    """Live a day in a world of its own, which is over; return the world."""
    play = Play(Schedule(seed=seed, acts=acts), kind=kind)
    found = play.run()
    assert not found, "\n".join([*play.record, *found])
    return play.world
