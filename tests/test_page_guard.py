"""The helper's page without a browser: who is refused, how many may watch, how it ends."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from massager_rig import free_port, in_loop, runner, until  # noqa: F401, runner is a fixture
from watched_rehearsal import WatchedRehearsal

from assistant.__main__ import main
from assistant.settings import Settings
from assistant.settings_file import PageTable
from assistant.watching import watched

pytest.importorskip("starlette", reason="the page is an extra: pip install 'unknot[page]'")
from assistant.page.link import link_file
from assistant.page.server import MOST_CONNECTIONS, REQUEST_SECONDS, Server
from assistant.page.stream import MOST_WATCHERS, Stream

WATCHERS = 50


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))


class Served:
    """A session in its massage and its page."""

    def __init__(self, session: WatchedRehearsal, server: Server) -> None:
        self.session = session
        self.server = server
        self.place = urlsplit(server.link.url)

    async def ask(
        self, method: str = "GET", path: str = "", host: str = "", **headers: str
    ) -> tuple[int, http.client.HTTPMessage, str]:
        """One request, from another thread as from another machine."""
        return await asyncio.to_thread(self._ask, method, path, host, headers)

    def _ask(
        self, method: str, path: str, host: str, headers: dict[str, str]
    ) -> tuple[int, http.client.HTTPMessage, str]:
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.place.port or 0, timeout=10)
        where = path if path.startswith("/") else self.place.path + path
        connection.request(method, where, headers={"Host": host or self.place.netloc} | sent)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    async def watch(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a stream of news."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.place.port)
        request = f"GET {self.place.path}events HTTP/1.1\r\nHost: {self.place.netloc}\r\n\r\n"
        writer.write(request.encode())
        await writer.drain()
        return reader, writer

    async def ask_by_half(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Begin to ask, and never go on."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.place.port)
        writer.write(b"POST /")
        return reader, writer


@asynccontextmanager
async def served(settings: Settings, *, lan: bool = False) -> AsyncIterator[Served]:
    session = WatchedRehearsal(settings).in_massage()
    server = Server(session.watching, session.stop, lan=lan, port=0)
    serving = asyncio.create_task(server.serve())
    try:
        async with session:
            yield Served(session, server)
    finally:
        await asyncio.wait_for(serving, 5.0)


async def news(reader: asyncio.StreamReader) -> dict[str, Any]:
    """The next board of a stream."""
    async with asyncio.timeout(5.0):
        while not (line := await reader.readline()).startswith(b"data: "):
            assert line
    return dict(json.loads(line[6:]))


# Who is refused


@in_loop
async def test_only_our_own_name_is_answered(settings: Settings) -> None:
    async with served(settings) as page:
        port = page.place.port
        assert (await page.ask())[0] == 200
        assert (await page.ask(host=f"localhost:{port}"))[0] == 200
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"10.0.0.9:{port}", "x"):
            assert (await page.ask(host=host))[0] == 400
            assert (await page.ask("POST", "stop", host=host))[0] == 400
        assert page.session.off_at == []


@in_loop
async def test_who_does_not_know_the_token_sees_and_stops_nothing(settings: Settings) -> None:
    async with served(settings) as page:
        for path in ("/", "/stop", "/events", "/x/", "/x/stop", f"/x{page.place.path}", "/%ff/"):
            for method in ("GET", "POST"):
                status, _, text = await page.ask(method, path)
                assert status == 404
                assert "Massage" not in text
        assert page.session.off_at == []


@in_loop
async def test_every_session_has_a_token_of_its_own(settings: Settings) -> None:
    tokens = set()
    for _ in range(5):
        async with served(settings) as page:
            tokens.add(page.place.path)
    assert len(tokens) == 5
    assert all(len(token) > 20 for token in tokens)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
    ids=str,
)
@in_loop
async def test_another_site_cannot_post(settings: Settings, headers: dict[str, str]) -> None:
    async with served(settings) as page:
        assert (await page.ask("POST", "stop", **headers))[0] == 403
        assert page.session.off_at == []


@in_loop
async def test_stop_is_a_post_and_nothing_else_is_there(settings: Settings) -> None:
    async with served(settings) as page:
        assert (await page.ask("GET", "stop"))[0] == 405
        for path in ("start", "continue", "level", "stronger", "../start", "stop/"):
            assert (await page.ask("POST", path))[0] in (404, 405, 307)
        assert page.session.off_at == []
        status, headers, _ = await page.ask("POST", "stop", Origin=f"http://{page.place.netloc}")
        assert (status, headers["location"]) == (303, "./")
        assert len(page.session.off_at) == 1


@in_loop
async def test_every_answer_forbids_what_the_page_does_not_need(settings: Settings) -> None:
    async with served(settings) as page:
        for path, host in (("", ""), ("/", ""), ("", "evil.example"), ("nothing", "")):
            _, headers, _ = await page.ask(path=path, host=host)
            policy = headers["content-security-policy"]
            assert policy.startswith("default-src 'none';")
            assert "unsafe" not in policy
            assert "*" not in policy
            assert headers["referrer-policy"] == "same-origin"
            assert headers["cache-control"] == "no-store"
            assert "server" not in headers


@in_loop
async def test_what_is_said_or_heard_cannot_become_part_of_the_page(settings: Settings) -> None:
    async with served(settings) as page:
        evil = "<script>alert(1)</script>$style${alarm}"
        at = page.session.now
        for kind in ("say", "heard"):
            fields = {"prompt": "x", "text": evil, "intent": None, "level": "final", "ear": "words"}
            page.session.watching.publish({"at": at, "kind": kind, **fields})
        _, _, text = await page.ask()
        assert text.count("<script>") == 1
        assert "&lt;script&gt;alert(1)&lt;/script&gt;$style${alarm}" in text


@in_loop
async def test_it_is_for_this_machine_unless_told_otherwise(settings: Settings) -> None:
    async with served(settings) as here:
        assert here.place.hostname == "127.0.0.1"
        with socket.socket() as probe:
            probe.settimeout(1.0)
            assert probe.connect_ex(("127.0.0.2", here.place.port or 0)) != 0
    async with served(settings, lan=True) as anywhere:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.2", anywhere.place.port or 0)) == 0


# Watchers


@in_loop
async def test_fifty_watch_and_the_dead_among_them_delay_nothing(settings: Settings) -> None:
    """Ten never read what they are sent; the stop and the news of all others are not later."""
    async with served(settings) as page:
        streams = [await page.watch() for _ in range(WATCHERS)]
        dead, alive = streams[:10], streams[10:]
        for reader, _ in alive:
            assert (await news(reader))["state"] == "Massage"
        pressed = time.monotonic()
        assert (await page.ask("POST", "stop"))[0] == 303
        assert page.session.off_at[0] - pressed < 1.0
        for reader, _ in alive:
            while (await news(reader))["state"] != "Stopped":
                pass
        for _, writer in dead:
            writer.transport.abort()
        for _, writer in alive:
            writer.close()


@in_loop
async def test_who_comes_when_too_many_watch_can_still_stop(settings: Settings) -> None:
    async with served(settings) as page:
        streams = [await page.watch() for _ in range(MOST_WATCHERS)]
        for reader, _ in streams:
            await news(reader)
        assert (await page.ask(path="events"))[0] == 503
        assert (await page.ask("POST", "stop"))[0] == 303
        assert len(page.session.off_at) == 1
        for _, writer in streams:
            writer.close()


@in_loop
async def test_a_flood_of_connections_leaves_the_session_its_own(settings: Settings) -> None:
    async with served(settings) as page:
        flood = [
            await asyncio.open_connection("127.0.0.1", page.place.port)
            for _ in range(MOST_CONNECTIONS + 100)
        ]
        await until(lambda: sum(reader.at_eof() for reader, _ in flood) == 100)
        assert page.session.device.on
        for _, writer in flood:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        assert (await page.ask("POST", "stop"))[0] == 303
        assert len(page.session.off_at) == 1


@in_loop
async def test_stop_goes_before_three_hundred_who_never_finish_their_question(
    settings: Settings,
) -> None:
    async with served(settings) as page:
        half = [await page.ask_by_half() for _ in range(MOST_CONNECTIONS + 100)]
        assert (await page.ask("POST", "stop"))[0] == 303
        assert len(page.session.off_at) == 1
        for _, writer in half:
            writer.close()


@in_loop
async def test_who_never_finishes_a_question_is_let_go(settings: Settings) -> None:
    async with served(settings) as page:
        reader, writer = await page.ask_by_half()
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), REQUEST_SECONDS + 3.0) == b""
        writer.close()


@in_loop
async def test_a_stuck_watcher_is_let_go_and_has_kept_one_board(settings: Settings) -> None:
    session = WatchedRehearsal(settings)
    sent: list[Any] = []
    never = asyncio.Event()

    async def stuck(message: Any) -> None:
        sent.append(message)
        if len(sent) > 1:
            await never.wait()

    async def receive() -> Any:
        await never.wait()

    stream = Stream(session.watching, stuck_seconds=0.3)
    watching = asyncio.create_task(stream({"type": "http"}, receive, stuck))
    for number in range(1000):
        session.watching.publish({"at": float(number), "kind": "fault", "what": str(number)})
        await asyncio.sleep(0)
    await asyncio.wait_for(watching, 3.0)
    assert len(sent) == 2


# How it starts and ends


@in_loop
async def test_a_port_that_is_taken_is_told_and_the_session_goes_on(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    session = WatchedRehearsal(settings).in_massage()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        page = PageTable(enabled=True, port=port)
        async with watched(session.watching, settings, page, session.stop):
            await asyncio.sleep(0.2)
            assert session.device.on
    told = capsys.readouterr().err
    assert told.startswith(f"unknot: the helper's page cannot use port {port}: ")
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("missing", "module", "extra"),
    [
        ("uvicorn", "assistant.page.server", "unknot[page]"),
        ("aiomqtt", "assistant.homeassistant", "unknot[mqtt]"),
    ],
)
@in_loop
async def test_an_extra_that_is_missing_is_told_and_the_session_goes_on(
    settings: Settings,
    missing: str,
    module: str,
    extra: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, module, raising=False)
    session = WatchedRehearsal(settings).in_massage()
    home = settings.home_assistant.model_copy(update={"enabled": extra == "unknot[mqtt]"})
    page = PageTable(enabled=extra == "unknot[page]", port=0)
    wanted = replace(settings, home_assistant=home)
    async with watched(session.watching, wanted, page, session.stop):
        assert session.device.on
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert f"needs {missing} (pip install '{extra}')" in told[0]


@in_loop
async def test_an_open_stream_does_not_keep_the_program_from_ending(settings: Settings) -> None:
    async with served(settings) as page:
        reader, writer = await page.watch()
        await news(reader)
        began = time.monotonic()
    assert time.monotonic() - began < 2.0
    rest = await asyncio.wait_for(reader.read(), 5.0)
    assert b'"over": true' in rest
    writer.close()


@pytest.fixture
def run_with_page(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`unknot run --page` with a keyboard, as a process of its own."""
    environment = os.environ | {
        "STATE_DIRECTORY": str(tmp_path / "state"),
        "CONFIGURATION_DIRECTORY": str(tmp_path / "config"),
    }
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text(f"[page]\nport = {free_port()}\n")
    arguments = ("run", "--microphone", "keyboard", "--page", "--events", str(tmp_path / "events"))
    child = subprocess.Popen(
        [sys.executable, "-m", "assistant", *arguments],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    yield child
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stderr):
        assert pipe
        pipe.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_ends_a_session_that_is_being_watched(
    run_with_page: subprocess.Popen[str], number: signal.Signals, tmp_path: Path
) -> None:
    """By the session's own word, with a stream open, and the link is gone afterwards."""
    assert run_with_page.stderr
    found = re.search(r"http://127\.0\.0\.1:\S+", run_with_page.stderr.readline())
    assert found
    deadline = time.monotonic() + 10.0
    while not link_file().exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert CliRunner().invoke(main, ["page"]).stdout.strip() == found[0]
    place = urlsplit(found[0])
    with socket.create_connection((place.hostname, place.port), 5.0) as watcher:
        request = f"GET {place.path}events HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n"
        watcher.sendall(request.encode())
        assert watcher.recv(10)
        run_with_page.send_signal(number)
        assert run_with_page.wait(5.0) == 0
    last = json.loads((tmp_path / "events").read_text().splitlines()[-1])
    assert (last["kind"], last["why"]) == ("end", "stopped")
    assert not link_file().exists()


def test_without_a_session_there_is_no_link() -> None:
    result = CliRunner().invoke(main, ["page"])
    assert result.exit_code == 1
    assert result.stderr == (
        "unknot: no session serves a page (start one with: unknot run --page)\n"
    )


def test_the_link_is_its_owner_s_only(settings: Settings) -> None:
    from assistant.page.link import Link, forget_link, invitation, keep_link, picture

    link = Link("http://127.0.0.1:1/secret/", os.getpid())
    keep_link(link)
    assert link_file().stat().st_mode & 0o777 == 0o600
    assert json.loads(CliRunner().invoke(main, ["page", "--json"]).stdout)["url"] == link.url
    forget_link(Link("http://127.0.0.1:1/other/", os.getpid()))
    assert link_file().exists(), "another session's link is not ours to forget"
    forget_link(link)
    assert not link_file().exists()
    assert len(picture(link).splitlines()) > 10
    assert link.url in invitation(link)
