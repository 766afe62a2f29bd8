"""A real Chromium without a screen, driven by its DevTools protocol.

It must never use a browser, a profile or a port that it did not start itself.
"""

import asyncio
import base64
import itertools
import json
import os
import re
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from websockets.asyncio.client import ClientConnection, connect

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
KEYS = {"Enter": ("Enter", 13, "\r"), "Tab": ("Tab", 9, ""), "Space": (" ", 32, " ")}
LONGEST_ANSWER_SECONDS = 30.0


def chromium() -> str:
    """Where the browser is; skips without one, but fails where CI is set."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path is not None:
            return path
    reason = "no chromium here: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Browser:
    """One browser with a fresh profile; `open` gives a phone-sized page."""

    def __init__(self, profile: Path) -> None:
        self._profile = profile

    async def __aenter__(self) -> Self:
        self._child = await asyncio.create_subprocess_exec(
            chromium(),
            *FLAGS,
            f"--user-data-dir={self._profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        assert self._child.stderr
        async with asyncio.timeout(60.0):
            while not (found := re.search(rb"ws://\S+", await self._child.stderr.readline())):
                pass
        self._socket = await connect(found[0].decode(), max_size=None)
        self._drain = asyncio.create_task(self._child.stderr.read())
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._pages: dict[str, Page] = {}
        self._reader = asyncio.create_task(self._read(self._socket))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.cancel()
        await self._socket.close()
        if self._child.returncode is None:
            self._child.kill()
        await self._child.wait()
        self._drain.cancel()

    async def open(self, url: str, *, script: bool = True, dark: bool = False) -> "Page":
        """Open a page of a phone's size and wait until it has loaded."""
        target = await self.send("Target.createTarget", url="about:blank")
        attached = await self.send(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        page = Page(self, attached["sessionId"])
        self._pages[attached["sessionId"]] = page
        for domain in ("Page", "Runtime", "Log", "Accessibility"):
            await page.send(f"{domain}.enable")
        await page.send("Emulation.setDeviceMetricsOverride", **PHONE)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await page.send("Emulation.setEmulatedMedia", features=[scheme])
        await page.send("Emulation.setFocusEmulationEnabled", enabled=True)
        await page.send("Emulation.setScriptExecutionDisabled", value=not script)
        await page.send("Page.navigate", url=url)
        await page.loaded()
        return page

    async def send(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        async with asyncio.timeout(LONGEST_ANSWER_SECONDS):
            answer = await self._answers[number]
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    async def _read(self, connection: ClientConnection) -> None:
        async for text in connection:
            message = json.loads(text)
            if "id" in message:
                self._answers.pop(message["id"]).set_result(message)
            elif page := self._pages.get(message.get("sessionId", "")):
                page.note(message["method"], message["params"])


class Page:
    """One tab. `errors` are uncaught exceptions and whatever the browser complains of."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.errors: list[str] = []
        self._browser = browser
        self._session = session
        self._loads = 0

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        return await self._browser.send(method, self._session, **parameters)

    def note(self, method: str, parameters: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._loads += 1
        elif method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(parameters["exceptionDetails"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.errors.append(parameters["entry"]["text"])

    async def loaded(self) -> None:
        """Wait for the next load."""
        before = self._loads
        async with asyncio.timeout(LONGEST_ANSWER_SECONDS):
            while self._loads == before:
                await asyncio.sleep(0.01)

    async def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression; works with the page's own scripts disabled."""
        world = await self.send(
            "Page.createIsolatedWorld", frameId=await self._frame(), worldName="test"
        )
        answer = await self.send(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
            contextId=world["executionContextId"],
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def text(self, place: str) -> str:
        return str(await self.ask(f"document.getElementById('{place}')?.textContent ?? ''"))

    async def becomes(self, place: str, text: str, seconds: float = 10.0) -> None:
        """Wait until the place holds the text."""
        found = ""
        try:
            async with asyncio.timeout(seconds):
                while text not in (found := await self.text(place)):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"#{place} is {found!r}, not {text!r}")

    async def click(self, x: float, y: float) -> None:
        for kind in ("mousePressed", "mouseReleased"):
            await self.send(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1
            )

    async def press(self, name: str) -> None:
        """Press one of `KEYS` and let it go."""
        key, code, text = KEYS[name]
        for kind in ("keyDown", "keyUp"):
            await self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=name,
                windowsVirtualKeyCode=code,
                text=text if kind == "keyDown" else "",
            )

    async def picture(self, file: Path) -> None:
        shot = await self.send("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(shot["data"]))

    async def names(self) -> list[tuple[str, str]]:
        """Role and name of everything that a screen reader would meet."""
        tree = await self.send("Accessibility.getFullAXTree")
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in tree["nodes"]
            if not node.get("ignored")
        ]

    async def _frame(self) -> str:
        tree = await self.send("Page.getFrameTree")
        return str(tree["frameTree"]["frame"]["id"])
