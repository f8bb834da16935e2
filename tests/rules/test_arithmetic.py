from __future__ import annotations

from decimal import Decimal, Inexact, localcontext

from ibkr_trader.rules.arithmetic import ARITHMETIC


def test_it_has_34_digits_whatever_the_context_around_it() -> None:
    with localcontext() as around:
        around.prec = 3
        around.traps[Inexact] = True
        with localcontext(ARITHMETIC):
            third = Decimal(1) / 3
    assert third == Decimal("0." + "3" * 34)


def test_using_it_does_not_change_it() -> None:
    with localcontext(ARITHMETIC):
        Decimal(1) / 3
    assert not any(ARITHMETIC.flags.values())
