"""Acts in words: every form can be written, and nothing else is guessed at."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, time
from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.sim.families import BracketMode
from ibkr_trader.sim.gateway import acts, triggers
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway import named_faults as named
from ibkr_trader.sim.gateway import session_faults as session
from ibkr_trader.sim.gateway import transport_faults as links
from ibkr_trader.sim.gateway.act_words import FORMS, read_act
from ibkr_trader.sim.gateway.fault_acts import BadUtf8, HalfFrame
from ibkr_trader.sim.gateway.fault_rules import Fault, When
from ibkr_trader.sim.gateway.session_faults import SessionFault
from ibkr_trader.sim.gateway.transport_faults import LinkFault
from ibkr_trader.sim.gateway.words import BadWords

WRITTEN = {
    "price AAPL 150.20": acts.SetPrice(symbol="AAPL", price=Decimal("150.20")),
    "gap AAPL -20%": acts.Gap(symbol="AAPL", percent=Decimal(-20)),
    "gap AAPL 3.5": acts.Gap(symbol="AAPL", percent=Decimal("3.5")),
    "halt AAPL": acts.Halt(symbol="AAPL"),
    "unhalt AAPL": acts.Halt(symbol="AAPL", halted=False),
    "split AAPL 4": acts.Split(symbol="AAPL", new=4),
    "split AAPL 1 10": acts.Split(symbol="AAPL", new=1, old=10),
    "cap AAPL --buy 151": acts.Cap(symbol="AAPL", buy=Decimal(151)),
    "speed 60": acts.Speed(times=60),
    "advance 5m": acts.Advance(seconds=300),
    "advance 1.5h": acts.Advance(seconds=5400),
    "hand buy AAPL 10 --limit 149": acts.HandOrder(
        action="BUY", symbol="AAPL", quantity=Decimal(10), limit=Decimal(149)
    ),
    "hand sell AAPL 10": acts.HandOrder(action="SELL", symbol="AAPL", quantity=Decimal(10)),
    "hand close AAPL": acts.HandClose(symbol="AAPL"),
    "hand close AAPL 4": acts.HandClose(symbol="AAPL", quantity=Decimal(4)),
    "hand modify k7qav-1-stop --stop=147 --quantity 5": acts.HandModify(
        order="k7qav-1-stop", stop=Decimal(147), quantity=Decimal(5)
    ),
    "hand cancel 1001": acts.HandCancel(order="1001"),
    "precaution size-limit 50": acts.Precaution(kind="size-limit", figure=Decimal(50)),
    "precaution read-only": acts.Precaution(kind="read-only"),
    "precaution off": acts.Precaution(kind="off"),
    "trade entry 4": acts.Trade(order="entry", quantity=Decimal(4)),
    "trade entry": acts.Trade(order="entry"),
    "take stop --reason 'no more'": acts.Take(order="stop", reason="no more"),
    "correct 1.2.01 --price 150.11": acts.Correct(execution="1.2.01", price=Decimal("150.11")),
    "liquidate AAPL": acts.Liquidate(symbol="AAPL"),
    "bust 1.2.01": acts.Bust(execution="1.2.01"),
    "locate LOCT never": acts.Locate(symbol="LOCT"),
    "locate LOCT 30": acts.Locate(symbol="LOCT", seconds=30),
    "locate LOCT now": acts.Locate(symbol="LOCT", seconds=0),
    "slow-oca 1 3": acts.SlowOca(types=(1, 3)),
    "slow-oca": acts.SlowOca(),
    "lift": acts.Lift(),
    "lift 3": acts.Lift(number=3),
    "wire off": acts.Wire(on=False),
    "look": acts.Look(),
    "rst now": acts.HangUp(how="rst"),
    "fin now --client 2": acts.HangUp(how="fin", client=2),
    "garbage-frame": acts.Blurt(what="garbage"),
    "oversize-frame 8": acts.Blurt(what="oversize", size=8),
    "1101": acts.Restore(code=1101),
    "1102": acts.Restore(code=1102),
    "1300": acts.MovePort(port=0),
    "1300 41873": acts.MovePort(port=41873),
    "restart": acts.Restart(),
    "restart keep 5m": acts.Restart(untransmitted="keep", seconds=300),
    "midnight-rollover": acts.RollOver(),
    "executions own": acts.Executions(whose="own"),
    "trade-log 7": acts.TradeLog(days=7),
    "readonly": acts.Precaution(kind="read-only"),
    "price-capped AAPL --buy 151": acts.Cap(symbol="AAPL", buy=Decimal(151)),
    "luld AAPL": acts.Halt(symbol="AAPL", seconds=300),
    "held LOCT 30": acts.Locate(symbol="LOCT", seconds=30),
    "inactive-then-live": acts.Sleep(),
    "inactive-then-live never --order stop": acts.Sleep(order="stop", seconds=None),
    "two-permids entry": acts.Double(order="entry"),
    "band 5": acts.Band(percent=Decimal(5)),
    "band off": acts.Band(),
    "gap AAPL 5 --at 10:30": acts.Plan(
        trigger=triggers.Moment(clock=time(10, 30)), act=acts.Gap(symbol="AAPL", percent=Decimal(5))
    ),
    "look --after 5m": acts.Plan(trigger=triggers.Moment(after=300), act=acts.Look()),
    "look --on placeOrder,modifyOrder --order stop --nth 2": acts.Plan(
        trigger=triggers.Passing(
            when=When(names=("placeOrder", "modifyOrder"), order="stop", nth=2, answers=True)
        ),
        act=acts.Look(),
    ),
    "look --when-filled 40% --order entry": acts.Plan(
        trigger=triggers.Filled(percent=Decimal(40), order="entry"), act=acts.Look()
    ),
    "look --connection 2 --client 1": acts.Plan(
        trigger=triggers.Connected(number=2, client=1), act=acts.Look()
    ),
    "look --on-halt aapl": acts.Plan(trigger=triggers.Halted(symbol="AAPL"), act=acts.Look()),
    "look --on-unhalt AAPL": acts.Plan(
        trigger=triggers.Halted(symbol="AAPL", halted=False), act=acts.Look()
    ),
    "fin --byte 20": acts.Plan(trigger=triggers.Byte(at=20), act=acts.HangUp(how="fin")),
    "rst now --byte 20 --way c2s --client 1": acts.Plan(
        trigger=triggers.Byte(at=20, way="c2s", client=1), act=acts.HangUp(how="rst", client=1)
    ),
    "fin --byte 0 --client 1": acts.Plan(
        trigger=triggers.Byte(at=0, client=1), act=acts.HangUp(how="fin", client=1)
    ),
    "chaos 7": acts.Chaos(seed=7),
    "chaos 7 2.5": acts.Chaos(seed=7, percent=Decimal("2.5")),
    "chaos off": acts.Chaos(),
    "bracket-mode held": acts.Brackets(mode=BracketMode.HELD),
}
SESSIONS: dict[str, SessionFault] = {
    "1100": session.Outage(),
    "1100 sit": session.Outage(orders="sit"),
    "2110": session.Outage(code=2110),
    "competing-session": session.CompetingSession(),
    "stale 10": session.Stale(seconds=10),
    "delayed-data 1m": session.DelayedData(seconds=60),
}
LINKS: dict[str, LinkFault] = {
    "blackhole": links.Blackhole(),
    "blackhole s2c 30 --standing": links.Blackhole(way="s2c", seconds=30, standing=True),
    "blackhole both 1m --client 2": links.Blackhole(seconds=60, client=2),
    "byte-at-a-time s2c": links.Trickle(way="s2c"),
    "delay 2 both": links.Latency(seconds=2),
    "delay 5m s2c": links.Latency(seconds=300, way="s2c"),
    "delay 0.2 c2s --client 1": links.Latency(seconds=0.2, way="c2s", client=1),
    "slow 100": links.Slow(rate=100),
    "accept-then-close": links.AcceptThenClose(),
    "accept-then-close 3": links.AcceptThenClose(times=3),
    "refuse": links.Refuse(),
    "refuse 30": links.Refuse(seconds=30),
}
FAULTS: dict[str, tuple[Fault, ...]] = {
    "swallow": rules.swallow(),
    "swallow cancelOrder --nth 2": rules.swallow("cancelOrder", nth=2),
    "drop execDetails commissionReport --times 0": rules.status_without_exec(),
    "dup orderStatus --order stop": (
        Fault(when=When(names=("orderStatus",), order="stop"), act=rules.Repeat()),
    ),
    "delay 30 commissionReport": (
        Fault(when=When(names=("commissionReport",)), act=rules.Delay(seconds=30)),
    ),
    "reorder 1,0 execDetails": (
        Fault(when=When(names=("execDetails",)), act=rules.Shuffle(order=(1, 0))),
    ),
    "reject 201 modifyOrder --text no": rules.reject(201, "no", name="modifyOrder"),
    "warn 2161 --text capped": (
        Fault(when=When(names=("placeOrder",)), act=rules.Warn(code=2161, text="capped")),
    ),
    "rst --at after": (Fault(when=When(names=("placeOrder",)), act=rules.Cut(at="after")),),
    "fin cancelOrder": (Fault(when=When(names=("cancelOrder",)), act=rules.Cut(how="fin")),),
    "half-frame 20": (
        Fault(when=When(names=("orderStatus",), answers=True), act=HalfFrame(size=20)),
    ),
    "half-frame 20 --framed execDetails --nth 2": (
        Fault(
            when=When(names=("execDetails",), nth=2, answers=True),
            act=HalfFrame(size=20, is_framed=True),
        ),
    ),
    "bad-utf8 openOrder": (Fault(when=When(names=("openOrder",), answers=True), act=BadUtf8()),),
    "accept-no-ack --order entry": rules.unanswered(order="entry"),
    "10349 live": named.tif_note("live"),
    "10349 dead --order entry": named.tif_note("dead", order="entry"),
    "resize-481 6": named.resize_481(Decimal(6)),
    "precaution-hold 5m": named.precaution_hold(300),
    "precaution-hold never --order entry": named.precaution_hold(None, order="entry"),
    "cancel-ack-only-at-open --order stop": named.cancel_ack_only_at_open(order="stop"),
    "exec-correction-first": named.correction_first(),
    "bad-tick bid-ask -1": named.bad_tick("bid-ask", Decimal(-1)),
    "bad-tick last 1500 --times 1": named.bad_tick("last", Decimal(1500), times=1),
    "326-then-close 2": named.taken_id(2),
    "next-valid-id huge": named.next_valid_id("huge"),
    "never-end openOrderEnd positionEnd": named.never_end("openOrderEnd", "positionEnd"),
    "accounts several": named.accounts("SIM0000001", "SIM0000002"),
    "accounts none": named.accounts(),
    "ack-delay 5": rules.ack_delay(5),
    "ack-delay 5m --order stop": rules.ack_delay(300, order="stop"),
    "delay 1m orderStatus": (
        Fault(when=When(names=("orderStatus",)), act=rules.Delay(seconds=60)),
    ),
    "unanswered --order entry": rules.unanswered(order="entry"),
    "cancel-refused 10147": rules.cancel_refused(10147),
    "fill-wins-cancel 4": rules.fill_wins_cancel(Decimal(4)),
    "fill-wins-modify 4 --order entry": rules.fill_wins_modify(Decimal(4), order="entry"),
    "exec-before-status": rules.exec_before_status(),
    "status-without-exec": rules.status_without_exec(),
    "exec-without-status": rules.exec_without_status(),
    "commission late 9": rules.commission("late", seconds=9),
}


@pytest.mark.parametrize("words", WRITTEN)
def test_an_act_is_what_its_words_say(words: str) -> None:
    act = read_act(shlex.split(words))
    assert act == WRITTEN[words]
    assert msgspec.json.decode(msgspec.json.encode(act), type=acts.Act) == act, "and it travels"


@pytest.mark.parametrize("words", FAULTS)
def test_a_fault_is_what_its_words_say(words: str) -> None:
    assert read_act(shlex.split(words)) == acts.Arm(faults=FAULTS[words])


@pytest.mark.parametrize("words", LINKS)
def test_a_fault_of_the_transport_is_what_its_words_say(words: str) -> None:
    assert read_act(shlex.split(words)) == acts.Arm(links=(LINKS[words],))


@pytest.mark.parametrize("words", SESSIONS)
def test_a_fault_of_the_session_is_what_its_words_say(words: str) -> None:
    assert read_act(shlex.split(words)) == acts.Arm(session=(SESSIONS[words],))


def test_every_form_is_shown_above() -> None:
    shown = {*WRITTEN, *FAULTS, *LINKS, *SESSIONS}
    missing = [name for name in FORMS if not any(f"{w} ".startswith(f"{name} ") for w in shown)]
    assert missing == []


def test_a_time_without_a_zone_is_new_yorks() -> None:
    act = read_act(["advance", "--to", "2026-11-20T15:59"])
    assert isinstance(act, acts.Advance)
    assert act.to is not None
    assert act.to.astimezone(UTC) == datetime(2026, 11, 20, 20, 59, tzinfo=UTC)


def test_the_clock_goes_to_a_time_of_day_as_well() -> None:
    assert read_act(["advance", "--to", "15:56"]) == acts.Advance(clock=time(15, 56))
    assert read_act(["advance", "--to=15:56:30"]) == acts.Advance(clock=time(15, 56, 30))


def test_an_older_gateway_is_told_of_no_time_of_day_that_nobody_has_said() -> None:
    assert msgspec.to_builtins(acts.Advance(seconds=90)) == {"do": "advance", "seconds": 90}


@pytest.mark.parametrize(
    ("words", "complaint", "form"),
    [
        ("", "nothing is called ''", ""),
        ("prise AAPL 3", "nothing is called 'prise'", ""),
        ("hand wave", "nothing is called 'hand wave'", ""),
        ("price AAPL", "PRICE is missing", "price SYMBOL PRICE"),
        ("price AAPL high", "PRICE is a number, not 'high'", "price SYMBOL PRICE"),
        ("price AAPL nan", "PRICE is a number", "price SYMBOL PRICE"),
        ("price AAPL 1e400", "PRICE has at most 9 digits", "price SYMBOL PRICE"),
        ("cap AAPL --buy 1e-300", "--buy has at most 9 digits", "cap SYMBOL"),
        ("price AAPL 3 4", "what does 4 mean here?", "price SYMBOL PRICE"),
        ("price AAPL 3 --fast", "what does --fast mean here?", "price SYMBOL PRICE"),
        ("split AAPL 2.5", "whole numbers", "split SYMBOL NEW [OLD]"),
        ("advance soon", "a time is like 30, 5m, 2h or 1d", "advance"),
        ("advance --to noon", "--to is like 15:59 or 2026-11-20T15:59", "advance"),
        ("hand modify x", "nothing is to be changed", "hand modify"),
        ("correct 1.2.01", "nothing is to be corrected", "correct"),
        ("locate LOCT -3", "SECONDS is a whole number", "locate"),
        ("locate LOCT 1.5", "SECONDS is a whole number", "locate"),
        ("dup orderStatus --nth 1.5", "--nth is a whole number", "dup MESSAGE"),
        ("dup orderStatus --times 0.5", "--times is a whole number", "dup MESSAGE"),
        ("reject 201.7", "CODE is a whole number", "reject"),
        ("cancel-refused 161.5", "CODE is a whole number", "cancel-refused"),
        ("lift 1.5", "NUMBER is a whole number", "lift"),
        ("delay -5 orderStatus", "a time is like 30, 5m, 2h or 1d", "delay"),
        ("slow-oca 4", "TYPE is one of 1, 2, 3", "slow-oca"),
        ("drop", "no message is called nothing", "drop MESSAGE"),
        ("drop placeOder", "no message is called placeOder", "drop MESSAGE"),
        ("dup placeOrder", "cannot be met with repeat", "dup MESSAGE"),
        ("reorder 1-0 openOrder", "PLACES are like", "reorder"),
        ("rst --at noon", "--at is one of before, after, answered", "rst"),
        ("cancel-refused 202", "161, 10147 or 10148", "cancel-refused"),
        ("commission gone", "HOW is one of none, late", "commission"),
        ("blackhole c2c", "WAY is one of c2s, s2c, both", "blackhole"),
        ("slow 0", "for none, it is a blackhole", "slow"),
        ("accept-then-close 0", "TIMES is a whole number from 1 on", "accept"),
        ("oversize-frame 9999999", "1048576 at most", "oversize"),
        ("half-frame 2 placeOrder", "cannot be met with halfframe", "half-frame"),
        ("look --at noon", "--at is like 10:30", "look"),
        ("look --at 10:30 --after 5", "an act waits for one thing", "look"),
        ("look --when-filled 140%", "up to 100%", "look"),
        ("look --on nothing", "no message is called nothing", "look"),
        ("look --order x", "what does --order mean here?", "look"),
        ("chaos 7 101", "up to 100, not 101", "chaos"),
        ("chaos -1", "SEED is a whole number from 0 on", "chaos"),
        ("bad-tick bid high", "PRICE is a number", "bad-tick"),
        ("never-end openOrder", "openOrder ends nothing", "never-end"),
        ("1300 99999", "PORT is 65535 at most", "1300"),
        ("trade-log 8", "DAYS is 7 at most", "trade-log"),
        ("trade-log 0", "DAYS is a whole number from 1 on", "trade-log"),
        ("1100 sleep", "ORDERS is one of work, sit", "1100"),
        ("wire maybe", "on|off is one of on, off", "wire"),
    ],
)
def test_other_words_are_refused_with_the_form(words: str, complaint: str, form: str) -> None:
    with pytest.raises(BadWords) as caught:
        read_act(shlex.split(words))
    assert complaint in str(caught.value)
    assert caught.value.form.startswith(form)
