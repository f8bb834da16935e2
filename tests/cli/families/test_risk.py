"""`set-symbol-limit`, `limits`: alone, as a person types them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import CommandLine

SEED = "set-symbol-limit --symbol AAPL --max-position 50 --max-loss 200"
RESTING = "order --symbol AAPL --side buy --quantity 20 --type limit --limit 140 --no-stop"


def content(cli: CommandLine) -> dict[str, Any]:
    found = json.loads(path(cli).read_text())
    assert isinstance(found, dict)
    return found


def path(cli: CommandLine) -> Path:
    return cli.data / "symbol_limits.json"


def test_a_limit_is_set_without_a_gateway(cli: CommandLine) -> None:
    cli.env |= {"IBKR_PROFILE": "paper", "IBKR_PORT": "9"}
    code, out, err = cli(SEED)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"The limits of AAPL in {path(cli)} are written.",
        "SYMBOL  LIMIT                   WAS      IS    GLOBAL",
        "AAPL    max_position_size       100      50       100",
        "AAPL    max_daily_loss     1,000.00  200.00  1,000.00",
        "No trader runs: it holds from the next command on.",
    ]
    assert content(cli)["symbol_limits"] == {
        "AAPL": {"max_position_size": "50", "max_daily_loss": "200"}
    }
    assert path(cli).stat().st_mode & 0o777 == 0o600


def test_the_document_has_every_change(cli: CommandLine) -> None:
    document = cli(f"{SEED} --json").document
    assert document["schema"] == "ibkr-trader/symbol-limit/1"
    assert (document["symbol"], document["written"], document["trader"]) == ("AAPL", True, None)
    assert document["changes"] == [
        {
            "symbol": "AAPL", "key": "max_position_size",
            "before": "100", "after": "50", "is_looser": False,
        },
        {
            "symbol": "AAPL", "key": "max_daily_loss",
            "before": "1000", "after": "200", "is_looser": False,
        },
    ]  # fmt: skip


def test_everything_that_is_looser_than_the_global_limit_is_refused(cli: CommandLine) -> None:
    code, out, err = cli("set-symbol-limit --symbol AAPL --max-position 150 --max-loss 5000")
    assert (code, out) == (2, "")
    assert "--max-position 150 is looser than the global 100 ([risk] max_position_size)" in err
    assert "--max-loss 5,000.00 is looser than the global 1,000.00 ([risk] max_daily_loss)" in err
    assert "fix: ibkr-trader set-symbol-limit --symbol AAPL --max-position 100 --max-loss 1000" in (
        err
    )
    assert not path(cli).exists()


def test_all_that_is_wrong_is_told_and_corrected_at_once(cli: CommandLine) -> None:
    line = "set-symbol-limit --symbol AAPL --max-loss NaN --max-position 1e400"
    code, out, err = cli(f"{line} --max-order-exposure 0 --max-correlation-exposure 5000")
    assert (code, out) == (2, "")
    assert "--max-loss: NaN is no amount" in err
    assert "--max-position: 1e400 is not written in full" in err
    assert "--max-order-exposure: it must be above 0" in err
    (fix,) = [one for one in err.splitlines() if "fix: " in one]
    assert cli(fix.split("fix: ibkr-trader ")[1]).code == 0
    loose = cli("set-symbol-limit --symbol AAPL --max-loss -1 --max-position 150").err
    assert "--max-loss: -1 is not above 0" in loose
    assert "--max-position 150 is looser" in loose
    assert "--max-loss 200 --max-position 100" in loose


def test_an_example_is_no_looser_than_the_global_limit(cli: CommandLine) -> None:
    (cli.folder / "config.toml").write_text("[risk]\nmax_position_size = 20\n")
    assert "--max-position 20" in cli("set-symbol-limit --symbol AAPL --max-position x").err


def test_the_global_limit_is_that_of_the_configuration(cli: CommandLine) -> None:
    (cli.folder / "config.toml").write_text("[risk]\nmax_position_size = 20\n")
    assert "looser than the global 20" in cli(SEED).err


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("--symbol AAPL", "give one of --max-position, --max-loss"),
        ("--max-position 5", "give --symbol SYMBOL, or --default"),
        ("--symbol AAPL --default --max-position 5", "give --symbol SYMBOL, or --default"),
        ("--symbol AAPL --remove --max-position 5", "--remove takes none of"),
        ("--symbol AAPL --max-position 0", "--max-position: it must be above 0"),
        ("--symbol AAPL --max-position 1.5", "--max-position: shares are whole"),
        ("--symbol AAPL --max-loss -1", "--max-loss: -1 is not above 0"),
        ("--symbol AAPL --max-loss NaN", "--max-loss: NaN is no amount"),
        ("--symbol AAPL --max-loss 1e400", "--max-loss: 1e400 is not written in full"),
        ("--symbol AAPL --max-order-exposure 1,000", "has a comma"),
        ("--symbol A\u0410PL --max-loss 5", "is not a ticker"),
        ("--symbol AAPL240119C00150000 --max-loss 5", "limits are those of its underlying"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(line: str, complaint: str, cli: CommandLine) -> None:
    code, out, err = cli(f"set-symbol-limit {line}")
    assert (code, out) == (2, "")
    assert complaint in err
    assert not path(cli).exists()


def test_nothing_is_written_where_it_is_only_tried(cli: CommandLine) -> None:
    code, out, _ = cli(f"{SEED} --dry-run")
    assert code == 0
    assert out.endswith("Nothing was written.\n")
    assert not path(cli).exists()


def test_what_is_so_already_is_not_written_again(cli: CommandLine) -> None:
    cli(SEED)
    before = path(cli).stat()
    code, out, _ = cli(SEED)
    assert (code, out) == (0, f"Nothing is otherwise than it is: AAPL in {path(cli)}.\n")
    assert path(cli).stat().st_mtime_ns == before.st_mtime_ns


def test_the_default_and_other_symbols_keep_theirs(cli: CommandLine) -> None:
    cli(SEED)
    assert cli("set-symbol-limit --symbol * --max-order-exposure 8000").code == 0
    assert cli("set-symbol-limit --default --max-loss 500").code == 0
    assert cli("set-symbol-limit --symbol brk.b --max-correlation-exposure 9000").code == 0
    assert content(cli) == {
        "symbol_limits": {
            "AAPL": {"max_position_size": "50", "max_daily_loss": "200"},
            "BRK.B": {"max_correlation_exposure": "9000"},
        },
        "default_limits": {"max_order_exposure": "8000", "max_daily_loss": "500"},
    }
    code, out, _ = cli("set-symbol-limit --symbol AAPL --remove")
    assert code == 0
    assert "AAPL    max_daily_loss     200.00  500.00  1,000.00" in out
    assert "AAPL" not in content(cli)["symbol_limits"]


def test_a_damaged_file_is_refused_with_every_fault(cli: CommandLine) -> None:
    cli.data.mkdir(mode=0o700)
    path(cli).write_text('{"symbol_limits": {"aapl": {},\n"MSFT": {"max_daily_loss": 0}}}')
    document = cli(f"{SEED} --json").document
    assert document["error"]["exit_code"] == 3
    assert "line 1, column 20: symbol_limits.aapl: it is in lower" in document["error"]["message"]
    assert "line 2, column 28: symbol_limits.MSFT.max_daily_loss" in document["error"]["message"]


def test_the_limit_is_in_force_and_shown(cli: CommandLine) -> None:
    cli(SEED)
    assert cli(RESTING).code == 0
    second = cli(RESTING.replace("20", "40"))
    assert second.code == 6
    assert "position_size: BUY 40 AAPL would make 60 shares; the limit is 50" in second.err

    out = cli("limits").out
    rows = [line.split() for line in out.splitlines()]
    assert ["position_size", "AAPL", "20", "50", "30", "40", "%"] in rows
    assert ["AAPL", "50", "symbol", "10,000.00", "global", "200.00", "symbol", "none"] in rows
    assert f"{path(cli)}: 1 symbol with limits of their own." in out
    assert "Positions:" in rows[2][0]

    one = cli("limits --symbol AAPL").out
    assert "position_size AAPL" in one
    assert "order_rate" not in one

    document = cli("limits --json").document
    assert document["schema"] == "ibkr-trader/limits/1"
    (gauge,) = [
        one
        for one in document["gauges"]
        if (one["check"], one["subject"]) == ("position_size", "AAPL")
    ]
    assert (gauge["used"], gauge["limit"], gauge["headroom"], gauge["share"], gauge["unit"]) == (
        "20", "50", "30", "0.4", "shares",
    )  # fmt: skip
    assert {"symbol": "AAPL"}.items() <= document["symbols"][1].items()
    assert document["symbols"][1]["max_daily_loss"] == {"limit": "200", "source": "symbol"}
    assert document["file"]["state"] == "ok"


def test_a_lost_or_damaged_file_opens_nothing_until_it_is_restored(cli: CommandLine) -> None:
    cli(SEED)
    assert cli(f"{RESTING} --dry-run").code == 0  # the journal knows them from here on
    written = content(cli)

    path(cli).unlink()
    code, _, err = cli(RESTING)
    assert code == 6
    assert "is missing, and limits of 1 symbol were in force" in err
    assert "fix: mend it, or write it again as it was in force: ibkr-trader limits --restore" in err
    code, _, err = cli("set-symbol-limit --symbol MSFT --max-loss 5")
    assert (code, path(cli).exists()) == (3, False)
    assert "a new one would lose them" in err
    assert cli("limits --json").document["file"]["state"] == "lost"
    (row,) = [row for row in cli("status").out.splitlines() if row.startswith("nothing opens")]
    assert f"{path(cli)} is missing" in row
    assert "is missing" in cli("status --json").document["limits_fault"]
    code, out, _ = cli("limits --restore")
    assert (code, out) == (0, f"{path(cli)} is written as it was in force.\n")
    assert content(cli)["symbol_limits"] == written["symbol_limits"]
    assert "nothing was changed" in cli("limits --restore").out

    path(cli).write_text('{"symbol_limits": ')
    shown = cli("limits")
    assert shown.code == 0
    assert "cannot be relied on: nothing is opened until it is mended." in shown.out
    assert "  line 1, column 19: the file ends too early" in shown.out
    code, out, _ = cli("limits --restore")
    assert code == 0
    assert "The damaged one is kept as" in out
    assert content(cli)["symbol_limits"] == written["symbol_limits"]
    assert cli(RESTING).code == 0


def test_what_nobody_knows_cannot_be_restored(cli: CommandLine) -> None:
    code, _, err = cli("limits --restore")
    assert code == 3
    assert "no limits are known that could be written" in err


def test_no_file_means_the_global_limits(cli: CommandLine) -> None:
    out = cli("limits").out
    assert f"{path(cli)} does not exist: the global limits hold ([risk] in config.toml)." in out
    assert cli("limits --json").document["file"]["state"] == "missing"


def test_what_has_no_effect_is_warned_of(cli: CommandLine) -> None:
    cli.data.mkdir(mode=0o700)
    path(cli).write_text('{"symbol_limits": {"AAPL": {"max_position_size": 500}}}')
    out = cli("limits").out
    assert "warning: line 1, column 50: symbol_limits.AAPL.max_position_size: 500 is looser" in out
    rows = [line.split() for line in out.splitlines()]
    assert ["AAPL", "100", "global", "10,000.00", "global", "1,000.00", "global", "none"] in rows


def test_setting_a_limit_imports_nothing_of_the_gateway() -> None:
    program = (
        "import sys; import ibkr_trader.cli.limits_setting; "
        "sys.exit(bool({'ib_insync', 'numpy', 'asyncio'} & set(sys.modules)))"
    )
    import subprocess

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_more_room_for_real_money_is_asked_about(cli: CommandLine) -> None:
    assert cli(f"{SEED} --profile live").code == 0
    looser = "set-symbol-limit --profile live --symbol AAPL --max-position 60"
    code, _, err = cli(looser)
    assert code == 9
    assert "This allows AAPL more than now. Write it?" in err
    assert content(cli)["symbol_limits"]["AAPL"]["max_position_size"] == "50"
    assert cli(f"{looser} --yes").code == 0
    assert content(cli)["symbol_limits"]["AAPL"]["max_position_size"] == "60"
