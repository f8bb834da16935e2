"""`gateway inject`: what people type becomes an act, and the gateway's answer a reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.output import Reply
from ibkr_trader.core.errors import BrokerUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SCHEMA = "gateway-inject/1"
_COMMAND = "ibkr-trader gateway inject"


def inject(folder: Path, words: Sequence[str]) -> Reply:
    """Have the gateway of `folder` do what `words` say; without any, show what there is.

    Raises:
        UsageFault: The words make no act, or the gateway cannot do it.
        BrokerUnavailable: It is not running.
    """
    from ibkr_trader.sim.gateway import door  # noqa: PLC0415 - only this command needs it
    from ibkr_trader.sim.gateway.act_words import FORMS, read_act  # noqa: PLC0415 - as above
    from ibkr_trader.sim.gateway.background import GatewayError  # noqa: PLC0415 - as above
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
    try:
        answer = door.inject(folder, act)
    except GatewayError as error:
        raise BrokerUnavailable(str(error), hint="ibkr-trader gateway start") from error
    if not answer.ok:
        raise UsageFault(answer.text, hint=answer.hint or _COMMAND)
    return Reply(
        schema=_SCHEMA,
        data={"text": answer.text, "result": answer.data},
        blocks=[*answer.text.splitlines()],
    )
