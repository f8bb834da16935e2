"""Scripts of acts: read whole before anything is done, and taken back if a line cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from ib_insync import LimitOrder

from ibkr_trader.sim.gateway import acts
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.act_words import read_act
from ibkr_trader.sim.gateway.acts import CannotDo
from ibkr_trader.sim.gateway.doing import Doer
from ibkr_trader.sim.gateway.scripts import LARGEST, BadScript, first_acts, read_script
from tests.sim.gateway.desk import AAPL, AAPL_ID, Desk

GOOD = """\
# A bad morning.
price AAPL 151      # the market first

swallow placeOrder --order entry
halt AAPL --at 10:30
reject 201 --text 'no more'
"""


def script(folder: Path, text: str) -> Path:
    path = folder / "bad.txt"
    path.write_text(text)
    return path


def test_a_script_is_its_lines(tmp_path: Path) -> None:
    read = read_script(script(tmp_path, GOOD))
    assert read.name == "bad.txt"
    assert [step.line for step in read.steps] == [2, 4, 5, 6]
    assert read.steps[1].act == acts.Arm(faults=rules.swallow(order="entry"))
    assert read.steps[3].act == acts.Arm(faults=rules.reject(201, "no more"))


@pytest.mark.parametrize(
    ("text", "complaint", "form"),
    [
        ("halt AAPL\nhald AAPL\n", "bad.txt:2: nothing is called 'hald'", ""),
        ("halt AAPL\n\ngap AAPL\n", "bad.txt:3: PERCENT is missing", "gap SYMBOL PERCENT"),
        ("take entry --reason 'no\n", "bad.txt:1: No closing quotation", ""),
        ("# nothing\n", "there is nothing to do in it", ""),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, complaint: str, form: str) -> None:
    with pytest.raises(BadScript) as caught:
        read_script(script(tmp_path, text))
    assert complaint in str(caught.value)
    assert caught.value.form == form


def test_a_file_that_is_no_script_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadScript, match="No such file"):
        read_script(tmp_path / "none.txt")
    path = tmp_path / "bytes"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadScript, match="this is no text"):
        read_script(path)
    with pytest.raises(BadScript, match="256 KB at most"):
        read_script(script(tmp_path, "#" * (LARGEST + 1)))


def test_a_gateway_is_started_with_scripts_and_chaos(tmp_path: Path) -> None:
    path = script(tmp_path, "halt AAPL\n")
    assert first_acts([path], 7) == (read_script(path), acts.Chaos(seed=7))
    assert first_acts([], None) == ()


async def test_it_is_done_in_order(desk: Desk, tmp_path: Path) -> None:
    do = Doer(desk.server)
    answer = do(read_script(script(tmp_path, GOOD)))
    assert answer.text.splitlines()[0] == "bad.txt: 4 done"
    assert answer.data["done"] == 4
    assert len(desk.server.faults.armed) == 2
    ib = await desk.connect()
    ib.placeOrder(AAPL, LimitOrder("BUY", 1, 100, tif="GTC", orderRef="k7qav-1-entry"))
    await ib.reqCurrentTimeAsync()
    assert desk.exchange.orders.working() == ()
    desk.wait(1800)
    assert desk.exchange.market.tape(AAPL_ID).halted


@pytest.mark.parametrize("before", ["chaos 7", "chaos off"])
async def test_chaos_is_taken_back_with_the_rest(desk: Desk, tmp_path: Path, before: str) -> None:
    do = Doer(desk.server)
    do(read_act(before.split()))
    was = desk.server.faults.chaos
    for line in ("chaos 8", "chaos off"):
        with pytest.raises(CannotDo, match="nothing of it is in force"):
            do(read_script(script(tmp_path, f"{line}\nhand close AAPL\n")))
        assert desk.server.faults.chaos is was


async def test_what_cannot_be_done_takes_the_rest_back(desk: Desk, tmp_path: Path) -> None:
    do = Doer(desk.server)
    do(acts.Arm(faults=rules.swallow()))
    text = "swallow cancelOrder\nblackhole s2c\n1100\nhalt AAPL --at 11:00\nhand close AAPL\n1102\n"
    with pytest.raises(CannotDo) as caught:
        do(read_script(script(tmp_path, text)))
    assert caught.value.message == "bad.txt:5: nothing is held of 265598; nothing of it is in force"
    server = desk.server
    assert [one.number for one in server.faults.armed] == [1], "what was there before stays"
    assert (server.network.armed, server.uplink.armed) == ((), ())
    assert server.engine.floor.wiring.agenda.armed == ()
