"""`config show`, `doctor`, `demo`."""

from __future__ import annotations

import json
import tempfile

import pytest

from tests.cli.conftest import CommandLine


def test_config_show_names_values_and_origins(cli: CommandLine) -> None:
    (cli.folder / ".env").write_text("IBKR_CLIENT_ID=7\nIBKR_ACCOUNT=DU0000567\n")
    code, out, err = cli("config show")
    assert (code, err) == (0, "")
    rows = {line.split()[0]: line.split(maxsplit=1)[1] for line in out.splitlines()}
    assert rows["client_id"].split(maxsplit=1) == ["7", f"{cli.folder / '.env'} line 1"]
    assert rows["account"].startswith("DU***567")
    assert "environment IBKR_DATA_DIR" in rows["data_dir"]
    document = cli("config show --json").document
    assert document["schema"] == "ibkr-trader/config/1"
    assert {"name": "client_id", "value": "7", "origin": f"{cli.folder / '.env'} line 1"} in (
        document["settings"]
    )


def test_odd_variables_are_remarked_on(cli: CommandLine) -> None:
    cli.env["IBKR_PROT"] = "1"
    code, _, err = cli("config show")
    assert code == 0
    assert "warning: IBKR_PROT in the environment is no setting" in err


def test_doctor_says_that_other_hosts_would_not_know_these_orders(cli: CommandLine) -> None:
    cli("order --symbol AAPL --side buy --no-stop --quantity 1 --type limit --limit 140")
    install = cli("status --json").document["install"]
    settings = cli.folder / "config.toml"
    settings.write_text(f'{settings.read_text()}[lease]\nurl = "redis://127.0.0.1:1"\n')
    (found,) = [one for one in cli("doctor --json").document["checks"] if one["name"] == "lease"]
    assert found["state"] == "warn"
    assert f"orders of this host begin with {install}" in found["text"]
    assert found["fix"].startswith(f'on every host: family = "{install}"')
    settings.write_text(f'{settings.read_text()}family = "{install}"\n')
    assert "lease" not in {one["name"] for one in cli("doctor --json").document["checks"]}


def test_doctor_finds_everything_in_order(cli: CommandLine) -> None:
    code, out, _ = cli("doctor")
    assert code == 0, out
    assert "Ready to trade." in out
    checks = cli("doctor --json").document["checks"]
    assert names(checks, "warn") == ["correlations"]  # nobody has computed any yet
    assert names(checks, "FAIL") == []
    assert {"settings", "data folder", "journal", "gateway", "account", "market data"} <= {
        check["name"] for check in checks
    }


def test_doctor_looks_at_the_files_that_a_review_goes_by(cli: CommandLine) -> None:
    assert cli("status").code == 0
    (cli.data / "sectors.json").write_text('{"AAPL": 5}')
    (cli.data / "symbol_limits.json").write_text("{")
    ran = cli("doctor")
    assert ran.code == 3
    assert "Ready to trade." not in ran.out
    checks = cli("doctor --json").document["checks"]
    assert names(checks, "FAIL") == ["limits file", "sectors"]
    assert names(cli("doctor --deep --json").document["checks"], "FAIL") == [
        "sectors",
        "limits file",
    ]
    status = cli("status").out
    assert status.count("nothing opens") == 2
    assert "AAPL: write the name of its sector" in status
    document = cli("status --json").document
    assert "AAPL: write the name" in document["sectors_fault"]


def test_doctor_knows_of_correlations(cli: CommandLine) -> None:
    assert cli("update-correlations --symbols AAPL,MSFT").code == 0
    (check,) = [
        one for one in cli("doctor --json").document["checks"] if one["name"] == "correlations"
    ]
    assert (check["state"], "of 2 symbols" in check["text"]) == ("ok", True)
    (cli.data / "sim" / "correlations.json").write_text("{")
    out = cli("doctor").out
    assert "none that count: it is damaged" in out
    assert "fix correlations: ibkr-trader update-correlations" in out


def names(checks: list[dict[str, str]], state: str) -> list[str]:
    return [check["name"] for check in checks if check["state"] == state]


def wire(cli: CommandLine) -> list[str]:
    """The names of what clients sent to the simulator."""
    lines = (cli.data / "sim" / "gateway" / "wire.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    return [entry["name"] for entry in entries if entry["way"] == "in"]


@pytest.mark.slow
def test_a_deep_doctor_asks_about_orders_and_places_none(cli: CommandLine) -> None:
    assert cli("gateway start --wire-log").code == 0
    found = cli("doctor --deep --json")
    checks = found.document["checks"]
    assert (found.code, names(checks, "FAIL")) == (0, [])
    assert {
        *("disk space", "durable writes", "file permissions", "time zones", "client library"),
        *("account kind", "orders of others", "clock", "limits file", "data AAPL"),
        *("trading permission", "size precaution", "value precaution", "price precaution"),
        *("read-only API", "overfill precaution", "client id", "restart"),
        *("calendar today", "calendar tomorrow"),
    } <= {check["name"] for check in checks}
    sent = wire(cli)
    assert sent.count("whatIf") == 4
    assert not {"placeOrder", "modifyOrder", "cancelOrder"} & set(sent)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "name", "fix"),
    [
        ("size-limit 50", "size precaution", "Presets > Stocks > Precautionary Settings: Size"),
        ("value-limit 5000", "value precaution", "Precautionary Settings: Total Value Limit"),
        ("percentage 0.5", "price precaution", "Precautionary Settings: Percentage"),
        ("read-only", "read-only API", 'untick "Read-Only API" (TWS: Global Configuration'),
    ],
)
def test_a_deep_doctor_names_the_setting_that_refuses(
    cli: CommandLine, words: str, name: str, fix: str
) -> None:
    assert cli("gateway start --wire-log").code == 0
    assert cli(f"gateway inject precaution {words}").code == 0
    found = cli("doctor --deep --json")
    assert found.code == 5
    assert names(found.document["checks"], "FAIL") == [name]
    (check,) = [one for one in found.document["checks"] if one["state"] == "FAIL"]
    assert fix in check["fix"]
    assert "Bypass" not in check["fix"]
    assert "placeOrder" not in wire(cli)
    assert cli("gateway inject precaution off").code == 0
    assert cli("doctor --deep").code == 0


@pytest.mark.slow
def test_a_size_beyond_our_own_value_limit_is_no_finding(cli: CommandLine) -> None:
    assert cli("gateway start").code == 0
    assert cli("gateway inject precaution value-limit 12000").code == 0
    found = cli("doctor --deep --json")
    assert found.code == 0, found.out
    (check,) = [one for one in found.document["checks"] if one["name"] == "size precaution"]
    assert check["text"].startswith("not told: BUY 100 AAPL")


@pytest.mark.slow
def test_a_deep_doctor_sees_what_others_and_the_market_do(cli: CommandLine) -> None:
    assert cli("gateway start").code == 0
    assert cli("gateway inject hand buy AAPL 5 --limit 100").code == 0
    assert cli("gateway inject hand buy MSFT 5").code == 0
    found = cli("doctor --deep --json")
    checks = {check["name"]: check for check in found.document["checks"]}
    assert checks["orders of others"]["state"] == "warn"
    assert "1 working orders are not ours (AAPL)" in checks["orders of others"]["text"]
    assert checks["data MSFT"]["text"].startswith("live, ")


def test_doctor_says_what_is_missing_and_how_to_mend_it(cli: CommandLine) -> None:
    cli.env |= {"IBKR_PROFILE": "paper", "IBKR_PORT": "9"}
    code, out, _ = cli("doctor")
    assert code == 4
    assert "FAIL  gateway" in out
    assert "1 failure." in out
    document = cli("doctor --json").document
    assert document["ok"] is False
    assert "start TWS" in document["checks"][-1]["fix"]
    cli.env["IBKR_PORT"] = "nine"
    assert cli("doctor").code == 3


def test_the_demo_shows_a_protected_position_and_leaves_nothing(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(cli.folder))
    cli.env["XDG_RUNTIME_DIR"] = str(tmp_path_factory.mktemp("run"))
    cli.env["IBKR_PORT"] = "9"  # the user's own settings stay out of it
    before = sorted(cli.folder.iterdir())
    code, out, err = cli("demo")
    assert code == 0, out + err
    assert "filled BUY 10 AAPL @ 150." in out
    for words in ("SELL 10 AAPL LIMIT 155.00", "SELL 10 AAPL STOP 145.00", "10/10"):
        assert words in out
    assert "protected at the broker" in out
    assert sorted(cli.folder.iterdir()) == before


def test_the_demo_as_a_document(cli: CommandLine) -> None:
    done = cli("demo --json")
    assert done.code == 0
    assert done.document["positions"][0]["is_covered"] is True
    assert "filled BUY 10 AAPL" in done.err
