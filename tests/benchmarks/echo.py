"""A server in a process of its own that sends back whatever it is sent.

    python -m tests.benchmarks.echo

It prints its port. It is the least that a hop to another process and back can cost asyncio.
"""

from __future__ import annotations

import asyncio

HOST = "127.0.0.1"


class Echo(asyncio.Protocol):
    """One client's line."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Send it back."""
        self._transport.write(data)


async def serve() -> None:
    """Serve until somebody ends the process."""
    server = await asyncio.get_running_loop().create_server(Echo, HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
