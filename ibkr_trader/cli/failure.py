"""How an error is told: one line, every reason, and what to do next.

error[risk_denied]: denied by the risk checks; nothing was sent
  position_size: BUY 45 AAPL would make 55 shares; the limit is 50 (you hold 10).
  fix: use --quantity 40 or less
"""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.cli import output, respelling
from ibkr_trader.cli.exits import Exit, UsageFault, classify
from ibkr_trader.cli.help import EXAMPLE
from ibkr_trader.cli.remote import Relayed
from ibkr_trader.core.contracts import ticker
from ibkr_trader.core.errors import (
    AmbiguousContract,
    OrderRejectedError,
    OutcomeUnknown,
    RiskCheckError,
    TraderError,
)
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.text import broker_words, plain
from ibkr_trader.risk.wording import tightest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROGRAM = "ibkr-trader"
_FLAGS = frozenset(
    {"--json", "--utc", "--dry-run", "--yes", "--all", "--outside-rth", "--preview"}
).union({"--no-stop"})
_REJECTED = 201  # most often a matter of margin


class Failure(msgspec.Struct, kw_only=True):
    """An error as the `error` of the JSON document has it."""

    code: str
    message: str
    exit_code: int
    reasons: list[dict[str, Any]] = []
    hint: str = ""
    other_hints: list[str] = []
    order_ids: list[str] = []
    broker_code: int | None = None


def report(error: Exception, arguments: Sequence[str]) -> int:
    """Show `error` as this command line asks for, and return its exit code."""
    if type(error).__name__ == "NoArgsIsHelpError":
        output.print_text(str(error))
        return Exit.DONE
    if isinstance(error, Relayed):  # described already, where it happened
        failure = msgspec.json.decode(error.failure, type=Failure)
    else:
        failure = describe(error, arguments)
    return show(failure, json="--json" in arguments)


def show(failure: Failure, *, json: bool) -> int:
    """Show `failure` to a script or to people, and return its exit code."""
    if json:
        document = msgspec.to_builtins(failure, enc_hook=str)
        output.print_json("error/1", {"error": {k: v for k, v in document.items() if v}}, ok=False)
    else:
        _print(failure)
    return failure.exit_code


def describe(error: Exception, arguments: Sequence[str]) -> Failure:
    """Return what there is to say of `error`."""
    if hasattr(error, "format_message"):  # one of Typer's: the command line does not parse
        return _usage(error, arguments)
    code, number = classify(error)
    if number is Exit.BUG or not isinstance(error, TraderError):
        return _bug(error, arguments)
    failure = Failure(code=code, message=error.message, exit_code=number, hint=error.hint)
    match error:
        case UsageFault(option=str(option)) if error.better:
            failure.hint = corrected(arguments, option, typed=error.typed, better=error.better)
        case UsageFault() if error.remedies:
            ways = [amended(arguments, changes) for changes in error.remedies]
            failure.hint, *failure.other_hints = ways
        case UsageFault() if not error.hint:
            failure.hint = f"{PROGRAM} {_command(arguments)} --help".replace("  ", " ")
        case RiskCheckError():
            failure.message = "denied by our risk checks; nothing was sent"
            failure.reasons = [
                {key: value for key, value in msgspec.structs.asdict(breach).items() if value}
                for breach in error.breaches
            ] or [{"check": "risk", "message": error.message}]
            hints = tightest([breach.hint for breach in error.breaches]) or [error.hint]
            failure.hint, *failure.other_hints = hints
        case AmbiguousContract():
            failure.hint = _how_to_name(error)
        case OrderRejectedError():
            words = broker_words(error.reason) or "it gave no reason"
            said = error.message.replace(error.reason, words) if error.reason else error.message
            failure.message = f"{said} (code {error.code})" if error.code else said
            failure.hint = _after_rejection(error)
            failure.broker_code = error.code
            failure.order_ids = [error.order_id]
        case OutcomeUnknown():
            failure.order_ids = list(error.order_ids)
        case _:
            pass
    return failure


def corrected(arguments: Sequence[str], option: str, *, typed: str, better: str) -> str:
    """Return the command line with `better` in the place of what was typed."""
    words = list(arguments)
    for index, word in enumerate(words):
        if word == option and words[index + 1 : index + 2] == [typed]:
            words[index + 1] = better
            break
        if word == f"{option}={typed}":
            words[index] = f"{option}={better}"
            break
    else:
        for index, word in enumerate(words):
            before = words[index - 1] if index else ""
            if word == typed and (not before.startswith("--") or before in _FLAGS):
                words[index] = better
                break
    return shlex.join([PROGRAM, *words])


def amended(arguments: Sequence[str], changes: Mapping[str, str]) -> str:
    """Return the command line with these options at these values, whether given or not.

    An option without a value is one to leave out.
    """
    words = [word for word in arguments if changes.get(word) != ""]
    for option, value in changes.items():
        if not value:
            continue
        for index, word in enumerate(words):
            if word == option and index + 1 < len(words):
                words[index + 1] = value
                break
            if word.startswith(f"{option}="):
                words[index] = f"{option}={value}"
                break
        else:
            words += [option, value]
    return shlex.join([PROGRAM, *words])


def _command(arguments: Sequence[str]) -> str:
    return next((word for word in arguments if not word.startswith("-")), "")


def _how_to_name(error: AmbiguousContract) -> str:
    names = list(dict.fromkeys(ticker(one) for one in error.candidates))
    if len(names) > 1:
        return f"name one of them: {', '.join(names)}"
    if names:
        return "only TWS can tell these listings apart: trade it there"
    return (
        "write the ticker as the exchange does (AAPL, BRK.B), or the option's OCC symbol "
        "(AAPL240119C00150000)"
    )


def _after_rejection(error: OrderRejectedError) -> str:
    from ibkr_trader.adapters.ibkr.error_codes import rule_for  # noqa: PLC0415 - only here

    known = rule_for(error.code).hint
    shown = "ibkr-trader orders shows what works"
    if error.code == _REJECTED:
        shown = f"ibkr-trader account shows the margin, {shown.removeprefix('ibkr-trader ')}"
    if error.standing:
        stands = ", ".join(short_id(order_id) for order_id in error.standing)
        return f"never order it again as it was: {stands} went out with it and stands; {shown}"
    return f"{known}; {shown}" if known else f"mend what it says and order again; {shown}"


def _usage(error: Any, arguments: Sequence[str]) -> Failure:
    context = getattr(error, "ctx", None)
    respelt: list[str] = []
    if context is not None and hasattr(error, "possibilities"):
        respelt = respelling.respelt(arguments, context)
        guess = respelling.near(error.option_name, context) if respelt else ""
        error.possibilities = [guess] if guess else []  # Typer's own guess may be `--yes`
    message = str(error.format_message()).strip().replace("\n", " ")
    hint = f"{context.command_path if context else f'{PROGRAM} {_command(arguments)}'} --help"
    if respelt:
        hint = shlex.join([PROGRAM, *respelt])
    elif (epilog := getattr(getattr(context, "command", None), "epilog", "") or "").startswith(
        EXAMPLE
    ):
        hint = epilog.removeprefix(EXAMPLE).strip()
    return Failure(code="usage", message=message, exit_code=Exit.USAGE, hint=hint)


def _bug(error: Exception, arguments: Sequence[str]) -> Failure:
    where = _log(error, arguments)
    name = type(error).__name__
    return Failure(
        code="bug",
        message=f"this is a fault of ibkr-trader ({name}); {where}",
        exit_code=Exit.BUG,
        hint="ibkr-trader orders shows what is at the broker",
    )


def _log(error: Exception, arguments: Sequence[str]) -> str:
    """Write the traceback to the log and say where it is."""
    import logging  # noqa: PLC0415 - only bugs need it here

    from ibkr_trader import config  # noqa: PLC0415 - as above
    from ibkr_trader.adapters.private_files import private_folder  # noqa: PLC0415 - as above
    from ibkr_trader.cli import logs  # noqa: PLC0415 - as above

    flags = {"profile": _given(arguments, "--profile"), "data_dir": _given(arguments, "--data-dir")}
    try:
        path = logs.current() or logs.start(private_folder(config.locate(flags).folder))
    except (OSError, TraderError) as trouble:
        return f"its traceback could not be logged: {trouble}"
    logging.getLogger(__name__).error("unforeseen", exc_info=error)
    return f"its traceback is in {path}"


def _given(arguments: Sequence[str], option: str) -> str | None:
    for index, word in enumerate(arguments):
        if word == option:
            return next(iter(arguments[index + 1 :]), None)
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return None


def _print(failure: Failure) -> None:
    label = f"error[{failure.code}]:"
    lines = [f"{label} {plain(failure.message)}"]
    for reason in failure.reasons:  # their figures are for scripts; the sentence has them
        text = f"{reason.get('check', '')}: {reason.get('message', '')}"
        lines.append(f"  {plain(text)}")
    hints = [failure.hint, *failure.other_hints]
    lines += [f"  fix: {plain(hint, limit=2_000)}" for hint in dict.fromkeys(hints) if hint]
    text = "\n".join(output.on_screen(line, sys.stderr) for line in lines)
    if sys.stderr.isatty() and "NO_COLOR" not in os.environ:
        text = text.replace(label, f"\x1b[1;31m{label}\x1b[0m", 1)
    sys.stderr.write(text + "\n")
