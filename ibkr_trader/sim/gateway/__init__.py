"""The simulated exchange spoken as TWS: a socket that any TWS API client can connect to.

From the bytes inwards: `framing` (bytes and frames), `kinds` and `layout` (fields and values),
`requests` and `replies` (one table row per message), `session` (one client's conversation),
`server` (sockets), `store` (what outlives a restart) and `daemon` (the process).
Everything up to `session` does no I/O. Nothing here binds to any address but 127.0.0.1.
"""
