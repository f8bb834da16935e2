"""The fault catalogue's sections 1.A and 1.C to 1.F, and the callbacks of 1.B: what goes wrong.

An id is tested by every test whose name carries it (`test_f_c01_…` rehearses F-C01); where the
heart of the matter is tested elsewhere, that place is named. `test_catalogue.py` holds the table
against the tests, so an id without one is found, and so is a test without an id.
"""

from __future__ import annotations

FAULTS = {
    "A01": "the link breaks before an order has left",
    "A02": "the link breaks once the order has arrived",
    "A03": "the link breaks in the moment of sending",
    "A04": "what waits in the queue when the link breaks",
    "A09": "midnight takes the executions",
    "A10": "the client id is in use",
    "A16": "two programs on one account",
    "A17": "somebody else on the account",
    "A20": "the account is another",
    "A21": "order numbers go backwards, or leap",
    "B01": "an order is swallowed",
    "B02": "the acknowledgement comes late",
    "B03": "a fill before the acknowledgement",
    "B04": "callbacks come twice",
    "B05": "callbacks come in any order",
    "B06": "an execution without a status",
    "B07": "a status without an execution",
    "B08": "an order is rejected",
    "B10": "a price is capped",
    "B17": "a short sale waits for shares",
    "B19": "the broker cuts the size",
    "C01": "cancel and fill cross",
    "C02": "a cancel is never acknowledged",
    "C03": "10147 for an order that exists",
    "C04": "a cancel overtakes its order",
    "C05": "modify and fill cross",
    "C06": "a change is accepted and not yet shown",
    "C07": "two permanent ids under one name",
    "C08": "the change of a protective stop is refused",
    "C09": "a storm of changes by a trailing stop",
    "C10": "an order is changed by hand in TWS",
    "C11": "an order is cancelled by hand, or by the broker",
    "C12": "everything is cancelled at once",
    "D01": "an execution comes twice",
    "D02": "an execution is corrected",
    "D03": "a trade is busted",
    "D04": "a commission is late, missing, doubled or unset",
    "D05": "more trades than was ordered",
    "D06": "a fill while nobody listens",
    "D07": "a position comes before its execution, or long after",
    "D08": "the broker's average cost differs",
    "D09": "a position is closed by hand while a stop works",
    "D10": "a position is increased by hand",
    "D11": "the broker liquidates",
    "E01": "a bracket is half sent",
    "E02": "the entry is refused, its exits live",
    "E03": "an exit is refused, its entry lives",
    "E04": "an exit comes before its entry",
    "E05": "the entry fills in part",
    "E06": "the entry fills in part and is cancelled",
    "E07": "both legs of a group trade",
    "E08": "a leg of a group trades in part",
    "E09": "a leg of a group is refused",
    "E10": "protection ends with the session",
    "E11": "a scale-in fills in part",
    "E12": "the broker turns a stop into a trail",
    "E13": "a gap through the stop; a stop-limit left behind",
    "E14": "the process that trails a stop dies",
    "E15": "the price crosses a stop that is being moved",
    "E16": "the signal turns while an entry works",
    "F01": "quotes are stale",
    "F02": "quotes are delayed",
    "F03": "quotes are nonsense",
    "F04": "the clock jumps",
    "F05": "summer time begins and ends",
    "F06": "a half day",
    "F07": "the day's end: too early, too late, twice, and halted",
    "F08": "a halt",
    "F09": "a split",
    "F11": "hours outside regular trading",
}

# What is judged by more than these stories: unit tests of the part that decides.
ELSEWHERE = {
    "A16": "tests/adapters/test_account_lock.py",
    "A20": "tests/scenarios/test_live_arming.py",
    "A21": "tests/core/test_ids.py",
    "C09": "tests/orders/test_managed_trails.py",
    "E01": "tests/scenarios/test_crash.py",
    "F05": "tests/adapters/test_calendar.py",
    "F06": "tests/adapters/test_calendar.py",
}

# Not rehearsed, and why.
LEFT_OUT = {
    "F10": "no contract is renamed or delisted at the simulator; an unknown con_id opens nothing",
}
