"""News for one watcher as server-sent events: the newest board, a second apart or as it changes.

It must never keep what a slow watcher has not read: there is one board, and no queue of old ones.
"""

import asyncio
import json
from contextlib import suppress

from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from assistant.page.words import told
from assistant.watching import Watching

NEWS_SECONDS = 1.0
"""A page that hears nothing for four of these says so."""
TOO_OFTEN_SECONDS = 0.1
STUCK_SECONDS = 10.0
MOST_WATCHERS = 60
HEADERS = [(b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no")]


class Stream:
    """The stream of one session, for as many watchers as there may be.

    A watcher who takes nothing for `stuck_seconds` is gone.
    """

    def __init__(self, watching: Watching, stuck_seconds: float = STUCK_SECONDS) -> None:
        self._watching = watching
        self._stuck_seconds = stuck_seconds
        self._watchers = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one watcher until it leaves, gets stuck, or the session is over."""
        if self._watchers >= MOST_WATCHERS:
            await PlainTextResponse("too many watch already", 503)(scope, receive, send)
            return
        self._watchers += 1
        leaving = asyncio.create_task(_left(receive))
        telling = asyncio.create_task(self._tell(send))
        try:
            await asyncio.wait({leaving, telling}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._watchers -= 1
            leaving.cancel()
            telling.cancel()
            with suppress(asyncio.CancelledError, TimeoutError, OSError):
                await telling

    async def _tell(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        seen, over = -1, False
        while not over:
            seen = await self._watching.news(seen, NEWS_SECONDS)
            over = self._watching.over
            async with asyncio.timeout(self._stuck_seconds):
                await send(_body(self._news(over), more=not over))
            await asyncio.sleep(TOO_OFTEN_SECONDS)

    def _news(self, over: bool) -> str:
        news = {**told(self._watching.board()), "over": over}
        return f"data: {json.dumps(news)}\n\n"


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _body(text: str, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": text.encode(), "more_body": more}
