"""Serves the helper's page inside the session's own loop.

It must never take over the program's signals, exit it, or keep it from ending.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from assistant.page.link import Link, forget_link, invitation, keep_link
from assistant.page.site import make_site
from assistant.watching import Watching
from audio.errors import UnknotError

TOKEN_BYTES = 16
LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104, only when the person asks for it
NOWHERE = ("192.0.2.1", 9)
"""An address of nobody (RFC 5737); asking the way there sends nothing."""
LOOK_SECONDS = 0.1
MOST_CONNECTIONS = 200
"""Well above the watchers, well below the files that a process may open."""
REQUEST_SECONDS = 5.0
"""A connection on which nothing whole was asked for so long is dropped."""
WAITING = 64
"""Who comes before the server runs, or all at once, waits."""


_ARRIVALS = count()


class _Protocol(H11Protocol):
    """One connection; too many of them would take the session's files and sockets away.

    When there are too many the oldest goes that is not being answered, never the newest: that one
    may be somebody's STOP.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it; drop another where they are too many, and this one where it asks nothing."""
        super().connection_made(transport)
        self.arrival = next(_ARRIVALS)
        self.loop.call_later(REQUEST_SECONDS, self._drop_if_silent)
        if len(self.connections) > MOST_CONNECTIONS:
            ours = [one for one in self.connections if isinstance(one, _Protocol)]
            min((one for one in ours if one.idle()), key=lambda one: one.arrival).drop()

    def idle(self) -> bool:
        """Whether nothing is being answered: nothing whole was asked, or all is answered."""
        cycle = self._answering()
        return cycle is None or cycle.response_complete

    def _answering(self) -> RequestResponseCycle | None:
        """The newest whole question; None before the first, which uvicorn's own type denies."""
        return self.cycle

    def drop(self) -> None:
        """End it without a word; it does not count from now on."""
        self.connections.discard(self)
        self.transport.abort()

    def _drop_if_silent(self) -> None:
        if self._answering() is None:
            self.drop()


class _Uvicorn(uvicorn.Server):
    """uvicorn, but Ctrl-C stays with the session alone: there it is an off."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class Server:
    """The page of one session. `stop` halts it; `lan` serves the home's network too.

    Raises `UnknotError` when the port is taken.
    """

    def __init__(
        self, watching: Watching, stop: Callable[[], None], *, lan: bool, port: int
    ) -> None:
        self._watching = watching
        self._socket = _bound(EVERYWHERE if lan else LOOPBACK, port)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        address = _own_address() if lan else LOOPBACK
        self.link = Link(f"http://{address}:{self._socket.getsockname()[1]}/{token}/", os.getpid())
        name = socket.gethostname().lower()
        names = {"localhost", LOOPBACK} | ({name, f"{name}.local"} if lan else set())
        self._server = _Uvicorn(
            uvicorn.Config(
                make_site(watching, stop, token, frozenset(names)),
                http=_Protocol,
                ws="none",
                loop="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=1,  # else a stuck watcher would keep it from ending
            )
        )

    def invitation(self) -> str:
        """What to tell the person: the link, and a picture of it for a phone's camera."""
        return invitation(self.link)

    async def serve(self) -> None:
        """Serve until the session is over."""
        keep_link(self.link)
        serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        try:
            while not self._watching.over and not serving.done():
                await asyncio.sleep(LOOK_SECONDS)
            self._server.should_exit = True
            await serving
        finally:
            serving.cancel()
            self._socket.close()
            forget_link(self.link)


def _bound(address: str, port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((address, port))
        opened.listen(WAITING)
    except OSError as error:
        opened.close()
        raise UnknotError(
            f"the helper's page cannot use port {port}: {error.strerror}",
            "set another [page] port, or 0 for any",
        ) from None
    opened.setblocking(False)
    return opened


def _own_address() -> str:
    """This machine's address in the home's network; loopback where there is no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(NOWHERE)
        except OSError:
            return LOOPBACK
        return str(asking.getsockname()[0])
