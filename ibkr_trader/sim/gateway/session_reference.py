"""The reference desk: what contracts exist and how they trade; news and scanners."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from ibkr_trader.sim.gateway import contract_replies as tell
from ibkr_trader.sim.gateway import reference_requests as ask
from ibkr_trader.sim.gateway.desk import Desk, Handlers
from ibkr_trader.sim.gateway.lookup import NOT_FOUND, find
from ibkr_trader.sim.gateway.reference_replies import (
    NewsBulletin,
    NewsProviders,
    ScannerData,
    ScannerParameters,
    ScannerRow,
)
from ibkr_trader.sim.gateway.talk import NO_REQUEST, Talk
from ibkr_trader.sim.instruments import Instrument, Tape

ORDER_TYPES = (
    "ACTIVETIM,ADJUST,DAY,FOK,GAT,GTC,GTD,IOC,LIT,LMT,LOC,MIT,MKT,MOC,OCA,OPG,STP,STPLMT,TRAIL,"
    "TRAILLMT,WHATIF"
)
BULLETIN = "This is the IBKR gateway simulator of ibkr-trader: no order here reaches a market."
SCANNER_XML = "<ScanParameterResponse><ScanTypeList>{}</ScanTypeList></ScanParameterResponse>"
MOST_ROWS = 50
_SMART_LETTERS = "QNPBZKXYJHVC"


class ReferenceDesk(Desk):
    """Answers about what is listed; refusals, in TWS's words, for what is not simulated."""

    def __init__(self, talk: Talk) -> None:
        super().__init__(talk)
        self._scans: set[int] = set()
        self.handlers: Handlers = {
            ask.ReqContractDetails: self._details,
            ask.ReqMatchingSymbols: self._search,
            ask.ReqMarketRule: self._rule,
            ask.ReqSecDefOptParams: self._chain,
            ask.ReqMktDepthExchanges: self._depth_exchanges,
            ask.ReqSmartComponents: self._components,
            ask.ReqNewsBulletins: self._bulletins,
            ask.CancelNewsBulletins: lambda _: None,  # there is only the first
            ask.ReqNewsProviders: lambda _: self.talk.say(NewsProviders()),
            ask.ReqNewsArticle: self._no(10172, "Failed to request news article: No data."),
            ask.ReqHistoricalNews: self._no(10276, "News feed is not allowed."),
            ask.ReqScannerSubscription: self._scan,
            ask.CancelScanner: self._end_scan,
            ask.ReqScannerParameters: self._scan_parameters,
            ask.ReqFundamentalData: self._no(
                430, "The fundamentals data for the security specified is not available."
            ),
            ask.CancelFundamentalData: lambda _: None,  # refused at once, so nothing to withdraw
            ask.DisplayGroupRequest: self._not_simulated("Display groups"),
            ask.ReqWshData: self._no(10279, "Failed to request WSH data: no subscription."),
            ask.CancelWshData: lambda _: None,  # as above
            ask.Verify: lambda _: self.talk.invalid(NO_REQUEST, "Verification is for vendors."),
        }

    def _no(self, code: int, text: str) -> Callable[[msgspec.Struct], None]:
        def refuse(request: msgspec.Struct) -> None:
            self.talk.refuse(getattr(request, "req_id", NO_REQUEST), code, text)

        return refuse

    def _not_simulated(self, what: str) -> Callable[[msgspec.Struct], None]:
        return self._no(321, f"Error validating request.-'sim' : cause - {what} not simulated.")

    def _details(self, request: ask.ReqContractDetails) -> None:
        found = find(self.talk.floor.exchange.universe, request.contract)
        if not found:
            self.talk.refuse(request.req_id, *NOT_FOUND)
            return
        for instrument in found:
            self.talk.say(self._reply(request.req_id, instrument))
        self.talk.say(tell.ContractDetailsEnd(req_id=request.req_id))

    def _reply(self, req_id: int, instrument: Instrument) -> tell.ContractDetailsReply:
        floor = self.talk.floor
        universe = floor.exchange.universe
        underlying = instrument.underlying_con_id
        rule = str(instrument.market_rule_id)
        return tell.ContractDetailsReply(
            req_id=req_id,
            contract=floor.contract(instrument.con_id),
            market_name=instrument.trading_class or instrument.symbol,
            min_tick=instrument.min_tick,
            order_types=ORDER_TYPES,
            valid_exchanges=",".join(instrument.exchanges),
            under_con_id=underlying,
            long_name=instrument.long_name,
            contract_month=instrument.expiry[:6],
            industry=instrument.sector,
            category=instrument.category,
            trading_hours=universe.hours(instrument, floor.now, liquid=False),
            liquid_hours=universe.hours(instrument, floor.now, liquid=True),
            under_symbol=universe[underlying].symbol if underlying else "",
            under_sec_type=universe[underlying].sec_type if underlying else "",
            market_rules=",".join([rule] * len(instrument.exchanges)),
            real_expiry=instrument.expiry,
            stock_type=instrument.stock_type,
            min_size=instrument.min_size,
            size_increment=instrument.min_size,
            suggested_increment=Decimal(100) if instrument.sec_type == "STK" else Decimal(1),
        )

    def _search(self, request: ask.ReqMatchingSymbols) -> None:
        universe = self.talk.floor.exchange.universe
        samples = tuple(
            tell.SymbolSample(
                con_id=found.con_id,
                symbol=found.symbol,
                sec_type=found.sec_type,
                primary_exchange=found.primary_exchange,
                currency=found.currency,
                derivatives=("OPT",) if universe.options_of(found.con_id) else (),
                description=found.long_name,
            )
            for found in universe.search(request.pattern)
        )
        self.talk.say(tell.SymbolSamples(req_id=request.req_id, samples=samples))

    def _rule(self, request: ask.ReqMarketRule) -> None:
        bands = self.talk.floor.exchange.universe.market_rule(request.rule_id)
        if bands is None:
            self.talk.invalid(NO_REQUEST, f"Invalid market rule id {request.rule_id}.")
            return
        steps = tuple((band.low_edge, band.increment) for band in bands)
        self.talk.say(tell.MarketRule(rule_id=request.rule_id, increments=steps))

    def _chain(self, request: ask.ReqSecDefOptParams) -> None:
        universe = self.talk.floor.exchange.universe
        if request.con_id not in universe:
            self.talk.refuse(request.req_id, *NOT_FOUND)
            return
        options = universe.options_of(request.con_id)
        if options:
            self.talk.say(
                tell.OptionParameters(
                    req_id=request.req_id,
                    exchange=options[0].routing_exchange,
                    under_con_id=request.con_id,
                    trading_class=options[0].trading_class,
                    multiplier=f"{options[0].multiplier:f}",
                    expirations=tuple(sorted({option.expiry for option in options})),
                    strikes=tuple(sorted({option.strike for option in options})),
                )
            )
        self.talk.say(tell.OptionParametersEnd(req_id=request.req_id))

    def _exchanges(self) -> list[str]:
        universe = self.talk.floor.exchange.universe
        names = {name for listed in universe for name in listed.exchanges if name != "SMART"}
        return sorted(names)

    def _depth_exchanges(self, _: ask.ReqMktDepthExchanges) -> None:
        rows = tuple((name, "STK", "", "Deep", 1) for name in self._exchanges())
        self.talk.say(tell.DepthExchanges(exchanges=rows))

    def _components(self, request: ask.ReqSmartComponents) -> None:
        rows = tuple(
            (bit, name, letter)
            for bit, (name, letter) in enumerate(
                zip(self._exchanges(), _SMART_LETTERS, strict=False)
            )
        )
        self.talk.say(tell.SmartComponents(req_id=request.req_id, components=rows))

    def _bulletins(self, request: ask.ReqNewsBulletins) -> None:
        if request.all_messages:
            self.talk.say(NewsBulletin(message_id=1, kind=1, text=BULLETIN, exchange="SIM"))

    def _scan(self, request: ask.ReqScannerSubscription) -> None:
        rank = _SCANS.get(request.scan_code)
        if rank is None or request.instrument != "STK":
            text = "Historical Market Data Service error message:Invalid scan code or instrument"
            self.talk.refuse(request.req_id, 162, text)
            return
        self._scans.add(request.req_id)
        exchange = self.talk.floor.exchange
        stocks = [listed for listed in exchange.universe if listed.sec_type == "STK"]
        stocks.sort(key=lambda listed: rank(exchange.market.tape(listed.con_id)), reverse=True)
        limit = request.number_of_rows if 0 < request.number_of_rows < MOST_ROWS else MOST_ROWS
        rows = tuple(
            ScannerRow(
                rank=place,
                contract=self.talk.floor.contract(listed.con_id),
                market_name=listed.trading_class,
            )
            for place, listed in enumerate(stocks[:limit])
        )
        self.talk.say(ScannerData(req_id=request.req_id, rows=rows))

    def _end_scan(self, request: ask.CancelScanner) -> None:
        if request.req_id not in self._scans:
            self.talk.refuse(request.req_id, 365, "No scanner subscription found for ticker id")
        self._scans.discard(request.req_id)

    def _scan_parameters(self, _: ask.ReqScannerParameters) -> None:
        codes = "".join(
            f"<ScanType><scanCode>{code}</scanCode><instruments>STK</instruments></ScanType>"
            for code in _SCANS
        )
        self.talk.say(ScannerParameters(xml=SCANNER_XML.format(codes)))


def _gain(tape: Tape) -> Decimal:
    if not tape.last or not tape.close:
        return Decimal(0)
    return tape.last / tape.close - 1


_SCANS: dict[str, Callable[[Tape], Decimal]] = {
    "TOP_PERC_GAIN": _gain,
    "TOP_PERC_LOSE": lambda tape: -_gain(tape),
    "MOST_ACTIVE": lambda tape: tape.volume,
}
