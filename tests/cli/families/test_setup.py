"""`config show`, `doctor`, `demo`."""

from __future__ import annotations

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


def test_doctor_finds_everything_in_order(cli: CommandLine) -> None:
    code, out, _ = cli("doctor")
    assert code == 0, out
    assert "Ready to trade." in out
    checks = cli("doctor --json").document["checks"]
    assert {check["state"] for check in checks} == {"ok"}
    assert {"settings", "data folder", "journal", "gateway", "account", "market data"} <= {
        check["name"] for check in checks
    }


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
