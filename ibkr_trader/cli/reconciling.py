"""`reconcile`: the plan as it is shown, and what came of applying one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.plan_file import PLANS
from ibkr_trader.adapters.token_file import TokenFolder
from ibkr_trader.cli import output
from ibkr_trader.cli.exits import Exit, UsageFault
from ibkr_trader.cli.plan_view import headline, plan_lines, step_document
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.core.errors import BrokerUnavailable, OutcomeUnknown, TraderError
from ibkr_trader.execution.reconciling import carry_out_step, keep, look, moved_since

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ibkr_trader.cli.face import Face
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.reconciling import Look
    from ibkr_trader.portfolio.plan_steps import PlanStep


class Applied(msgspec.Struct, kw_only=True):
    """What came of each step, in the order in which they were done."""

    done: list[str] = msgspec.field(default_factory=list)
    settled: list[str] = msgspec.field(default_factory=list)
    failed: list[str] = msgspec.field(default_factory=list)
    is_unknown: bool = False


async def show(face: Face, *, timeout: float | None) -> output.Reply:
    """Ask the broker for everything and reply with the plan, and a token to apply it.

    Raises:
        TraderError: Whatever keeps the broker from telling how it stands.
    """
    async with desk_for(face, timeout=timeout, looks=True) as desk:
        found = await look(desk.trader, tell=face.tell)
        return _planned(face, desk, found)


async def apply(
    face: Face, text: str, *, only: Sequence[str], timeout: float | None
) -> output.Reply:
    """Carry out the plan whose token is `text`, if nothing has moved since it was made.

    Raises:
        TicketRefused: If there is no such plan any more.
        UsageFault: If one of `only` is no step of it that can be applied.
        OutcomeUnknown: If steps were done, and the broker is gone before it has confirmed them.
        TraderError: Whatever keeps the broker from telling how it stands.
    """
    settings, clock = face.settings(), SystemClock()
    folder = TokenFolder(settings.place.folder, PLANS)
    token = folder.token_of(text)
    folder.read(token, now=clock.now())  # the broker is not asked for what cannot be applied
    # The guardian would clear up on its own as the desk opens, and the plan would not hold.
    async with desk_for(face, timeout=timeout, looks=True) as desk:
        found = await look(desk.trader, tell=face.tell)
        kept = folder.read(token, now=clock.now())  # that may have taken a while
        moved = list(moved_since(kept, desk.trader, found))
        if moved:
            return _refused(face, desk, token, found, moved=moved)
        steps = _chosen(found.plan.doable, only)
        if face.dry_run or not steps:
            return _planned(face, desk, found)
        folder.claim(token)
        patience = timeout if timeout is not None else settings.timeout_seconds
        applied = await _carry_out(face, desk, steps, token=token, patience=patience)
        try:
            left = await look(desk.trader, tell=face.tell)
        except BrokerUnavailable as error:
            raise _unseen(applied, error) or error from error
        return _replied(face, desk, left, applied)


async def _carry_out(
    face: Face, desk: Desk, steps: Iterable[PlanStep], *, token: str, patience: float
) -> Applied:
    applied = Applied()
    for step in steps:
        try:
            order = await carry_out_step(
                desk.trader,
                step,
                cause=f"plan {token}",
                timeout=patience,
            )
        except TraderError as error:  # the others are still to be done
            applied.is_unknown |= isinstance(error, OutcomeUnknown)
            applied.failed.append(f"{step.words}: {error.message}")
            face.tell(f"  failed: {applied.failed[-1]}")
            continue
        how = f" ({order.status})" if order is not None else ", not needed any more"
        (applied.done if order is not None else applied.settled).append(step.id)
        face.tell(f"  {step.sign} {step.words}{how}")
    return applied


def _unseen(applied: Applied, gone: BrokerUnavailable) -> OutcomeUnknown | None:
    """What to say if the broker is gone before it could confirm; None if nothing was sent."""
    if not (applied.done or applied.is_unknown):
        return None
    done = f"{', '.join(applied.done)} done" if applied.done else "nothing is sure to be done"
    failed = f"; failed: {'; '.join(applied.failed)}" if applied.failed else ""
    message = f"{done}{failed}; how it stands now is not known: {gone.message}"
    unknown = OutcomeUnknown(message, order_ids=())
    unknown.hint = "ibkr-trader reconcile"
    return unknown


def _chosen(steps: Sequence[PlanStep], only: Sequence[str]) -> list[PlanStep]:
    """The steps to do; each that is named must be one of them."""
    names = {step.id for step in steps}
    for name in only:
        if name not in names:
            known = ", ".join(sorted(names)) or "none"
            message = f"{name} is no step that this plan can apply; there is: {known}"
            raise UsageFault(message, option="--only", typed=name, better=min(names, default=""))
    return [step for step in steps if not only or step.id in only]


def _planned(face: Face, desk: Desk, found: Look) -> output.Reply:
    head = title(face.settings(), desk)
    blocks: list[str | output.Table] = [f"{head}  {headline(found.plan)}"]
    blocks += plan_lines(found.plan)
    blocks += [f"Settled by the broker's word just now: {words}" for words in found.settled]
    return _reply(face, desk, found, blocks)


def _refused(face: Face, desk: Desk, token: str, found: Look, *, moved: list[str]) -> output.Reply:
    head = title(face.settings(), desk)
    blocks: list[str | output.Table] = [
        f"{head}  plan {token} does not hold any more; nothing was sent"
    ]
    blocks += [f"  {one}" for one in moved]
    blocks += [f"Now {headline(found.plan)}:" if found.plan.differing else headline(found.plan)]
    blocks += plan_lines(found.plan)
    return _reply(face, desk, found, blocks, moved=moved, exit_code=Exit.INCOMPLETE)


def _replied(face: Face, desk: Desk, left: Look, applied: Applied) -> output.Reply:
    head = title(face.settings(), desk)
    count = f"{len(applied.done)} done"
    count += f", {len(applied.settled)} not needed any more" if applied.settled else ""
    count += f", {len(applied.failed)} failed" if applied.failed else ""
    blocks: list[str | output.Table] = [f"{head}  {count}; now {headline(left.plan)}"]
    blocks += plan_lines(left.plan)
    code = Exit.UNKNOWN if applied.is_unknown else None
    if applied.failed and code is None:
        code = Exit.INCOMPLETE
    return _reply(face, desk, left, blocks, applied=applied, exit_code=code)


def _reply(
    face: Face,
    desk: Desk,
    found: Look,
    blocks: list[str | output.Table],
    *,
    moved: Sequence[str] = (),
    applied: Applied | None = None,
    exit_code: Exit | None = None,
) -> output.Reply:
    """The plan as it now stands; one that can be applied gets a token."""
    is_clean = not (found.plan.differing or found.settled)
    kept, token = None, None
    if found.plan.doable:
        kept = keep(desk.trader, found, now=SystemClock().now())
        token = TokenFolder(face.settings().place.folder, PLANS).keep(kept, now=kept.made_at)
        blocks.append(f"Good for 10 minutes: ibkr-trader reconcile --apply {token}")
    data: dict[str, Any] = {
        "account": desk.trader.account,
        "is_clean": is_clean,
        "steps": [step_document(step) for step in found.plan.steps],
        "fine": found.plan.fine,
        "settled": found.settled,
        "moved": moved,
        "sent": bool(applied and (applied.done or applied.failed)),
        "done": applied.done if applied else [],
        "not_needed": applied.settled if applied else [],
        "failed": applied.failed if applied else [],
        "token": token,
        "expires_at": kept.expires_at if kept is not None else None,
    }
    code = exit_code if exit_code is not None else (Exit.DONE if is_clean else Exit.INCOMPLETE)
    return output.Reply(schema="reconcile/1", data=data, blocks=blocks, exit=code)
