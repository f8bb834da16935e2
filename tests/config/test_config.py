"""Settings come from the right place, and what is wrong is named where it stands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ibkr_trader.config import Profile, sources
from ibkr_trader.core.errors import ConfigError
from tests.config.conftest import Desk, origin, shown


def test_the_defaults_are_those_of_the_first_plan(desk: Desk) -> None:
    settings = desk.load(profile="paper")
    assert (settings.host, settings.port, settings.client_id) == ("127.0.0.1", 7497, 1)
    assert settings.readonly is False
    assert settings.timeout_seconds == 30
    assert settings.reconnect_max_attempts == settings.reconnect_backoff_seconds == 5
    assert settings.client_library == "ib_insync"
    assert settings.warnings == ()


def test_precedence_is_flag_environment_dotenv_file_default(desk: Desk) -> None:
    path = desk.toml('client_id = 2\nprofile = "paper"\n')
    expected = [(2, f"{path} line 1")]
    desk.dotenv("OTHER=1\nIBKR_CLIENT_ID=3\n")
    assert desk.load().client_id == 3
    assert origin(desk.load(), "client_id") == f"{desk.cwd / '.env'} line 2"
    desk.env["IBKR_CLIENT_ID"] = "4"
    assert desk.load().client_id == 4
    assert origin(desk.load(), "client_id") == "environment IBKR_CLIENT_ID"
    assert desk.load(client_id=5).client_id == 5
    assert origin(desk.load(client_id=5), "client_id") == "--client-id"
    desk.env.pop("IBKR_CLIENT_ID")
    desk.dotenv("")
    assert (desk.load().client_id, origin(desk.load(), "client_id")) == expected[0]
    path.write_text("")
    assert (desk.load().client_id, origin(desk.load(), "client_id")) == (1, "default")


def test_an_empty_variable_is_not_set(desk: Desk) -> None:
    desk.env |= {"IBKR_PORT": "", "IBKR_PROFILE": ""}
    assert desk.load().profile is Profile.SIM


@pytest.mark.parametrize(
    ("text", "expected"), [("", "23:40-00:20"), ("none", "none"), ("05:00-05:15", "05:00-05:15")]
)
def test_the_gateways_restart_has_a_window_or_none(text: str, expected: str, desk: Desk) -> None:
    desk.env["IBKR_RESTART_WINDOW"] = text
    assert desk.load().restart_window == expected


@pytest.mark.parametrize("text", ["23:40", "25:00-01:00", "23:40-23:40", "None"])
def test_a_window_that_cannot_be_read_is_refused(text: str, desk: Desk) -> None:
    desk.toml(f'restart_window = "{text}"\n')
    with pytest.raises(ConfigError, match=r'restart_window.*"23:40-00:20"'):
        desk.load()


# -- profiles -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "profile", "port"),
    [
        ({}, "sim", None),
        ({"IBKR_SIM_PORT": "41000"}, "sim", 41000),
        ({"IBKR_HOST": "127.0.0.1"}, "paper", 7497),
        ({"IBKR_PORT": "4002"}, "paper", 4002),
        ({"IBKR_PROFILE": "paper"}, "paper", 7497),
        ({"IBKR_PROFILE": " Paper "}, "paper", 7497),
        ({"IBKR_PROFILE": "live"}, "live", 7496),
        ({"IBKR_PROFILE": "live", "IBKR_PORT": "4001"}, "live", 4001),
        ({"IBKR_PROFILE": "sim", "IBKR_PORT": "4002"}, "sim", None),
    ],
)
def test_the_profile_decides_where_orders_go(
    desk: Desk, env: dict[str, str], profile: str, port: int | None
) -> None:
    desk.env |= env
    settings = desk.load()
    assert (settings.profile, settings.port) == (Profile(profile), port)
    assert desk.locate().profile is settings.profile
    assert settings.place == desk.locate()


def test_what_the_simulator_ignores_is_said(desk: Desk) -> None:
    desk.env |= {"IBKR_PROFILE": "sim", "IBKR_HOST": "10.0.0.1"}
    settings = desk.load()
    assert settings.host == "127.0.0.1"
    assert settings.warnings == ("environment IBKR_HOST is ignored by the profile sim",)


def test_an_unknown_profile_is_refused(desk: Desk) -> None:
    desk.env["IBKR_PROFILE"] = "demo"
    for ask in (desk.load, desk.locate):
        with pytest.raises(ConfigError, match="environment IBKR_PROFILE: profile: 'demo'"):
            ask()


def test_only_a_line_of_the_file_allows_live(desk: Desk) -> None:
    assert desk.load().allow_live is False
    desk.env["IBKR_ALLOW_LIVE"] = "true"
    desk.dotenv("IBKR_ALLOW_LIVE=true\n")
    settings = desk.load(profile="live", allow_live=True)
    assert settings.allow_live is False
    assert settings.warnings == (
        "IBKR_ALLOW_LIVE in the environment is refused: only a line of config.toml can set it",
        f"IBKR_ALLOW_LIVE in {desk.cwd / '.env'} is refused: only a line of config.toml can set it",
        "allow_live is refused as a flag: only config.toml can set it",
    )
    path = desk.toml("allow_live = true\n")
    assert desk.load().allow_live is True
    assert origin(desk.load(), "allow_live") == f"{path} line 1"


@pytest.mark.parametrize("text", ['"true"', '"yes"', "1"])
def test_what_is_nearly_true_allows_nothing(desk: Desk, text: str) -> None:
    desk.toml(f"allow_live = {text}\n")
    with pytest.raises(ConfigError, match="allow_live") as refused:
        desk.load()
    assert refused.value.hint == "write for example: allow_live = true"


def test_an_armed_time_is_for_what_decides_about_risk(desk: Desk) -> None:
    path = desk.toml('account = "U0000000"\n[risk]\nmax_daily_loss = 500\n')
    before = desk.load().risked_hash
    assert desk.load().risked_hash == before
    desk.env["IBKR_TIMEOUT_SECONDS"] = "7"
    assert desk.load().risked_hash == before, "how long somebody waits risks nothing"
    desk.env["IBKR_CLIENT_ID"] = "7"
    assert desk.load().risked_hash != before
    desk.env.pop("IBKR_CLIENT_ID")
    for text in (
        'account = "U0000001"\n[risk]\nmax_daily_loss = 500\n',
        'account = "U0000000"\n[risk]\nmax_daily_loss = 501\n',
        'account = "U0000000"\n[risk]\nmax_daily_loss = 500\n# edited\n',
    ):
        path.write_text(text)
        assert desk.load().risked_hash != before, text
    path.write_text("")
    hashes = set()
    for account in ("U0000001", "U000000001"):  # shown, both are U***001
        desk.env["IBKR_ACCOUNT"] = account
        hashes.add(desk.load().risked_hash)
    assert len(hashes) == 2


# -- the data folder ----------------------------------------------------------------------


def test_the_data_folder_is_the_users_by_default(desk: Desk) -> None:
    assert desk.load().data_dir == Path(os.environ["XDG_DATA_HOME"]) / "ibkr-trader"


def test_data_with_limits_in_it_is_the_data_folder(desk: Desk) -> None:
    (desk.cwd / "data").mkdir()
    assert desk.load().data_dir.name == "ibkr-trader"
    (desk.cwd / "data" / "symbol_limits.json").write_text("{}")
    assert desk.load().data_dir == desk.cwd / "data"
    assert desk.locate().folder == desk.cwd / "data" / "sim"
    desk.env["IBKR_DATA_DIR"] = "elsewhere"
    assert desk.load().data_dir == desk.cwd / "elsewhere"
    assert desk.load(data_dir="/x/y").data_dir == desk.locate(data_dir="/x/y").data_dir
    assert desk.load(data_dir="~/z").data_dir == Path.home() / "z"


# -- what is wrong ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "hint"),
    [
        ("IBKR_PORT", "99999", "IBKR_PORT=7497"),
        ("IBKR_PORT", "0", "IBKR_PORT=7497"),
        ("IBKR_PORT", "seven", "IBKR_PORT=7497"),
        ("IBKR_PORT", "7497.5", "IBKR_PORT=7497"),
        ("IBKR_CLIENT_ID", "-1", "IBKR_CLIENT_ID=1"),
        ("IBKR_CLIENT_ID", "0", "IBKR_CLIENT_ID=1"),
        ("IBKR_READONLY", "perhaps", "IBKR_READONLY=false"),
        ("IBKR_TIMEOUT_SECONDS", "nan", "IBKR_TIMEOUT_SECONDS=30"),
        ("IBKR_TIMEOUT_SECONDS", "inf", "IBKR_TIMEOUT_SECONDS=30"),
        ("IBKR_TIMEOUT_SECONDS", "0", "IBKR_TIMEOUT_SECONDS=30"),
        ("IBKR_RECONNECT_BACKOFF_SECONDS", "-5", "IBKR_RECONNECT_BACKOFF_SECONDS=5"),
        ("IBKR_RECONNECT_MAX_ATTEMPTS", "1e9", "IBKR_RECONNECT_MAX_ATTEMPTS=5"),
        ("IBKR_CLIENT_LIBRARY", "ibapi", "IBKR_CLIENT_LIBRARY=ib_insync"),
        ("IBKR_SIM_PORT", "7497", "IBKR_SIM_PORT=41873"),
        ("IBKR_HOST", "a b", "IBKR_HOST=127.0.0.1"),
        ("IBKR_ACCOUNT", "all", "IBKR_ACCOUNT=DU0000000"),
    ],
)
def test_bad_values_are_named_with_what_to_write(
    desk: Desk, variable: str, value: str, hint: str
) -> None:
    desk.env[variable] = value
    with pytest.raises(ConfigError) as caught:
        desk.load(profile=None if variable != "IBKR_SIM_PORT" else "sim")
    assert f"environment {variable}: {variable[5:].lower()}: " in caught.value.message
    assert hint in caught.value.hint


def test_all_that_is_wrong_is_said_at_once(desk: Desk) -> None:
    path = desk.toml('port = "x"\nclient_id = -3\n')
    with pytest.raises(ConfigError) as caught:
        desk.load(timeout_seconds="-1")
    message = caught.value.message
    assert f"{path} line 1: port" in message
    assert f"{path} line 2: client_id" in message
    assert "--timeout-seconds: timeout_seconds" in message
    assert "--timeout-seconds 30" in caught.value.hint
    assert "client_id = 1" in caught.value.hint


def test_unknown_keys_of_the_file_are_refused_by_line(desk: Desk) -> None:
    path = desk.toml("# a comment\nclient_id = 1\nprot = 7497\n")
    with pytest.raises(ConfigError, match="line 3: prot is no setting") as caught:
        desk.load()
    assert str(path) in caught.value.message
    assert "client_id" in caught.value.hint


def test_a_misspelled_table_and_a_password_are_refused(desk: Desk) -> None:
    desk.toml("port = 7497\n\n[risks]\nx = 1\n")
    with pytest.raises(ConfigError, match=r"line 3: risks is no setting"):
        desk.load()
    desk.toml('ib_password = "hunter2"\n')
    with pytest.raises(ConfigError, match="needs no password") as caught:
        desk.load()
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_unknown_variables_are_remarked_on_and_foreign_ones_ignored(desk: Desk) -> None:
    desk.env |= {"IBKR_PROT": "7497", "HOME": "/x"}
    desk.dotenv("DATABASE_URL=postgres://x\nexport IBKR_CLIENTID=3\nbroken line without equals\n")
    warnings = desk.load().warnings
    assert len(warnings) == 2
    assert "did you mean IBKR_PORT?" in warnings[0]
    assert "IBKR_CLIENTID" in warnings[1]


def test_a_broken_line_of_ours_in_dotenv_is_refused(desk: Desk) -> None:
    desk.dotenv("A=1\nIBKR_PORT = 'unterminated\n")
    with pytest.raises(ConfigError, match=r"\.env line 2"):
        desk.load()
    desk.dotenv("@@ garbage of others\nIBKR_PORT\n")
    with pytest.raises(ConfigError, match=r"\.env line 2 cannot be read: IBKR_PORT"):
        desk.load()


def test_broken_toml_names_its_line(desk: Desk) -> None:
    desk.toml("port = \n")
    with pytest.raises(ConfigError, match="line 1"):
        desk.load()


def test_files_that_cannot_be_used_are_named(desk: Desk) -> None:
    path = desk.toml("")
    path.write_bytes(b"port = \xff")
    with pytest.raises(ConfigError, match="UTF-8"):
        desk.load()
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(ConfigError, match="larger"):
        desk.load()
    path.unlink()
    with pytest.raises(ConfigError, match="does not exist"):
        desk.load()
    desk.env.clear()
    desk.dotenv(f"IBKR_CONFIG={path}\n")
    with pytest.raises(ConfigError, match="does not exist"):
        desk.load()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_strangers_dotenv_is_not_trusted(desk: Desk) -> None:
    desk.dotenv("IBKR_PORT=4002\n")
    os.chown(desk.cwd / ".env", 65534, 65534)
    with pytest.raises(ConfigError, match="another user"):
        desk.load()


def test_the_users_own_file_is_found(desk: Desk) -> None:
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "ibkr-trader"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("client_id = 9\n")
    settings = desk.load()
    assert settings.client_id == 9
    assert settings.config_file == folder / "config.toml"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1"])
def test_this_machine_is_reached_without_asking(desk: Desk, host: str) -> None:
    desk.env["IBKR_HOST"] = host
    assert desk.load().host == host


@pytest.mark.parametrize("host", ["192.0.2.1", "gateway.example", "0.0.0.0"])  # noqa: S104 - refused
def test_another_machine_is_refused_unless_allowed(desk: Desk, host: str) -> None:
    desk.env["IBKR_HOST"] = host
    with pytest.raises(ConfigError, match="not this machine") as caught:
        desk.load()
    assert "SSH tunnel" in caught.value.hint
    desk.env["IBKR_ALLOW_REMOTE_GATEWAY"] = "true"
    assert desk.load().host == host


# -- what is shown ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account", "text"), [("DU0000567", "DU***567"), ("U0000567", "U***567"), ("SIM0000001",) * 2]
)
def test_accounts_are_masked_but_for_simulated_ones(desk: Desk, account: str, text: str) -> None:
    settings = desk.load(account=account)
    assert settings.account == account
    assert shown(settings, "account") == text


def test_every_setting_is_listed_with_its_origin(desk: Desk) -> None:
    settings = desk.load(profile="paper")
    names = [one.name for one in settings.effective]
    assert set(sources.NAMES) - set(sources.TABLES) <= set(names)
    assert origin(settings, "port") == "default of paper"
    assert origin(settings, "profile") == "--profile"
    assert origin(desk.load(), "port") == "profile sim"
    assert shown(desk.load(), "port") == "chosen when the simulator starts"


def test_the_hash_changes_with_the_settings(desk: Desk) -> None:
    assert desk.load().config_hash == desk.load().config_hash
    assert desk.load().config_hash != desk.load(client_id=2).config_hash


# -- start-up -----------------------------------------------------------------------------


def test_locating_the_data_folder_imports_no_pydantic() -> None:
    program = (
        "import sys; from ibkr_trader import config; config.locate({});"
        "sys.exit('pydantic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_names_and_model_agree() -> None:
    from ibkr_trader.config.model import EXAMPLES, SettingsModel

    assert (
        set(SettingsModel.model_fields) == set(EXAMPLES) == set(sources.NAMES) - set(sources.TABLES)
    )


def test_a_data_folder_with_an_endless_name_is_refused(desk: Desk) -> None:
    for name in ("x" * 5_000, "x" * 256, "x/" * 2_045):
        with pytest.raises(ConfigError, match="--data-dir: the folder's name is too") as caught:
            desk.load(data_dir=name)
        assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.mkdir(), "is not a file"),
        (lambda path: path.symlink_to("nowhere"), "is a link to nothing"),
    ],
)
def test_what_is_no_file_does_not_pass_for_no_configuration(
    desk: Desk, make: Callable[[Path], None], words: str
) -> None:
    users = Path(os.environ["XDG_CONFIG_HOME"]) / "ibkr-trader" / "config.toml"
    users.parent.mkdir(parents=True)
    for path in (users, desk.cwd / "named.toml"):
        make(path)
        with pytest.raises(ConfigError, match=f"{path} {words}"):
            desk.load()
        desk.env["IBKR_CONFIG"] = str(desk.cwd / "named.toml")
