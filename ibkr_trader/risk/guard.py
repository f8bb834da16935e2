"""May this command go out? The one place that says so, and the only maker of `Approved`.

Every check sees every command, and a denial carries every reason at once. A command that
can only lower risk meets only the checks that also bind such commands; a cancel meets
none. Whatever a check cannot find out, or breaks on, is a reason against opening.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from ibkr_trader.core.commands import CancelOrder, Command, SubmitOrders
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import GroupId, OrderSpec
from ibkr_trader.risk.check import CHECKS, Binds, Check
from ibkr_trader.risk.proposal import Proposal, propose
from ibkr_trader.risk.verdict import Approved, Denied
from ibkr_trader.risk.view import FactMissing
from ibkr_trader.risk.wording import order_words

if TYPE_CHECKING:
    from ibkr_trader.risk.view import RiskView

ExtraCheck = Callable[[OrderSpec], bool | str | None]
_FORMS = ("order_form", "command_form")
_EXTRA = "risk_callback"
_OF_NO_CONTRACT = ("armed", "knowledge", "trading_state")
_FOREIGN = "command_form"
READONLY = Breach(
    check="readonly",
    message="This desk is set to only look: nothing is sent, not even a cancel.",
    hint="IBKR_READONLY=false",
)


_NOTHING = Proposal(
    command=SubmitOrders(group_id=GroupId(""), orders=()), changes=(), before={}, after={}
)


class RiskGuard:
    """Reviews commands. It holds no state: a verdict depends on command and view alone."""

    def __init__(
        self, checks: Iterable[str] | None = None, extra: Iterable[ExtraCheck] = ()
    ) -> None:
        """Take the checks to run.

        Args:
            checks: Names from `CHECKS`; None is all of them. Those that bind every command
                run whether named or not.
            extra: Further checks, asked about each order. True and None let it pass; False
                or a reason denies it; an exception denies what opens.

        Raises:
            ConfigError: If there is no check of such a name.
        """
        known = dict(CHECKS.items())
        names = list(known if checks is None else checks)
        if unknown := [name for name in names if name not in known]:
            raise ConfigError(
                f"There is no risk check called {unknown[0]!r}.",
                hint="the checks are: " + ", ".join(sorted(known)),
            )
        self._checks = [
            (name, one) for name, one in known.items() if name in names or one.binds is Binds.ALL
        ]
        self._extra = tuple(extra)

    def review(self, command: Command, view: RiskView) -> Approved | Denied:
        """Return the verdict on `command`, as of `view`; a denial has every reason.

        Cancelling an order of ours is always approved: it can only lower risk, and is
        harmless when there is nothing to cancel. A stranger's order is not ours to cancel.
        """
        if view.is_readonly:
            return Denied(command=command, at=view.now, breaches=(READONLY,))
        if isinstance(command, CancelOrder):
            return self._review_cancel(command, view)
        try:
            proposal = propose(command, view)
        except Exception as error:  # noqa: BLE001 - what cannot be judged is not sent
            breach = _failed("proposal", error)
            return Denied(command=command, at=view.now, breaches=(breach,))
        found = self._breaches(proposal, view)
        if breaches := tuple(one for one in found if not one.is_warning):
            return Denied(command=command, at=view.now, breaches=breaches)
        return Approved(
            command=command, at=view.now, reduces=proposal.reduces, warnings=tuple(found)
        )

    def beforehand(self, view: RiskView) -> tuple[Breach, ...]:
        """Return what stands against opening anything, whatever it would be.

        The same words as in a denial; what depends on the order is not asked. A contract that
        nobody can name at present has a clear answer all the same.
        """
        if view.is_readonly:
            return (READONLY,)
        found: list[Breach] = []
        for name, check in self._checks:
            if name in _OF_NO_CONTRACT:
                broken = _ask(name, check, _NOTHING, view=view, found=found)
                found += [broken] if broken is not None else []
        return tuple(one for one in found if not one.is_warning)

    def _review_cancel(self, command: CancelOrder, view: RiskView) -> Approved | Denied:
        if command.is_of_all and view.arming.is_live:
            breach = Breach(
                check=_FOREIGN,
                message="Orders of everybody are cancelled in the simulator and on paper alone.",
                hint="ibkr-trader cancel --all takes back ours",
            )
            return Denied(command=command, at=view.now, breaches=(breach,))
        order = view.portfolio.order(command.order_id)
        if order is not None and order.is_foreign:
            breach = Breach(
                check=_FOREIGN,
                message=f"Order {command.order_id} was not placed here: it is not cancelled here.",
                actual=command.order_id,
                hint="use TWS, or the program that placed it; what a lost journal of ours had, "
                "ibkr-trader reconcile takes over",
            )
            return Denied(command=command, at=view.now, breaches=(breach,))
        return Approved(command=command, at=view.now, reduces=True)

    def _breaches(self, proposal: Proposal, view: RiskView) -> list[Breach]:
        found: list[Breach] = []
        failures: list[Breach] = []
        reduces = proposal.reduces
        for name, check in self._checks:
            if reduces and check.binds is Binds.OPENINGS:
                continue
            broken = _ask(name, check, proposal, view=view, found=found)
            if broken is not None and not (reduces and check.binds is Binds.ALL_IF_KNOWN):
                failures.append(broken)
        for extra in self._extra:
            for change in proposal.changes:
                found.extend(_ask_extra(extra, change.spec, excuses_failure=reduces))
        # Checks trip over an order that makes no sense; then its form is the reason.
        if not any(breach.check in _FORMS and not breach.is_warning for breach in found):
            said: dict[str, Breach] = {}
            for breach in failures:
                said.setdefault(breach.message, breach)
            found += said.values()
        return list(dict.fromkeys(found))


def _ask(
    name: str, check: Check, proposal: Proposal, *, view: RiskView, found: list[Breach]
) -> Breach | None:
    """Add what the check has against the proposal to `found`; return how it failed, if it did."""
    try:
        found.extend(check.run(proposal, view))
    except FactMissing as fact:
        return Breach(check=fact.about, message=fact.message, hint=fact.hint)
    except Exception as error:  # noqa: BLE001 - a check that fails is itself a reason
        return _failed(name, error)
    return None


def _ask_extra(extra: ExtraCheck, spec: OrderSpec, *, excuses_failure: bool) -> Iterator[Breach]:
    try:
        answer = extra(spec)
    except Exception as error:  # noqa: BLE001 - as for a check of ours
        if not excuses_failure:
            yield _failed(_EXTRA, error)
        return
    if answer is None or answer is True:
        return
    reason = answer if isinstance(answer, str) and answer else "it gave no reason"
    yield Breach(check=_EXTRA, message=f"Your own check refuses {order_words(spec)}: {reason}.")


def _failed(name: str, error: Exception) -> Breach:
    return Breach(
        check=name,
        message=f"The risk check {name} failed ({type(error).__name__}: {error}).",
        hint="nothing was sent; this is a fault in the check itself, so please report it",
    )
