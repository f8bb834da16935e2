"""What is promised, whatever happens and in whatever order: each with its judges and its bugs.

A judge is a function of this folder, or a test somewhere that is one. A promise counts once a bug
has been planted against it that a judge of it catches: the bugs of random days stand in the
`CASES` of the tests, those of other tests are named here. `test_promises.py` counts both, and
docs/reliability.md shows this table.
"""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = "tests.invariants"
CASEBOOKS = (
    "test_identity_judges",
    "test_judges",
    "test_stop_judges",
    "test_legality_judges",
    "test_kill_judges",
    "test_input_judges",
    "test_ownership_judges",
    "test_form_judges",
    "test_liveness_judges",
)

# Promised, and not kept by anything yet: number, and why. It stays empty.
OPEN: dict[str, str] = {}


class Promise(NamedTuple):
    """One promise: its number, what it says, who judges it, and bugs that are not in a casebook."""

    number: str
    words: str
    judges: tuple[str, ...]
    bugs: tuple[str, ...] = ()


PROMISES = (
    Promise(
        "S1",
        "An order is placed under one number, once, over all restarts; a change goes out once.",
        ("identity_judges.s1_at_most_once",),
    ),
    Promise(
        "S2",
        "Whatever is asked of the broker was on disk before. What only gets out may pass a "
        "disk that refuses.",
        (
            "identity_judges.s2_write_ahead",
            "test_identity_judges.test_s2_a_record_is_on_disk_before_its_order_leaves",
        ),
        ("test_identity_judges.late_writer",),
    ),
    Promise(
        "S3",
        "A new order's number is above all that the journal, the wire or the broker has "
        "ever named, and orders leave in the order of their numbers.",
        ("identity_judges.s3_numbers_ascend",),
    ),
    Promise(
        "S4",
        "What may have been lost is never sent again by itself, under its name or another.",
        ("identity_judges.s4_no_blind_resend",),
    ),
    Promise(
        "S5",
        "Nothing is opened on a link before it has told orders, ended orders, executions, "
        "positions and account to the end.",
        ("identity_judges.s5_knowledge_gate",),
    ),
    Promise(
        "S6",
        "An error code that nobody knows, or that is only a warning, ends no order.",
        ("identity_judges.s6_unknown_codes_are_inert",),
    ),
    Promise(
        "S7",
        "Exits never exceed the position and what its live entries can still add; at rest, "
        "never the position.",
        ("exposure_judges.s7_no_orphan_exit",),
    ),
    Promise(
        "S8",
        "What an entry of ours opened has its stops within two seconds of when it could be known.",
        ("exposure_judges.s8_protected",),
    ),
    Promise(
        "S9",
        "A stop moves toward profit only, unless a person moves it.",
        ("stop_judges.s9_never_widens",),
    ),
    Promise(
        "S10",
        "Limits hold in the worst case: whichever of all working orders fill.",
        ("limit_judges.s10_limits",),
    ),
    Promise(
        "S11",
        "A closing order, with all other exits, cannot turn a position round.",
        ("exposure_judges.s11_reduce_only",),
    ),
    Promise(
        "S12",
        "From the instant a halt is on disk nothing opens; it outlives restarts, leaves "
        "stops alone and lets closes pass.",
        ("kill_judges.s12_kill",),
    ),
    Promise(
        "S13",
        "Behind a thousand requests, the first cancel of a halt leaves in 50 ms, ten in 250 "
        "ms, fifty in 1.5 s.",
        (
            "kill_judges.s13_latency",
            "test_kill_latency.test_s13_the_first_cancels_overtake_everything",
        ),
        ("test_kill_latency.one_queue_for_all",),
    ),
    Promise(
        "S14",
        "Flattening, however often and whatever dies meanwhile, ends in nothing held and "
        "never beyond.",
        ("kill_judges.s14_flatten", "kill_judges.s14_flat"),
    ),
    Promise(
        "S15",
        "One signal opens one group at most; a second, a minute and a day have their most "
        "openings.",
        (
            "input_judges.s15_fan_out",
            "input_judges.s15_one_group_a_signal",
            "test_input_judges.test_s27_an_old_signal_and_a_known_one_trade_nothing",
        ),
        ("test_input_judges.gullible_desk",),
    ),
    Promise(
        "S16",
        "Executions on record add up to the broker's positions, or the difference is told.",
        ("ledger_judges.s16_conservation",),
    ),
    Promise(
        "S17",
        "The ledger does not depend on the order of the news, nor on what comes twice.",
        (
            "test_commuting.s17_commutes",
            "test_commuting.test_the_ledger_does_not_depend_on_the_order_of_the_news",
        ),
        ("test_commuting.counted_as_often_as_told",),
    ),
    Promise(
        "S18",
        "Every change of an order's state is one that the table allows.",
        ("legality_judges.s18_legal",),
    ),
    Promise(
        "S19",
        "A fill is on record within 50 ms, whatever becomes of its commission. The stops of an "
        "addition are asked for as soon, what the broker leaves out of an entry's in a second.",
        ("ledger_judges.s19_not_delayed", "exposure_judges.s19_answered"),
    ),
    Promise(
        "S20",
        "No execution of the account is lost, and none counts twice.",
        ("ledger_judges.s20_nothing_dropped",),
    ),
    Promise(
        "S21",
        "One process at a time can open anything in an account.",
        (
            "ownership_judges.s21_single_writer",
            "ownership_judges.s21_one_at_a_time",
            "test_ownership_judges.test_s21_one_process_has_the_account",
            "tests/scenarios/test_takeover.py::test_a_leader_that_stood_still_opens_nothing_and_ends",
        ),
        ("test_ownership_judges.no_lock",),
    ),
    Promise(
        "S22",
        "Orders of others are neither changed nor cancelled, and never everything at once.",
        ("ownership_judges.s22_foreign_untouched",),
    ),
    Promise(
        "S23",
        "Every order names the one account that is traded.",
        ("ownership_judges.s23_account",),
    ),
    Promise(
        "S24",
        "Two live orders under one name of ours are told as drift.",
        ("ownership_judges.s24_one_life",),
    ),
    Promise(
        "S25",
        "Prices are multiples of the step, written plainly; quantities whole; name, account "
        "and time in force always there.",
        ("form_judges.s25_wire_form",),
    ),
    Promise(
        "S26",
        "No second at TWS has more than 45 requests of ours.",
        ("form_judges.s26_rate",),
    ),
    Promise(
        "S27",
        "Nothing is opened on an old price, an old signal, or one that was taken before.",
        (
            "input_judges.s27_no_old_price",
            "input_judges.s27_stale_never_trades",
            "test_input_judges.test_s27_an_old_signal_and_a_known_one_trade_nothing",
        ),
        ("test_input_judges.gullible_desk",),
    ),
    Promise(
        "S28",
        "A wall clock that jumps makes no request and keeps none back: hours are the exchange's.",
        (
            "clock_judges.s28_same_requests",
            "test_clock_judges.test_s28_a_jump_of_the_wall_clock_changes_no_request",
            "tests/bad_days/test_markets_and_clocks.py::test_f_f04_a_clock_that_jumps_sends_nothing",
        ),
        ("test_clock_judges.stopped_by_the_clock", "test_clock_judges.closed_by_the_wall"),
    ),
    Promise(
        "S29",
        "Each day ends by its own close, on a host of any zone, however often cron fires.",
        (
            "clock_judges.s29_day_ends",
            "test_clock_judges.test_s29_every_day_ends_by_its_own_close",
            "tests/bad_days/test_markets_and_clocks.py::test_f_f07_ending_the_day_again_does_nothing_more",
        ),
        ("test_clock_judges.winter_for_ever", "test_clock_judges.no_half_days"),
    ),
    Promise(
        "S30",
        "Killed anywhere, it comes back to what the exchange has: nothing lost, doubled or "
        "forgotten.",
        (
            "liveness_judges.s30_settled",
            "tests/scenarios/test_crash.py::test_a_bracket_that_was_not_sent_whole_never_trades",
            "tests/scenarios/test_crash.py::test_a_bracket_that_was_sent_is_adopted_once_and_whole",
            "tests/scenarios/test_crash.py::test_recovery_twice_is_recovery_once",
        ),
    ),
    Promise(
        "S31",
        "A damaged journal is noticed, or says what was written.",
        (
            "storage_judges.s31_noticed",
            "test_storage_judges.test_s31_a_flipped_bit_is_noticed_or_harmless",
            "tests/adapters/test_journal_file.py::test_a_flipped_bit_or_a_cut_is_noticed_or_harmless",
            "tests/adapters/test_journal_corruption.py::test_a_flipped_bit_is_noticed_or_harmless",
            "tests/adapters/test_journal_corruption.py::test_a_cut_is_noticed_or_harmless",
            "tests/adapters/test_journal_corruption.py::test_a_lost_or_empty_file_of_them_is_noticed",
        ),
        ("test_storage_judges.unread_chain",),
    ),
    Promise(
        "S32",
        "Nothing is opened while the disk takes no record.",
        ("liveness_judges.s32_no_disk_no_opening",),
    ),
    Promise(
        "S33",
        "One seed is one day, to the byte, on the wire and in the journal; over TCP, too.",
        (
            "clock_judges.s33_same_day",
            "test_clock_judges.test_s33_a_seed_lived_twice_is_one_day",
            "clock_judges.s33_same_writing",
            "test_lockstep.test_s33_tcp_writes_what_memory_writes",
        ),
        ("test_clock_judges.machine_stamps", "test_lockstep.by_clock", "test_lockstep.numbered_on"),
    ),
    Promise(
        "S34",
        "No secret stands in what is logged or shown.",
        (
            "storage_judges.s34_no_secret",
            "test_storage_judges.test_s34_a_log_tells_no_secret",
            "tests/scenarios/test_secrets.py::test_no_secret_is_left_anywhere",
        ),
        ("test_storage_judges.plain_words", "test_storage_judges.open_secret"),
    ),
    Promise(
        "L1",
        "Within a minute each order is answered, or known to be unknown.",
        ("liveness_judges.l1_known_in_time",),
    ),
    Promise(
        "L2",
        "A new link has told everything within two seconds.",
        ("liveness_judges.l2_synced_in_time",),
    ),
    Promise(
        "L3",
        "A stop that is refused or lost is replaced, or its position closed, in two "
        "seconds; else it is said aloud.",
        ("liveness_judges.l3_protection_replaced",),
    ),
    Promise(
        "L4",
        "A dead link is given up within ten seconds.",
        (
            "liveness_judges.l4_dead_link",
            "tests/adapters/ibkr/test_connection.py::test_a_dead_link_is_noticed_within_ten_seconds",
        ),
    ),
    Promise(
        "L5",
        "Five seconds after a halt nothing of ours that could open works any more.",
        ("kill_judges.l5_gone",),
    ),
    Promise(
        "L6",
        "A critical alert is sent again until somebody has acknowledged it.",
        (
            "alarm_judges.l6_told_again",
            "test_alarm_judges.test_l6_an_alarm_is_told_until_somebody_takes_note",
            (
                "tests/execution/test_alarming.py::"
                "test_l6_an_alarm_is_told_again_and_again_until_somebody_takes_note"
            ),
        ),
        ("test_alarm_judges.told_once", "test_alarm_judges.told_for_ever"),
    ),
)


def number_of(name: str) -> str:
    """Return the promise that a violation or a case is about: `S7a` is about S7."""
    found = re.match(r"[SL]\d+", name)
    assert found is not None
    return found[0]


def resolved(name: str) -> Callable[..., object]:
    """Return the function that a promise names as one of this folder's.

    Raises:
        AttributeError: If there is none of that name.
        ModuleNotFoundError: If there is no such file.
    """
    module, _, function = name.partition(".")
    found: Callable[..., object] = getattr(import_module(f"{HERE}.{module}"), function)
    return found


def planted() -> dict[str, list[Callable[..., object]]]:
    """Return the bugs of each promise, those of the casebooks and those of other tests."""
    found: dict[str, list[Callable[..., object]]] = defaultdict(list)
    for book in CASEBOOKS:
        for case in import_module(f"{HERE}.{book}").CASES:
            found[number_of(case.number)].append(case.bug or case.day)
    for promise in PROMISES:
        found[promise.number] += [resolved(name) for name in promise.bugs]
    return found


def table() -> str:
    """Return a row for each promise, as docs/reliability.md shows them."""
    bugs = planted()
    rows = [
        "| | what is promised | judged | bugs that were planted, and caught |",
        "|---|---|---|---|",
    ]
    for promise in PROMISES:
        words = dict.fromkeys(_words(bug) for bug in bugs[promise.number])
        caught = "<br>".join(words) or f"– ({OPEN[promise.number]})"
        rows.append(f"| {promise.number} | {promise.words} | {_when(promise)} | {caught} |")
    return "\n".join(rows)


def _when(promise: Promise) -> str:
    from tests.invariants.judges import ALWAYS, AT_REST

    kinds = dict.fromkeys(_kinds(promise, ALWAYS, AT_REST))
    return ", ".join(kinds) or "not yet"


def _kinds(
    promise: Promise, always: tuple[object, ...], at_rest: tuple[object, ...]
) -> Iterator[str]:
    for name in promise.judges:
        judge = None if "::" in name else resolved(name)
        if judge in always:
            yield "after every act"
        elif judge in at_rest:
            yield "at rest"
        elif judge is None or name.startswith("test_"):
            yield "by a test of its own"


def _words(bug: Callable[..., object]) -> str:
    return (inspect.getdoc(bug) or bug.__name__.replace("_", " ")).split("\n")[0]
