"""The settings as pydantic sees them: types, ranges, and what to write instead.

Kept apart because pydantic takes a tenth of a second to import: only `load` asks for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError, field_validator

from ibkr_trader.risk.blackouts import NO_WINDOW, is_window

Port = Annotated[int, Field(ge=1, le=65_535)]
_INT32 = 2**31 - 1

# One valid line for each setting, for the hint of an error.
EXAMPLES: dict[str, str] = {
    "profile": "sim",
    "host": "127.0.0.1",
    "port": "7497",
    "client_id": "1",
    "account": "DU0000000",
    "allow_live": "true",
    "readonly": "false",
    "timeout_seconds": "30",
    "reconnect_max_attempts": "5",
    "reconnect_backoff_seconds": "5",
    "restart_window": "23:40-00:20",
    "sim_port": "41873",
    "data_dir": "~/trading",
    "client_library": "ib_insync",
    "allow_remote_gateway": "false",
    "eod_minutes_before": "5",
    "eod_window_minutes": "10",
    "eod_at": "cron",
    "log_level": "info",
}


class SettingsModel(BaseModel):
    """Every setting with its type, range and default; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    profile: Literal["sim", "paper", "live"] = "sim"
    host: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._:-]+$")] = (
        "127.0.0.1"
    )
    port: Port | None = None
    client_id: Annotated[int, Field(ge=1, le=_INT32)] = 1  # 0 would bind what is typed in TWS
    account: Annotated[str, Field(pattern=r"^[A-Z]{1,4}[0-9]{4,12}$")] | None = None
    allow_live: StrictBool = False
    readonly: bool = False
    timeout_seconds: Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)] = 30
    reconnect_max_attempts: Annotated[int, Field(ge=0, le=1_000)] = 5
    reconnect_backoff_seconds: Annotated[float, Field(gt=0, le=300, allow_inf_nan=False)] = 5
    restart_window: str = "23:40-00:20"
    sim_port: Port | None = None
    data_dir: Path
    client_library: Literal["ib_insync", "ib_async"] = "ib_insync"
    allow_remote_gateway: bool = False
    eod_minutes_before: Annotated[float, Field(gt=0, le=390, allow_inf_nan=False)] = 5
    eod_window_minutes: Annotated[float, Field(gt=0, le=390, allow_inf_nan=False)] = 10
    eod_at: Literal["cron", "broker", "both"] = "cron"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("restart_window")
    @classmethod
    def _a_window_or_none(cls, window: str) -> str:
        if window != NO_WINDOW and not is_window(window):
            message = f'should be from and until, as "23:40-00:20", or "{NO_WINDOW}"'
            raise ValueError(message)
        return window

    @field_validator("sim_port")
    @classmethod
    def _not_a_real_gateways(cls, port: int | None) -> int | None:
        if port in {7496, 7497, 4001, 4002}:
            message = "is a port of TWS or IB Gateway, which the simulator leaves alone"
            raise ValueError(message)
        return port


def validate(raw: dict[str, Any]) -> SettingsModel | list[tuple[str, str]]:
    """Return the settings, or every (name, what is wrong with it) at once."""
    try:
        return SettingsModel.model_validate(raw)
    except ValidationError as error:
        return [
            (str(problem["loc"][0]), _plain(problem["msg"]))
            for problem in error.errors(include_url=False, include_context=False)
        ]


def _plain(message: str) -> str:
    message = message.removeprefix("Value error, ").removeprefix("Input ")
    return message.replace("String should match pattern", "should match")
