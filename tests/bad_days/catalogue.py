"""The fault catalogue: what goes wrong, and where it is rehearsed.

An id is tested by every test here whose name carries it (`test_f_c01_…` rehearses F-C01), and by
those that `ELSEWHERE` names. `test_catalogue.py` holds the table against the tests, so an id
without one is found, and so is a test without an id, or a name of a test that is gone.
"""

from __future__ import annotations

FAULTS = {
    "B01": "an order is swallowed",
    "B02": "the acknowledgement comes late",
    "B03": "a fill before the acknowledgement",
    "B04": "callbacks come twice",
    "B05": "callbacks come in any order",
    "B06": "an execution without a status",
    "B07": "a status without an execution",
    "B08": "an order is rejected",
    "B09": "a price lies between two steps",
    "B10": "a price is capped",
    "B11": "a dialog in TWS holds an order",
    "B12": "a number is used twice, or names another order",
    "B13": "too many messages",
    "B14": "too many orders on one side",
    "B15": "a symbol is not one contract",
    "B16": "not allowed, no permission, no data",
    "B17": "a short sale waits for shares",
    "B18": "an order is called inactive",
    "B19": "the broker cuts the size",
    "B20": "a remark, or a code that nobody knows",
    "B21": "an order waits for the opening",
    "B22": "numbers and texts that hurt the wire",
    "B23": "fractions and odd lots",
    "B24": "a question is taken for an order",
    "B25": "a check fails, or lacks its facts",
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

# Judged by these, whether or not a story here carries the id as well.
ELSEWHERE: dict[str, tuple[str, ...]] = {
    "B13": (
        "tests/adapters/ibkr/test_lanes.py::test_whatever_is_put_in_all_of_it_leaves_within_the_limits",
        "tests/adapters/ibkr/test_lanes.py::test_lanes_go_by_precedence",
    ),
    "B15": ("tests/adapters/ibkr/test_market_data.py::test_a_symbol_of_two_contracts_lists_them",),
    "B20": (
        "tests/adapters/ibkr/test_order_news.py::test_a_thousand_unknown_codes_change_nothing",
    ),
    "B22": ("tests/adapters/ibkr/test_broker.py::test_what_is_not_fit_to_be_sent_is_our_bug",),
    "B24": (
        "tests/adapters/ibkr/test_what_if.py::test_a_frame_that_does_not_say_so_does_not_leave",
        "tests/adapters/ibkr/test_what_if.py::test_an_order_never_passes_for_a_question",
        "tests/adapters/ibkr/test_what_if.py::test_one_leaves_in_a_second_and_orders_do_not_wait_for_it",
    ),
    "B25": (
        "tests/risk/test_guard.py::test_a_check_that_fails_stands_against_opening",
        "tests/risk/test_guard.py::test_a_check_that_fails_stands_against_closing_only_where_it_must",
        "tests/risk/test_guard.py::test_a_check_that_fails_never_stops_a_cancel",
    ),
    "C09": (
        "tests/orders/test_managed_trails.py::test_at_most_once_a_second_and_to_the_newest",
        "tests/orders/test_managed_trails.py::test_a_step_that_is_worth_nothing_is_left_out",
        "tests/adapters/ibkr/test_lanes.py::test_the_newest_change_of_an_order_wins_and_changes_of_a_symbol_keep_a_second",
    ),
    "E01": (
        "tests/scenarios/test_crash.py::test_a_bracket_that_was_not_sent_whole_never_trades",
        "tests/scenarios/test_crash.py::test_a_bracket_that_was_sent_is_adopted_once_and_whole",
    ),
    "F05": (
        "tests/adapters/test_calendar.py::test_f_f05_the_close_is_new_yorks_whatever_the_zone_of_the_host",
        "tests/scenarios/test_day_end.py::test_f_f05_the_monday_after_the_clocks_changed",
    ),
    "F06": (
        "tests/adapters/test_calendar.py::test_it_agrees_with_another_calendar_from_2015_to_2030",
        "tests/execution/test_day_end.py::test_f_f06_on_a_half_day_it_is_due_before_one_o_clock",
    ),
}

# Not rehearsed, and why.
LEFT_OUT: dict[str, str] = {
    "F10": "no contract is renamed or delisted at the simulator; an unknown con_id opens nothing",
}
