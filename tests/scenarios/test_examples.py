"""The example programs run as they stand, as processes, at a simulator of their own."""

from __future__ import annotations

import asyncio
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.run_transcripts import ROOT, Sitting
from ibkr_trader.adapters.settings import read_settings
from ibkr_trader.adapters.signals.flow_settings import ApiSettings
from ibkr_trader.adapters.signals.options_flow import OptionsFlowMonitor
from ibkr_trader.adapters.signals.redis_settings import RedisSettings
from ibkr_trader.config.lease_table import LeaseTable
from ibkr_trader.core.enums import Outcome
from ibkr_trader.core.signals import Claim, FlowClaim, Incoming, SignalReply
from ibkr_trader.execution.tasks import alongside
from tests.processes import warm

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
EXAMPLES = ROOT / "examples"
BRACKET = EXAMPLES / "submit_bracket.py"


@pytest.fixture
def sitting(tmp_path: Path) -> Iterator[Sitting]:
    found = Sitting(tmp_path)
    yield found
    found.end()


def run(sitting: Sitting, program: Path) -> str:
    command = f"{shlex.quote(sys.executable)} -W error::ResourceWarning {shlex.quote(str(program))}"
    return sitting.run(f'{command}; echo "exit code $?"')


def test_the_bracket_fills_and_a_repeat_is_denied(sitting: Sitting) -> None:
    first = run(sitting, BRACKET)
    assert re.search(r"^  \w{5}-1-entry: BUY 10 @ 150\.\d\d$", first, re.MULTILINE), first
    assert re.search(r"^  \w{5}-1-stop: PRESUBMITTED$", first, re.MULTILINE), first
    assert first.endswith("we hold 10 AAPL\nexit code 0"), first

    again = run(sitting, BRACKET)
    assert "denied, nothing was sent: BUY 10 AAPL repeats order" in again
    assert again.endswith("we hold 10 AAPL\nexit code 0"), again


def test_its_own_risk_check_is_asked(sitting: Sitting, tmp_path: Path) -> None:
    larger = tmp_path / "larger.py"
    larger.write_text(BRACKET.read_text().replace("Decimal(10)", "Decimal(60)"))
    output = run(sitting, larger)
    assert "Your own check refuses BUY 60 AAPL" in output
    assert output.endswith("exit code 0")
    assert "we hold" not in output


def test_a_position_is_entered_added_to_and_closed(sitting: Sitting) -> None:
    output = run(sitting, EXAMPLES / "linked_position.py")
    assert output.splitlines()[-6:] == [
        "enter:  entry 10 FILLED, target 10 SUBMITTED, stop 10 PRESUBMITTED",
        "add:    entry 5 FILLED, target 15 SUBMITTED, stop 15 PRESUBMITTED",
        "  15 of 15 are covered; stop 145, target 155",
        "close:  target 15 CANCELLED, stop 15 CANCELLED, close 15 FILLED",
        "held:   []",
        "exit code 0",
    ]


def test_cron_is_quiet_while_all_is_well_and_tells_all_when_it_is_not(sitting: Sitting) -> None:
    text = (EXAMPLES / "crontab").read_text(encoding="utf-8")
    jobs = re.findall(r"^\*/\d+ \* \* \* \*  (.+)$", text, re.MULTILINE)
    ends, watches = (job.replace("--profile paper", "--profile sim") for job in jobs)
    assert sitting.run(f"{ends}; {watches}") == ""
    sitting.run("ibkr-trader order --symbol AAPL --side buy --no-stop --quantity 1 --wait filled")
    assert sitting.run(ends) == ""
    assert "AAPL: no working stop for 1 of it" in sitting.run(watches)


def test_the_prediction_server_serves_what_the_monitor_reads() -> None:
    program = [sys.executable, str(EXAMPLES / "prediction_server.py"), "--port", "0"]
    with warm.Popen(
        [*program, "--scenario", "day", "--dated"], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://[\d.:]+", server.stdout.readline())
            assert found is not None
            taken = asyncio.run(four_signals(found[0]))
        finally:
            server.send_signal(signal.SIGINT)
    assert server.returncode == 0
    assert sorted(taken) == [
        ("BUY", "0.82", "187.32"), ("SELL", "0.91", "188.5"), ("divergence", "0.34", "0.30"),
        ("trades", "1400000", "1000000"),
    ]  # fmt: skip


async def four_signals(url: str) -> list[tuple[str, str, str]]:
    """Poll as fast as the server answers, until four signals have come."""
    values = {
        "url": url, "tickers": ["AAPL"], "trades": {"threshold": 1_000_000},
        "divergence": {"threshold": "0.30"},
    }  # fmt: skip
    settings = read_settings(values, ApiSettings, path="signals.api")
    source = OptionsFlowMonitor(settings, sleep=lambda _: asyncio.sleep(0))
    taken: list[tuple[str, str, str]] = []
    enough = asyncio.Event()

    async def take(one: Incoming) -> SignalReply:
        if isinstance(one, Claim):
            assert one.issued_at is not None
            taken.append((one.action, str(one.confidence), str(one.price)))
        elif isinstance(one, FlowClaim):
            taken.append((one.measure, str(one.value), str(one.threshold)))
        if len(taken) == 4:
            enough.set()
        return SignalReply(outcome=Outcome.NOTHING)

    async with asyncio.timeout(60), alongside(source.run(take)):
        await enough.wait()
    return taken


def test_every_example_is_in_the_index() -> None:
    index = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in EXAMPLES.iterdir() if path.is_file()} - {"README.md"}
    assert files
    assert all(f"]({name})" in index for name in files)


def test_the_redis_that_compose_starts_is_the_one_that_the_settings_ask_for() -> None:
    text = (EXAMPLES / "compose.yaml").read_text(encoding="utf-8")
    (told,) = set(re.findall(r'url = "([^"]+)"', text))
    assert told == LeaseTable().url == RedisSettings().url
    (port,) = re.findall(r'ports: \["([^"]+)"\]', text)
    assert port == "127.0.0.1:6379:6379"  # nobody but this machine, where the settings look
    assert re.search(r"image: redis:\d", text)
