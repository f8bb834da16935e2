"""A ticket as it is shown: what is missing is said, and bars say what comes on top."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.output import Table, aligned
from ibkr_trader.cli.ticket_view import Seen, ticket_reply
from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import OrderId, WhatIf
from ibkr_trader.execution.tickets import Answer
from ibkr_trader.risk.check import Unit
from ibkr_trader.risk.headroom import Use
from tests.risk.world import bracket, quote

ENTRY = OrderId("t-1-entry")
NOW = datetime(2026, 11, 20, 15, 1, tzinfo=UTC)


def seen(**changes: Any) -> Seen:
    values: dict[str, Any] = {
        "command": bracket(), "quote": quote(), "answers": (), "uses": (), "warnings": (),
        "denials": (), "notes": (), "calendar": (), "until": NOW, "call": "ibkr-trader commit",
        "token": "7K3M9QX",
    }  # fmt: skip
    return Seen(**(values | changes))


def shown(**changes: Any) -> list[str]:
    reply = ticket_reply(seen(**changes), "SIM SIM0000001  bracket t-1", utc=False)
    text = "".join(
        aligned(block) if isinstance(block, Table) else f"{block}\n" for block in reply.blocks
    )
    return text.splitlines()


def answered(**figures: Any) -> tuple[Answer, ...]:
    return (Answer(ENTRY, WhatIf(**figures)),)


def use(limit: str, before: str | None, after: str, **more: Any) -> Use:
    then = None if before is None else Decimal(before)
    return Use(check="x", limit=Decimal(limit), before=then, after=Decimal(after), **more)


def test_it_ends_with_how_to_send_it() -> None:
    assert shown()[-2:] == [
        "Nothing was sent. This is good for 60 s, until 2026-11-20 10:01:00 EST:",
        "  ibkr-trader commit 7K3M9QX",
    ]


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        (
            {"commission": Decimal(1), "commission_currency": "USD"},
            "Margin –, to – of –; commission 1.00 USD  (t-1-entry, by the broker)",
        ),
        (
            {
                "min_commission": Decimal("0.35"),
                "max_commission": Decimal("2.5"),
                "commission_currency": "EUR",
                "warning": "Mind this.",
            },
            "commission 0.35 to 2.50 EUR  (t-1-entry, by the broker). Mind this.",
        ),
        (
            {
                "initial_margin": Decimal(1500),
                "equity_with_loan": Decimal(10_000),
                "initial_margin_change": Decimal(-750),
            },
            "Margin -750.00, to 1,500.00 of 10,000.00; commission –",
        ),
    ],
)
def test_what_the_broker_says(figures: dict[str, Any], said: str) -> None:
    assert any(said in line for line in shown(answers=answered(**figures)))


def test_a_refusal_by_the_broker_ends_it() -> None:
    refusal = (Answer(ENTRY, code=201, words="Order rejected - reason:no money"),)
    lines = shown(answers=refusal, token="")
    expected = "refused: t-1-entry would be rejected by the broker: 201 no money"
    assert expected in lines
    assert lines[0].endswith("would not be sent")
    assert ticket_reply(seen(answers=refusal, token=""), "", utc=True).exit is Exit.REJECTED
    (document,) = ticket_reply(seen(answers=refusal), "", utc=True).data["what_if"]
    assert document["refused"] == {"code": 201, "reason": "Order rejected - reason:no money"}
    silent = (Answer(ENTRY, code=201, words=""),)
    assert any("201 it gave no reason" in line for line in shown(answers=silent))


def test_silence_is_said_and_ends_nothing() -> None:
    silence = (Answer(ENTRY, words="nobody answers"),)
    said = "note: The broker does not say what t-1-entry would cost: nobody answers"
    assert said in shown(answers=silence)
    assert ticket_reply(seen(answers=silence), "", utc=True).exit is Exit.DONE


def test_a_denial_has_every_reason_and_every_fix_once() -> None:
    denials = (
        Breach(check="a", message="Too much.", hint="less"),
        Breach(check="b", message="Too late.", hint="less"),
        Breach(check="c", message="Too soon."),
    )
    lines = shown(denials=denials, token="")
    assert lines[-5:] == [
        "denied: a: Too much.",
        "denied: b: Too late.",
        "denied: c: Too soon.",
        "  fix: less",
        "Nothing was sent, and there is no ticket.",
    ]
    assert ticket_reply(seen(denials=denials, token=""), "", utc=True).exit is Exit.DENIED


def test_remarks_notes_and_days_are_told() -> None:
    lines = shown(
        warnings=(Breach(check="a", message="Mind it.", hint="do this", is_warning=True),),
        notes=("6 have no target: their stop ends them.",),
        calendar=("A half day: the market closes at 13:00.",),
    )
    assert "note: Mind it. (do this)" in lines
    assert "6 have no target: their stop ends them." in lines
    assert "note: A half day: the market closes at 13:00." in lines


@pytest.mark.parametrize(
    ("one", "row"),
    [
        (use("100", "20", "50"), "x 20 50 100 50 %"),
        (use("100", "50", "20", subject="AAPL"), "x AAPL 50 20 100 20 %"),
        (use("100", None, "250", note="said once"), "x – 250 100 250 %"),
        (use("0", "0", "1"), "x 0 1 0"),
        (use("0.5", "0.1", "0.25", unit=Unit.PERCENT), "x 10 % 25 % 50 % 50 %"),
        (use("1000", "0", "100", unit=Unit.MONEY), "x 0.00 100.00 1,000.00 10 %"),
    ],
)
def test_what_is_used_of_a_limit(one: Use, row: str) -> None:
    lines = shown(uses=(one,))
    at = next(n for n, line in enumerate(lines) if line.startswith("LIMIT"))
    assert lines[at].split() == ["LIMIT", "NOW", "AFTER", "OF", "IN", "USE"]
    assert lines[at + 1].split() == row.split()


def test_limits_that_are_hardly_used_are_only_counted() -> None:
    lines = shown(uses=(use("100", "0", "50"), use("100", "0", "9"), use("100", "0", "1")))
    assert [line for line in lines if line.startswith("x ")] == [
        next(line for line in lines if line.startswith("x "))
    ]
    assert "2 more limits are used by less than 10 %: --json has all" in lines
    assert "1 limit is used" in "\n".join(shown(uses=(use("100", "0", "1"),)))
    every = use("1", "0", "1", subject="a second")  # it is so for every order
    assert not any(line.startswith("x ") for line in shown(uses=(every,)))


def test_units_are_written_as_limits_writes_them() -> None:
    uses = tuple(use("100", "20", "50", unit=unit) for unit in Unit)
    data = ticket_reply(seen(uses=uses), "", utc=True).data
    assert [one["unit"] for one in data["limits"]] == [unit.name.lower() for unit in Unit]


def test_what_a_check_says_twice_is_told_apart() -> None:
    lines = shown(uses=(use("1", "0", "1", note="a second"), use("6", "0", "1", note="a day")))
    assert [line.split("  ")[0] for line in lines if line.startswith("x ")] == [
        "x a second",
        "x a day",
    ]


def test_nobody_knows_the_stakes_without_a_price() -> None:
    assert not any("at best" in line for line in shown(quote=None))
    data = ticket_reply(seen(quote=None), "", utc=True).data
    assert (data["loss"], data["gain"], data["reward_to_risk"], data["price"]) == (None,) * 4
