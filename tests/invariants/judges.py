"""What is promised, each a function over the exchange's evidence.

Each returns what it holds against the run, one line a violation, and nothing if it holds. `W`,
the frames and messages, and `B`, the states, are the exchange's own; `J` is the journal. Times
are the exchange's. What each promises, and which judges it has, is in `promises.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.invariants.exposure_judges import (
    s7_no_orphan_exit,
    s8_protected,
    s11_reduce_only,
    s19_answered,
)
from tests.invariants.form_judges import s25_wire_form, s26_rate
from tests.invariants.identity_judges import (
    s1_at_most_once,
    s2_write_ahead,
    s3_numbers_ascend,
    s4_no_blind_resend,
    s5_knowledge_gate,
    s6_unknown_codes_are_inert,
)
from tests.invariants.input_judges import s15_fan_out, s27_no_old_price
from tests.invariants.kill_judges import l5_gone, s12_kill, s14_flat, s14_flatten
from tests.invariants.ledger_judges import (
    s16_conservation,
    s19_not_delayed,
    s20_nothing_dropped,
)
from tests.invariants.legality_judges import s18_legal
from tests.invariants.limit_judges import s10_limits
from tests.invariants.liveness_judges import (
    l1_known_in_time,
    l2_synced_in_time,
    l3_protection_replaced,
    l4_dead_link,
    s30_settled,
    s32_no_disk_no_opening,
)
from tests.invariants.ownership_judges import (
    s21_one_at_a_time,
    s22_foreign_untouched,
    s23_account,
    s24_one_life,
)
from tests.invariants.stop_judges import s9_never_widens

if TYPE_CHECKING:
    from tests.invariants.world import World

ALWAYS = (
    s1_at_most_once,
    s2_write_ahead,
    s3_numbers_ascend,
    s4_no_blind_resend,
    s5_knowledge_gate,
    s6_unknown_codes_are_inert,
    s7_no_orphan_exit,
    s8_protected,
    s9_never_widens,
    s10_limits,
    s11_reduce_only,
    s12_kill,
    s14_flatten,
    s15_fan_out,
    s18_legal,
    s19_not_delayed,
    s19_answered,
    s21_one_at_a_time,
    s22_foreign_untouched,
    s23_account,
    s24_one_life,
    s25_wire_form,
    s26_rate,
    s27_no_old_price,
    s32_no_disk_no_opening,
    l1_known_in_time,
    l3_protection_replaced,
    l4_dead_link,
    l5_gone,
)
AT_REST = (s14_flat, s16_conservation, s20_nothing_dropped, s30_settled, l2_synced_in_time)


def verdict(world: World, *, at_rest: bool = False) -> list[str]:
    """Return every violation found, safety first; a day that is over is judged more strictly."""
    judges = (*ALWAYS, *AT_REST) if at_rest else ALWAYS
    return [line for judge in judges for line in judge(world)]
