"""The face of a command that runs at a trader for somebody at another terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.cli.exits import Unconfirmed
from ibkr_trader.cli.face import Face
from ibkr_trader.cli.terminal import require

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.adapters.control import Call
    from ibkr_trader.adapters.control_server import Client
    from ibkr_trader.cli.output import Reply
    from ibkr_trader.cli.trader_card import TraderCard
    from ibkr_trader.config import Place, Settings
    from ibkr_trader.execution.desk import Desk


class RemoteFace(Face):
    """What the body of a command sees of the outside: the client, and the trader's own desk."""

    def __init__(
        self, call: Call, client: Client, *, settings: Settings, desk: Desk, trader: TraderCard
    ) -> None:
        super().__init__(
            json=call.json,
            utc=call.utc,
            yes=call.yes,
            dry_run=call.dry_run,
            arguments=call.arguments,
        )
        self.desk, self.operator = desk, call.operator
        self.trader = trader
        self._client = client
        self._is_attended = call.is_attended
        self._effective = settings

    @property
    def is_attended(self) -> bool:
        """Whether a person sits at the client's terminal."""
        return self._is_attended

    def place(self) -> Place:
        """Return the trader's profile and data folder."""
        return self._effective.place

    def settings(self) -> Settings:
        """Return the trader's settings, with the patience of whoever typed the command."""
        return self._effective

    def tell(self, text: str) -> None:
        """Show a line at the client's terminal, at once."""
        self._client.tell(text)

    @property
    def stream(self) -> Callable[[bytes], bool]:
        """Shows the client's screen how things stand; False if it has not read what came before.

        Then the payload is left out, not kept: the next one says how things stand by then.
        """
        return self._client.stream

    def show(self, reply: Reply) -> None:
        """Refuse: a reply is returned, and shown by the client.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError

    async def ask(self, question: str) -> None:
        """Have the person at the client's terminal asked, unless `--yes` answers already."""
        if not self.yes:
            await self._client.ask(question)

    async def ask_typed(self, question: str, expected: str) -> None:
        """Have the person at the client's terminal type `expected`, whatever `--yes` says.

        Raises:
            Unconfirmed: If something else is typed.
        """
        require(await self._client.ask(question, is_typed=True), expected)

    def confirm(self, question: str) -> None:
        """Answer with `--yes`, or not at all: nobody can be waited for in here.

        Raises:
            Unconfirmed: Without `--yes`.
        """
        if not self.yes:
            message = f"{question} The running trader cannot ask"
            raise Unconfirmed(message, hint="repeat the command with --yes")
