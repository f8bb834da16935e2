"""The outermost edge: versions, help, usage, signals, broken pipes, start-up."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ibkr_trader import __version__
from ibkr_trader.cli.entry import build, run
from tests.cli.conftest import CommandLine, Shell
from tests.house.sources import ROOT

COMMANDS = {
    "bracket-order", "order", "modify", "cancel", "close",
    "orders", "positions", "fills", "account", "quote", "status",
    "run", "gateway", "config", "doctor", "demo",
}  # fmt: skip


@pytest.mark.parametrize("flag", ["--version", "-V", "--json --version"])
def test_the_version_is_told(shell: Shell, flag: str) -> None:
    assert shell(flag) == (0, f"ibkr-trader {__version__}\n", "")


@pytest.mark.parametrize("line", ["", "--help", "-h"])
def test_help_lists_every_command_in_panels(cli: CommandLine, line: str) -> None:
    code, out, err = cli(line)
    assert (code, err) == (0, "")
    assert out.count("Usage:") == 1
    for name in COMMANDS | {"Orders", "Look", "Run", "Simulate", "Set up", "Common options"}:
        assert f"\n  {name} " in out or f"\n{name}\n" in out, name


def leaves(command: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    below = getattr(command, "commands", {})
    return [leaf for name, one in below.items() for leaf in leaves(one, (*path, name))] or [path]


@pytest.mark.parametrize("path", leaves(build()), ids=" ".join)
def test_every_command_has_a_help_with_an_example(path: tuple[str, ...]) -> None:
    command = build()
    context = command.make_context("ibkr-trader", [], resilient_parsing=True)
    for name in path:
        command = command.commands[name]
        context = type(context)(command, info_name=name, parent=context)
    text = command.get_help(context)
    assert f"Example:  ibkr-trader {' '.join(path)}" in text
    assert {"--json", "--profile", "--data-dir", "--utc"} <= set(text.split())


@pytest.mark.parametrize(
    ("line", "said", "fix"),
    [
        ("nonsense", "No such command", "ibkr-trader --help"),
        ("orderz", "orders", "ibkr-trader --help"),
        ("orders --bogus", "No such option", "ibkr-trader orders"),
        ("orders --symbl AAPL", "--symbol", "ibkr-trader orders --symbol AAPL"),
        ("orders --symbl=AAPL", "--symbol", "ibkr-trader orders --symbol=AAPL"),
        (
            "order --symbl AAPL --sid buy --quantiy 5",
            "--symbol",
            "ibkr-trader order --symbol AAPL --side buy --quantity 5",
        ),
        ("demo --profile paper", "a simulator and a data folder of its own", "ibkr-trader demo"),
        ("demo --data-dir x", "takes no --data-dir", "ibkr-trader demo"),
        ("order --symbol AAPL --side buy", "--quantity", "ibkr-trader order --symbol AAPL"),
        ("order --symbol", "--symbol", "ibkr-trader order"),
        ("quote", "SYMBOL", "ibkr-trader quote AAPL MSFT"),
        ("gateway frobnicate", "No such command", "ibkr-trader gateway --help"),
        ("config show extra", "unexpected", "ibkr-trader config show"),
    ],
)
def test_usage_errors_end_with_2_and_a_command_that_works(
    cli: CommandLine, line: str, said: str, fix: str
) -> None:
    code, out, err = cli(line)
    assert (code, out) == (2, "")
    assert err.startswith("error[usage]:")
    assert said in err
    assert f"fix: {fix}" in err
    document = cli(f"{line} --json").document
    assert document["ok"] is False
    assert document["error"]["code"] == "usage"


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("--quantity 1.5 --stop-loss 145 --take-profit 155", "--quantity 1 "),
        ("--quantity 0 --stop-loss 145 --take-profit 155", "--quantity 1 "),
        ("--quantity -1 --stop-loss 145 --take-profit 155", "--quantity 1 "),
        ("--quantity NaN --stop-loss 145 --take-profit 155", "--quantity 1 "),
        ("--quantity 1e9 --stop-loss 145 --take-profit 155", "--quantity 1 "),
        ("--quantity 10 --stop-loss 145,00 --take-profit 155", "--stop-loss 145.00 "),
        ("--quantity 10 --stop-loss 145 --take-profit $155", "--take-profit 155"),
        ("--quantity 10 --stop-loss=14e1 --take-profit 155", "--stop-loss=145.00 "),
        ("--quantity 10 --stop-loss 145 --take-profit 155 --side long", "--side buy"),
        ("--quantity 10 --stop-loss 145 --take-profit 155 --tif forever", "--tif day"),
        ("--quantity 10 --stop-loss 145 --take-profit 155 --timeout soon", "--timeout 30"),
    ],
)
def test_bad_figures_end_with_2_and_the_corrected_command(
    cli: CommandLine, line: str, fix: str
) -> None:
    code, out, err = cli(f"bracket-order --symbol AAPL {line}")
    assert (code, out) == (2, "")
    hint = err.split("fix: ")[1]
    assert hint.startswith("ibkr-trader bracket-order --symbol AAPL ")
    assert fix.strip() in hint
    assert not cli.data.exists()  # nothing was even opened


BRACKET = "bracket-order --symbol AAPL --quantity 10"


@pytest.mark.parametrize(
    ("line", "fixes"),
    [
        (
            "--stop-loss 155 --take-profit 145",
            [
                "--stop-loss 145 --take-profit 155",
                "--stop-loss 155 --take-profit 145 --side sell",
            ],
        ),
        (
            "--side sell --stop-loss=145 --take-profit=155",
            [
                "--side sell --stop-loss=155 --take-profit=145",
                "--side buy --stop-loss=145 --take-profit=155",
            ],
        ),
        (
            "--stop-loss 155 --take-profit 145 --limit 150",
            [
                "--stop-loss 145 --take-profit 155 --limit 150",
                "--stop-loss 155 --take-profit 145 --limit 150 --side sell",
            ],
        ),
    ],
)
def test_exits_on_the_wrong_sides_have_two_ways_out(
    cli: CommandLine, line: str, fixes: list[str]
) -> None:
    code, out, err = cli(f"{BRACKET} {line}")
    assert (code, out) == (2, "")
    told = [text for text in err.splitlines() if "fix: " in text]
    assert told == [f"  fix: ibkr-trader {BRACKET} {fix}" for fix in fixes]
    error = cli(f"{BRACKET} {line} --json").document["error"]
    assert len([error["hint"], *error["other_hints"]]) == len(fixes)


@pytest.mark.parametrize(
    "line",
    [
        "--stop-loss 150 --take-profit 150",  # nothing to swap
        "--stop-loss 145 --take-profit 155 --limit 160",  # the limit is what is odd
    ],
)
def test_what_no_turning_round_mends_has_no_such_fix(cli: CommandLine, line: str) -> None:
    code, _, err = cli(f"{BRACKET} {line}")
    assert code == 2
    assert err.count("fix: ") == 1
    assert "fix: ibkr-trader bracket-order --help" in err


def test_common_options_work_on_both_sides_of_the_command(cli: CommandLine) -> None:
    before = cli("--profile paper --json config show").document
    after = cli("config show --profile paper --json").document
    assert before == after
    assert before["settings"][0]["value"] == "paper"


def test_a_setting_that_is_wrong_ends_with_3(cli: CommandLine) -> None:
    cli.env["IBKR_PORT"] = "seven"
    code, out, err = cli("config show")
    assert (code, out) == (3, "")
    assert "environment IBKR_PORT: port: 'seven'" in err
    assert "fix: write for example: IBKR_PORT=7497" in err


def test_a_reader_that_leaves_early_is_no_error(cli: CommandLine) -> None:
    process = subprocess.Popen(
        [*cli.program, "config", "show"],
        cwd=cli.folder,
        env=cli.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_a_command_that_waits(
    shell: Shell, number: signal.Signals, code: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        shell.env |= {"IBKR_PORT": str(silent.getsockname()[1])}
        with subprocess.Popen(
            [*shell.program, "orders"],
            cwd=shell.folder,
            env=shell.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            line, _ = silent.accept()  # from here on it waits for an answer
            process.send_signal(number)
            out, err = process.communicate(timeout=10)
            line.close()
    assert (process.returncode, out) == (code, "")
    assert "stopped; what was sent stays at the broker" in err
    assert "Traceback" not in err


def test_a_terminal_that_is_closed_ends_a_command_in_good_order(shell: Shell) -> None:
    leader, terminal = os.openpty()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        shell.env |= {"IBKR_PORT": str(silent.getsockname()[1])}
        with subprocess.Popen(
            [sys.executable, "-m", "tests.scenarios.on_terminal", *shell.program, "orders"],
            cwd=shell.folder,
            env=shell.env,
            stdin=terminal,
            start_new_session=True,
        ) as process:
            os.close(terminal)
            line, _ = silent.accept()  # from here on it waits for an answer
            os.close(leader)
            assert process.wait(timeout=10) == 129  # it ended itself: no signal, no lost words
            line.close()


def test_a_profile_that_is_live_needs_its_gateway_as_any_other(cli: CommandLine) -> None:
    cli.env["IBKR_PORT"] = "9"
    for line in ("orders", "order --symbol AAPL --quantity 1 --side buy", "cancel --all"):
        code, _, err = cli(f"{line} --profile live")
        assert code == 4
        assert "log in (live)" in err


LEAN = """
import sys
from ibkr_trader.cli.entry import run
code = run(sys.argv[1:])
heavy = {"pydantic", "ib_insync", "ib_async", "numpy", "prompt_toolkit", "exchange_calendars",
         "holidays", "rich", "asyncio", "pandas"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("--help", []),
        ("bracket-order --help", []),
        ("update-correlations --help", []),
        ("gateway status --json", []),
        ("config show --json", ["pydantic"]),
    ],
)
def test_light_commands_import_nothing_heavy(
    cli: CommandLine, line: str, allowed: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAN, *line.split()],
        cwd=cli.folder, env=cli.env, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert json.loads(done.stderr.strip().replace("'", '"')) == allowed


def test_the_version_imports_no_typer(cli: CommandLine) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "ibkr_trader", "--version"],
        cwd=cli.folder, env=cli.env, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert "typer" not in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        ["bracket-order", "--symbol", "AAPL", "--limit", ""],
        ["order", "--limit="],
        ["--profile", "", "orders"],
    ],
)
def test_an_empty_value_is_no_value(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line) == 2
    assert "has an empty value" in capsys.readouterr().err


@pytest.mark.parametrize("shut", [">&-", "> /dev/full"])
def test_an_answer_that_cannot_be_written_changes_no_exit_code(shut: str, tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONUTF8": "0"}
    command = f"{sys.executable} -m ibkr_trader config show {shut}"
    done = subprocess.run(
        ["sh", "-c", command], env=env, cwd=ROOT, capture_output=True, text=True, timeout=50,
        check=False,
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
