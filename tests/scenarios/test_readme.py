"""What the pages show is what happens: every transcript is run, in a home folder of its own."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.run_transcripts import PAGES, ROOT, Sitting, shape, steps
from tests.cli.conftest import CommandLine
from tests.cli.families.test_recover import SMALL, lost
from tests.processes import warm
from tests.scenarios.traders import running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def sitting(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sitting]:
    tools = warm.shim(tmp_path_factory.mktemp("tools"))
    found = Sitting(tmp_path, start=warm.run, tools=tools)
    yield found
    found.end()


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CommandLine]:
    line = CommandLine(tmp_path)
    yield line
    line.stop_gateway()


@pytest.mark.parametrize("page", PAGES)
def test_a_transcript_is_what_happens(page: str, sitting: Sitting) -> None:
    shown = list(steps((ROOT / page).read_text(encoding="utf-8")))
    assert shown
    for step in shown:
        sitting.pass_time()
        output = sitting.run(step.command)
        assert shape(output) == shape(step.output), f"$ {step.command}\n{output}\nrun: make docs"


def test_a_changed_word_is_found_and_a_changed_figure_is_not() -> None:
    then = "AAPL  k7qav-1-stop  150.01  –  2026-11-20 10:00:00 EST  FILLED"
    now = "AAPL  abcde-12-stop    1,150.00  -0.10  2027-01-02 11:22:33 EDT  FILLED"
    assert shape(then) == shape(now)
    assert shape(then) != shape(now.replace("FILLED", "SUBMITTED"))
    assert shape(then) != shape(f"{now}\nand a line more")


def test_the_program_in_the_readme_runs(sitting: Sitting) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    program = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[0]
    (sitting.home / "program.py").write_text(program)
    output = sitting.run(f"{shlex.quote(sys.executable)} program.py")
    assert re.fullmatch(r"\w{5}-1-single SUBMITTED", output), output


STRATEGY = ROOT / "examples/strategies/prediction.toml"
BARS = """time,open,high,low,close,volume
2026-11-20 09:30,150,151,149,150.5,1000
2026-11-20 09:31,150.5,151,150,150.75,1000
"""

# A command line for each row of the table of documents, in an order in which all of them work.
DOCUMENTED = {
    "bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --take-profit 155": "placed/1",
    "modify 1-stop --stop 146": "modified/1",
    "trail 1-stop --trail-percent 4": "trail/1",
    "scale-in AAPL --quantity 2": "scaled/1",
    "orders": "orders/1",
    "positions": "positions/1",
    "fills": "fills/1",
    "account": "account/1",
    "quote AAPL": "quotes/1",
    "status": "status/1",
    "order --symbol MSFT --side buy --no-stop"
    " --quantity 1 --type limit --limit 400 --dry-run": "preview/1",
    "bracket-order --symbol AAPL --quantity 1 --stop-loss 140 --preview": "ticket/1",
    "set-symbol-limit --symbol AAPL --max-position 50": "symbol-limit/1",
    "limits": "limits/1",
    "limits --restore": "limits-restore/1",
    "update-correlations --symbols AAPL,MSFT": "correlations/1",
    "correlations": "correlations/1",
    "correlations AAPL": "correlations/1",
    "heat": "heat/1",
    "audit verify": "audit/1",
    "audit tail -n 1": "record/1",
    "audit export bundle.tar.gz": "bundle/1",
    "audit verify bundle.tar.gz": "bundle-check/1",
    "audit replay": "replay/1",
    "audit rotate": "rotated/1",
    "drill --list": "drill-list/1",
    "drill both-oco-fill": "drill/1",
    "halt --reason enough": "halted/1",
    "alarms": "alarms/1",
    "ack --all": "acknowledged/1",
    "notify test": "notify-test/1",
    "resume --reason enough --yes": "resumed/1",
    "disarm": "arming/1",
    "arm": "arming/1",
    "cancel 1-target": "cancelled/1",
    "cover": "cover/1",
    "reconcile": "reconcile/1",
    "release AAPL": "released/1",
    "adopt AAPL --stop 5%": "adopted/1",
    "reset-account --dry-run": "reset/1",
    "undo": "undo/1",
    "close AAPL": "closed/1",
    "eod-close": "day-end/1",
    "report": "report/1",
    "why": "why/1",
    f"strategy check {STRATEGY}": "strategy/1",
    f"strategy check {STRATEGY} --bars AAPL.csv": "strategy-rehearsal/1",
    "doctor": "doctor/1",
    "config show": "config/1",
    "gateway status": "gateway/1",
    "gateway inject look": "gateway-inject/1",
    "gateway stop": "gateway/1",
    "gateway reset --yes": "gateway-reset/1",
    "demo": "demo/1",
    "cancel nothing": "error/1",
}
# Those that ask a trader which runs this strategy, and an edited one in the shadow.
DOCUMENTED_OF_A_TRADER = {
    "signal send --symbol AAPL --action buy --confidence 0.91": "signal/1",
    "strategy list": "strategies/1",
    "strategy compare prediction": "strategy-parity/1",
    "strategy promote prediction --anyway --yes": "strategy-moved/1",
    "strategy rollback prediction --yes": "strategy-moved/1",
}
# Those that only a lost journal leads to; the number is the broker's.
DOCUMENTED_OF_A_LOST_JOURNAL = {"adopt AAPL --order {}": "taken_over/1"}


def promised() -> list[tuple[str, set[str]]]:
    """Each row of the table: its document's schema, and the fields it promises."""
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| `([\w-]+/\d)` \| ([^|]+) \|$", text, re.MULTILINE)
    return [(schema, set(re.findall(r"`(\w+)`", fields))) for schema, fields in rows]


def assert_documents(cli: CommandLine, commands: dict[str, str]) -> None:
    table = promised()
    for command, schema in commands.items():
        document = cli(f"{command} --json").document
        assert document["schema"] == f"ibkr-trader/{schema}", (command, document)
        fields = set(document) - {"schema", "ok"}
        assert (schema, fields) in table, f"{command}: {sorted(fields)}"


def test_every_row_of_the_table_is_asked_for() -> None:
    asked = {*DOCUMENTED.values(), *DOCUMENTED_OF_A_TRADER.values()}
    asked |= {*DOCUMENTED_OF_A_LOST_JOURNAL.values()}
    assert {schema for schema, _ in promised()} == asked


def test_every_json_document_has_the_fields_that_the_table_promises(cli: CommandLine) -> None:
    (cli.folder / "AAPL.csv").write_text(BARS)
    with (cli.folder / "config.toml").open("a") as file:
        file.write('[notify]\nurls_env = ["DESK_NOTIFY_URL"]\n')
    cli.env["DESK_NOTIFY_URL"] = "json://127.0.0.1:9/nobody"
    assert_documents(cli, DOCUMENTED)


def test_every_document_of_a_running_trader_has_its_fields(cli: CommandLine) -> None:
    edited = cli.folder / "edited.toml"
    edited.write_text(STRATEGY.read_text().replace("0.85", "0.95"))
    with running(cli, "--strategy", str(STRATEGY), "--shadow", str(edited)):
        assert_documents(cli, DOCUMENTED_OF_A_TRADER)


def test_the_documents_of_a_lost_journal_have_their_fields(cli: CommandLine) -> None:
    number = lost(cli, SMALL)["single"].removeprefix("lost-foreign-")
    known = {one.format(number): schema for one, schema in DOCUMENTED_OF_A_LOST_JOURNAL.items()}
    assert_documents(cli, known)


def test_the_order_in_the_page_has_the_fields_of_an_order(cli: CommandLine) -> None:
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    bodies = re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    shown = next(document for body in bodies if "schema" not in (document := json.loads(body)))
    placed = "order --symbol AAPL --side buy --no-stop --quantity 1 --type limit --limit 140 --json"
    (real,) = cli(placed).document["orders"]
    assert list(shown) == list(real)
