"""The arithmetic of indicators: the same digits whatever the caller's decimal context is.

34 digits, as IEEE's decimal128 has them. Sums of prices are exact in it; what never ends (a
third, a root) is cut where no second implementation would see it, and does not grow from bar
to bar. Use it as `with localcontext(ARITHMETIC):`, which copies: the constant never changes.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context

# Nothing is trapped: a legal bar must not raise. What could trap is asked for before.
ARITHMETIC = Context(
    prec=34, rounding=ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999, capitals=1, clamp=0, traps=[]
)
