"""Interactive Brokers: the `Broker` and `MarketData` ports over TWS's socket protocol.

From the bytes inwards: `frames` and `link` (bytes, frames, one socket), `client` (the client
library: encoders and decoders, named nowhere else), `receiver` (its decoded messages, in our
types), `lanes` (what leaves, in which order, how fast), `requests` (questions and answers),
`connection` (one standing link after the other), `broker` and `market_data` (the ports).
"""
