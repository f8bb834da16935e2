"""`gateway inject`: what people type becomes an act, and the gateway's answer a reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.output import Reply
from ibkr_trader.core.errors import BrokerUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ibkr_trader.sim.gateway.acts import Act, Script

_SCHEMA = "gateway-inject/1"
_COMMAND = "ibkr-trader gateway inject"


def inject(folder: Path, words: Sequence[str]) -> Reply:
    """Have the gateway of `folder` do what `words` say; without any, show what there is.

    Raises:
        UsageFault: The words make no act, or the gateway cannot do it.
        BrokerUnavailable: It is not running, or does not answer.
    """
    from ibkr_trader.sim.gateway.act_words import (  # noqa: PLC0415 - only this command needs it
        FORMS,
        read_act,
    )
    from ibkr_trader.sim.gateway.trigger_words import TRIGGERS  # noqa: PLC0415 - as above
    from ibkr_trader.sim.gateway.words import BadWords  # noqa: PLC0415 - as above

    if not words:
        forms = [{"form": form.text, "what": form.what} for form in FORMS.values()]
        triggers = [{"form": text, "what": what} for text, what in TRIGGERS]
        lines = [line for one in forms for line in (one["form"], f"    {one['what']}")]
        lines.append("Any of them can wait:")
        lines += [line for one in triggers for line in (one["form"], f"    {one['what']}")]
        heading = f"{_COMMAND} ACT"
        data = {"text": heading, "result": {"forms": forms, "triggers": triggers}}
        return Reply(schema=_SCHEMA, data=data, blocks=[heading, *lines])
    try:
        act = read_act(words)
    except BadWords as error:
        hint = f"{_COMMAND} {error.form}".rstrip()
        raise UsageFault(str(error), hint=hint) from error
    return _done(folder, act)


def inject_script(folder: Path, path: Path) -> Reply:
    """Have the gateway of `folder` do what a file says, line by line.

    Raises:
        UsageFault: A line makes no act, or cannot be done; it is named.
        BrokerUnavailable: The gateway is not running.
    """
    return _done(folder, script_at(path))


def script_at(path: Path) -> Script:
    """Return what a file says.

    Raises:
        UsageFault: It cannot be read, or a line makes no act; it is named.
    """
    from ibkr_trader.sim.gateway.scripts import BadScript, read_script  # noqa: PLC0415 - as above

    try:
        return read_script(path)
    except BadScript as error:
        hint = f"the form is: {error.form}" if error.form else _COMMAND
        raise UsageFault(str(error), hint=hint) from error


def _done(folder: Path, act: Act) -> Reply:
    from ibkr_trader.sim.gateway import door  # noqa: PLC0415 - only this command needs it
    from ibkr_trader.sim.gateway.background import GatewayError  # noqa: PLC0415 - as above

    try:
        answer = door.inject(folder, act)
    except GatewayError as error:
        hint = error.hint or "ibkr-trader gateway start"
        raise BrokerUnavailable(str(error), hint=hint) from error
    if not answer.ok:
        raise UsageFault(answer.text, hint=answer.hint or _COMMAND)
    return Reply(
        schema=_SCHEMA,
        data={"text": answer.text, "result": answer.data},
        blocks=[*answer.text.splitlines()],
    )
