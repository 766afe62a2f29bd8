"""What the page answers: the page itself, its stream of news, and STOP.

It must never take any other wish, and never answer anybody who does not know the token. It is plain
HTTP: whoever breaks in can at worst stop a massage.
"""

import base64
import hashlib
import hmac
import html
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from string import Template

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.page.stream import Stream
from assistant.page.words import told
from assistant.watching import Watching

PARTS = ("style", "script")
SUFFIXES = {"style": "css", "script": "js"}


def make_site(
    watching: Watching, stop: Callable[[], None], token: str, names: frozenset[str]
) -> ASGIApp:
    """The page under `/TOKEN/`; `names` are the hosts it may be called, besides its own address."""

    async def page(request: Request) -> Response:
        texts = {key: html.escape(text) for key, text in told(watching.board()).items()}
        return HTMLResponse(Template(_page()).substitute(texts))

    async def halt(request: Request) -> Response:
        stop()
        if "json" in request.headers.get("accept", ""):
            return JSONResponse({"stopped": True})
        return RedirectResponse("./", status_code=303)

    routes = [
        Route(f"/{token}/", page),
        Route(f"/{token}/stop", halt, methods=["POST"]),
        Route(f"/{token}/events", Stream(watching)),
    ]
    guard = Middleware(Guard, token=token, names=names)
    return Starlette(routes=routes, middleware=[guard])


class Guard:
    """Refuses foreign hosts, strangers and other sites' forms; adds the headers of every answer.

    A foreign Host header is a web site whose name was pointed at this machine (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, token: str, names: frozenset[str]) -> None:
        self._app = app
        self._token = token
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with the reason why not."""
        if scope["type"] != "http":
            return
        app = self._refusal(scope) or self._app

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_safe_headers())
            await send(message)

        await app(scope, receive, safely)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if not self._is_us(headers.get("host", ""), scope):
            return PlainTextResponse("not the name of this machine", 400)
        if not hmac.compare_digest(_first(scope["path"]), self._token.encode()):
            return PlainTextResponse("use the link that unknot shows", 404)
        if scope["method"] not in ("GET", "HEAD") and not _same_site(headers):
            return PlainTextResponse("not from another site", 403)
        return None

    def _is_us(self, host: str, scope: Scope) -> bool:
        address, port = scope["server"]
        return host in {f"{name}:{port}" for name in (*self._names, address)}


def _first(path: str) -> bytes:
    return path.split("/")[1].encode() if "/" in path else b""


def _same_site(headers: Headers) -> bool:
    """Browsers name where a form comes from: Sec-Fetch-Site on safe origins, else Origin.

    What is no browser names neither, and had to know the token.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or origin == f"http://{headers.get('host')}"


@cache
def _part(name: str) -> str:
    file = files("assistant.page").joinpath(f"page.{SUFFIXES[name]}")
    return file.read_text(encoding="utf-8").replace("$", "$$")


@cache
def _page() -> str:
    """The page with its style and script inside: one request, whatever breaks afterwards."""
    page = files("assistant.page").joinpath("page.html").read_text(encoding="utf-8")
    return Template(page).safe_substitute({name: _part(name) for name in PARTS})


@cache
def _safe_headers() -> dict[str, str]:
    """The referrer stays within the page, but is not kept from it: else forms would come from null.

    See the Fetch standard, "append a request Origin header".
    """
    policy = {
        "default-src": "'none'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    policy |= {f"{name}-src": f"'sha256-{_digest(name)}'" for name in PARTS}
    return {
        "Content-Security-Policy": "; ".join(f"{key} {value}" for key, value in policy.items()),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }


def _digest(name: str) -> str:
    text = _part(name).replace("$$", "$")
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
