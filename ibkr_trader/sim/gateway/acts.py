"""What may be done to a running gateway from outside: to the market, by hand, to messages.

An act is a value, so that a command can send it through the door (`door.py`) as one line of JSON.
`act_words.py` makes acts of the words that people type, `doing.py` carries them out.
"""

from datetime import datetime, time
from decimal import Decimal
from typing import Any, Literal

import msgspec

from ibkr_trader.sim.families import BracketMode
from ibkr_trader.sim.gateway.fault_rules import Fault
from ibkr_trader.sim.gateway.session_faults import SessionFault
from ibkr_trader.sim.gateway.transport_faults import LinkFault
from ibkr_trader.sim.gateway.triggers import Trigger


class _Act(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", forbid_unknown_fields=True):
    """Something to be done now."""


class SetPrice(_Act, frozen=True, tag="price"):
    """An instrument stands at `price` from now on, one tick to either side of it."""

    symbol: str
    price: Decimal


class Gap(_Act, frozen=True, tag="gap"):
    """An instrument jumps by so many percent, with no trade in between."""

    symbol: str
    percent: Decimal


class Halt(_Act, frozen=True, tag="halt"):
    """Trading of an instrument stops (for so many seconds, if they are given), or goes on."""

    symbol: str
    halted: bool = True
    seconds: float | None = None


class Split(_Act, frozen=True, tag="split"):
    """Each share becomes `new` for `old`: 4 for 1, or 1 for 10."""

    symbol: str
    new: int
    old: int = 1


class Advance(_Act, frozen=True, omit_defaults=True, tag="advance"):
    """The exchange's clock goes forward, by so many seconds or to a moment.

    What is not said is not sent: a gateway that still runs from before `clock` takes the rest.

    Attributes:
        seconds: By so many.
        to: To this moment.
        clock: Until it is so late in New York, the same day.
    """

    seconds: float = 0
    to: datetime | None = None
    clock: time | None = None


class Speed(_Act, frozen=True, tag="speed"):
    """The exchange's clock runs so many times as fast as the wall's; 0 stops it."""

    times: float


class HandOrder(_Act, frozen=True, tag="hand_order"):
    """Somebody at TWS places an order; without prices at the market."""

    action: str  # BUY or SELL
    symbol: str
    quantity: Decimal
    limit: Decimal | None = None
    stop: Decimal | None = None


class HandClose(_Act, frozen=True, tag="hand_close"):
    """Somebody at TWS closes a position, or part of it, at the market."""

    symbol: str
    quantity: Decimal | None = None


class HandModify(_Act, frozen=True, tag="hand_modify"):
    """Somebody at TWS changes an order; what is not given stays."""

    order: str
    quantity: Decimal | None = None
    limit: Decimal | None = None
    stop: Decimal | None = None


class HandCancel(_Act, frozen=True, tag="hand_cancel"):
    """Somebody at TWS cancels an order."""

    order: str


class Correct(_Act, frozen=True, tag="correct"):
    """The exchange corrects an execution."""

    execution: str
    price: Decimal | None = None
    quantity: Decimal | None = None


class Liquidate(_Act, frozen=True, tag="liquidate"):
    """The broker cancels what works in a symbol, and closes what is held of it."""

    symbol: str


class Bust(_Act, frozen=True, tag="bust"):
    """The exchange takes an execution back."""

    execution: str


class Trade(_Act, frozen=True, tag="trade"):
    """So much of a working order trades now, whatever the market does; None is all of it."""

    order: str
    quantity: Decimal | None = None


class Take(_Act, frozen=True, tag="take"):
    """The broker cancels an order by itself."""

    order: str
    reason: str = "cancelled by the broker"


class Arm(_Act, frozen=True, tag="arm"):
    """Faults are put in force: of messages, of the transport (`links`), behind the gateway."""

    faults: tuple[Fault, ...] = ()
    links: tuple[LinkFault, ...] = ()
    session: tuple[SessionFault, ...] = ()


class HangUp(_Act, frozen=True, tag="hang_up"):
    """Connections end now, in order (`fin`) or broken off (`rst`); None is everybody's."""

    how: Literal["fin", "rst"]
    client: int | None = None


class Blurt(_Act, frozen=True, tag="blurt"):
    """Clients are sent bytes that mean nothing.

    Attributes:
        what: A frame of `garbage`, or the beginning of one that claims 2^31-1 bytes (`oversize`).
        size: So many bytes of it.
        client: Whose; None is everybody's.
    """

    what: Literal["garbage", "oversize"]
    size: int = 64
    client: int | None = None


class Lift(_Act, frozen=True, tag="lift"):
    """A fault ends, or all of them, and what they held back goes out."""

    number: int | None = None


class Wire(_Act, frozen=True, tag="wire"):
    """The wire log begins, in a file of the gateway's folder, or ends."""

    on: bool = True


class Look(_Act, frozen=True, tag="look"):
    """Nothing is done: the answer says what the exchange's books hold, and which faults wait."""


class Cap(_Act, frozen=True, tag="cap"):
    """The broker lets no buy of an instrument pay more, no sale take less; neither: no bounds."""

    symbol: str
    buy: Decimal | None = None
    sell: Decimal | None = None


class Locate(_Act, frozen=True, tag="locate"):
    """Short sales that need a locate wait so many seconds for shares; None is for ever."""

    symbol: str
    seconds: int | None = None


class SlowOca(_Act, frozen=True, tag="slow_oca"):
    """The links of OCA groups of these types (1, 2, 3) work a second late; of none: at once."""

    types: tuple[int, ...] = ()


class Precaution(_Act, frozen=True, tag="precaution"):
    """TWS's own settings refuse what goes beyond `figure`; `off` lifts them all.

    `kind` is size-limit, value-limit, percentage, read-only or off.
    """

    kind: str
    figure: Decimal | None = None


class Restore(_Act, frozen=True, tag="restore"):
    """The gateway reaches its broker again: 1101 with the subscriptions lost, 1102 with them."""

    code: Literal[1101, 1102]


class MovePort(_Act, frozen=True, tag="move_port"):
    """The gateway listens elsewhere (0: anywhere): clients are told (1300) and dropped."""

    port: int


class Restart(_Act, frozen=True, tag="restart"):
    """The gateway restarts: everybody is dropped, and nobody is accepted for so many seconds.

    `untransmitted` says what becomes of orders that were placed and never transmitted; in TWS they
    are lost.
    """

    untransmitted: Literal["keep", "lose"] = "lose"
    seconds: float = 30


class RollOver(_Act, frozen=True, tag="roll_over"):
    """The day's executions and completed orders are told no more, as after midnight."""


class Executions(_Act, frozen=True, tag="executions"):
    """Whose executions `reqExecutions` tells of: a client's `own`, or `all`."""

    whose: Literal["own", "all"]


class TradeLog(_Act, frozen=True, tag="trade_log"):
    """Of how many days TWS's trade log shows the trades, today included: those are told."""

    days: int


class Brackets(_Act, frozen=True, tag="brackets"):
    """What exits do while their entry is partly filled."""

    mode: BracketMode


class Sleep(_Act, frozen=True, tag="sleep"):
    """The next order of this name is said to be Inactive, for so long (None: for ever)."""

    order: str = "*"
    seconds: int | None = 30


class Double(_Act, frozen=True, tag="double"):
    """A working order lives twice: with another permanent id, and the same `orderRef`."""

    order: str


class Band(_Act, frozen=True, tag="band"):
    """Limits further than so many percent through the market are cancelled; None lifts it."""

    percent: Decimal | None = None


class Plan(_Act, frozen=True, tag="plan"):
    """Something is done later: when its hour comes."""

    trigger: Trigger
    act: "Act"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a script."""

    line: int
    act: "Act"


class Script(_Act, frozen=True, tag="script"):
    """Acts are done one after the other; if one cannot be, nothing of the others stays in force."""

    name: str
    steps: tuple[Step, ...]


class Chaos(_Act, frozen=True, tag="chaos"):
    """A seed draws faults for orders, changes and cancels; without one it ends.

    `percent` says how many of a hundred requests meet one.
    """

    seed: int | None = None
    percent: Decimal = Decimal(10)


Market = SetPrice | Gap | Halt | Split | Cap | Advance | Speed
Hand = HandOrder | HandClose | Liquidate | HandModify | HandCancel
Exchange = (
    Brackets | Sleep | Double | Band | Correct | Bust | Trade | Take | Locate | SlowOca | Precaution
)
Gateway = Arm | Lift | Wire | Look
Arranged = Plan | Script | Chaos
Sockets = HangUp | Blurt
Session = Restore | MovePort | Restart | RollOver | Executions | TradeLog
Act = Market | Hand | Exchange | Gateway | Arranged | Sockets | Session


class CannotDo(Exception):
    """An act that cannot be done; the message says why, and `hint` what could be."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the door says: what was done, in a sentence and as data, or why it was not."""

    ok: bool = True
    text: str = ""
    hint: str = ""
    data: dict[str, Any] = {}
