"""An error is told in one form or the other, whole, and never as a traceback."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from ibkr_trader.cli import failure, logs
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.core.enums import SecType
from ibkr_trader.core.errors import (
    AmbiguousContract,
    ConfigError,
    OrderRejectedError,
    OutcomeUnknown,
    RiskCheckError,
)
from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import Contract, OrderId


@pytest.fixture(autouse=True)
def _log_closed() -> Iterator[None]:
    level = logging.getLogger().level
    yield
    logs.stop()
    logging.getLogger().setLevel(level)


BREACHES = (
    Breach(
        check="position_size",
        message="BUY 45 AAPL would make 55 shares",
        limit="50",
        actual="55",
        headroom="40",
        hint="use --quantity 40 or less",
    ),
    Breach(check="price_collar", message="too far from the market"),
)


def test_every_reason_of_a_denial_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert failure.report(RiskCheckError("x", breaches=BREACHES), []) == 6
    assert capsys.readouterr().err == (
        "error[risk_denied]: denied by our risk checks; nothing was sent\n"
        "  position_size: BUY 45 AAPL would make 55 shares\n"
        "  price_collar: too far from the market\n"
        "  fix: use --quantity 40 or less\n"
    )


def test_the_envelope_of_a_denial(capsys: pytest.CaptureFixture[str]) -> None:
    assert failure.report(RiskCheckError("x", breaches=BREACHES), ["order", "--json"]) == 6
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert shown.err == ""
    assert document["ok"] is False
    assert document["schema"] == "ibkr-trader/error/1"
    assert document["error"]["code"] == "risk_denied"
    assert document["error"]["exit_code"] == 6
    assert document["error"]["reasons"][0] == {
        "check": "position_size",
        "message": "BUY 45 AAPL would make 55 shares",
        "limit": "50",
        "actual": "55",
        "headroom": "40",
        "hint": "use --quantity 40 or less",
    }
    assert len(document["error"]["reasons"]) == 2


def test_of_several_sizes_that_would_fit_the_smallest_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sizes = [Breach(check="x", message="x", hint=f"use --quantity {n} or less") for n in (100, 66)]
    error = RiskCheckError("x", breaches=(*sizes, Breach(check="y", message="y", hint="wait 3 s")))
    described = failure.describe(error, [])
    assert described.hint == "use --quantity 66 or less"
    assert described.other_hints == ["wait 3 s"]
    assert described.reasons[0]["hint"] == "use --quantity 100 or less"
    failure.report(error, [])
    assert capsys.readouterr().err.count("fix: use --quantity") == 1


def test_a_denial_without_breaches_still_has_its_reason() -> None:
    described = failure.describe(RiskCheckError("my own check"), [])
    assert described.reasons == [{"check": "risk", "message": "my own check"}]


@pytest.mark.parametrize(
    ("code", "reason", "message", "hint"),
    [
        (
            201,
            "Order rejected - reason:YOUR ORDER IS NOT ACCEPTED",
            "a-1-entry was rejected by the broker: YOUR ORDER IS NOT ACCEPTED (code 201)",
            "ibkr-trader account",
        ),
        (
            382,
            "Size exceeds the limit",
            "a-1-entry was rejected by the broker: Size exceeds the limit (code 382)",
            "precautionary settings",
        ),
        (
            0,
            "Order rejected - reason:",
            "a-1-entry was rejected by the broker: it gave no reason",
            "ibkr-trader orders",
        ),
    ],
)
def test_a_rejection_has_the_brokers_code_its_words_once_and_a_next_step(
    code: int, reason: str, message: str, hint: str
) -> None:
    error = OrderRejectedError(
        f"a-1-entry was rejected by the broker: {reason}",
        order_id=OrderId("a-1-entry"),
        code=code,
        reason=reason,
    )
    described = failure.describe(error, [])
    assert (described.broker_code, described.order_ids) == (code, ["a-1-entry"])
    assert described.exit_code == 5
    assert described.message == message
    assert hint in described.hint


def test_a_refusal_beside_which_an_entry_stands_never_says_to_order_again() -> None:
    error = OrderRejectedError(
        "a-1-stop was rejected by the broker: no",
        order_id=OrderId("a-1-stop"),
        code=10006,
        reason="no",
        standing=(OrderId("a-1-entry"),),
    )
    hint = failure.describe(error, []).hint
    assert hint.startswith("never order it again as it was: a-1-entry went out with it and stands;")
    assert "mend" not in hint


def option(strike: int) -> Contract:
    return Contract(
        symbol="AAPL", sec_type=SecType.OPTION, expiry="20240119", strike=Decimal(strike), right="C"
    )


@pytest.mark.parametrize(
    ("candidates", "hint"),
    [
        ((), "the option's OCC symbol"),
        ((option(150), option(155)), "name one of them: AAPL240119C00150000, AAPL240119C00155000"),
        ((Contract(symbol="A", con_id=1), Contract(symbol="A", con_id=2)), "only TWS can tell"),
    ],
)
def test_a_symbol_that_names_several_says_how_to_choose(
    candidates: tuple[Contract, ...], hint: str
) -> None:
    described = failure.describe(AmbiguousContract("x", candidates=candidates), [])
    assert hint in described.hint


def test_an_unknown_outcome_names_the_orders() -> None:
    error = OutcomeUnknown("maybe", order_ids=(OrderId("a-1-entry"),))
    described = failure.describe(error, [])
    assert (described.exit_code, described.order_ids) == (10, ["a-1-entry"])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["order", "--quantity", "1.5", "--side", "buy"], "order --quantity 1 --side buy"),
        (["order", "--quantity=1.5"], "order --quantity=1"),
        (["order", "--stop", "1.5", "--quantity", "1.5"], "order --stop 1.5 --quantity 1"),
        (["quote", "1.5"], "quote 1"),
        (["modify", "--json", "1.5", "--limit", "1.5"], "modify --json 1 --limit 1.5"),
        (["modify", "--limit", "1.5", "1.5"], "modify --limit 1.5 1"),
    ],
)
def test_the_corrected_command_is_whole(words: list[str], expected: str) -> None:
    fault = UsageFault("x", option="--quantity", typed="1.5", better="1")
    assert failure.describe(fault, words).hint == f"ibkr-trader {expected}"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["halt", "--a", "--b"], {"halt --b", "halt --a"}),
        (["halt", "--b", "--reason", "x", "--a"], {"halt --b --reason x", "halt --reason x --a"}),
    ],
)
def test_of_options_that_exclude_each_other_one_is_left_out(
    words: list[str], expected: set[str]
) -> None:
    fault = UsageFault("x", remedies=({"--a": ""}, {"--b": ""}))
    described = failure.describe(fault, words)
    assert {described.hint, *described.other_hints} == {f"ibkr-trader {one}" for one in expected}


def test_a_fault_that_nothing_mends_points_at_the_help() -> None:
    described = failure.describe(UsageFault("a LIMIT order needs a limit price"), ["order", "x"])
    assert described.hint == "ibkr-trader order --help"
    assert failure.describe(UsageFault("x"), []).hint == "ibkr-trader --help"


def test_words_are_quoted_for_the_shell() -> None:
    fault = UsageFault("x", option="--quantity", typed="x", better="1")
    hint = failure.describe(fault, ["order", "--symbol", "BRK B; rm", "--quantity", "x"]).hint
    assert hint == "ibkr-trader order --symbol 'BRK B; rm' --quantity 1"


def test_a_message_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    failure.report(ConfigError("bad \x1b[2J file", hint="\x1b]0;x\x07"), [])
    assert "\x1b" not in capsys.readouterr().err


def test_a_bug_is_one_line_and_its_traceback_is_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def burst() -> None:
        raise KeyError("account U1234567, password=hunter2")

    with pytest.raises(KeyError) as caught:
        burst()
    assert failure.report(caught.value, ["orders", "--data-dir", str(tmp_path)]) == 1
    shown = capsys.readouterr().err
    path = tmp_path / "sim" / "ibkr-trader.log"
    assert (
        f"error[bug]: this is a fault of ibkr-trader (KeyError); its traceback is in {path}"
        in shown
    )
    assert "Traceback" not in shown
    line = json.loads(path.read_text())
    assert "in burst" in line["traceback"]
    assert "U***567" in line["traceback"]
    assert "hunter2" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_bug_without_a_place_for_its_log_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert failure.report(KeyError("x"), ["orders", "--data-dir=/proc/nowhere"]) == 1
    assert "could not be logged" in capsys.readouterr().err
