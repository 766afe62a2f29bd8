"""The helper's page in a real Chromium: what it shows, how fast it stops, who can use it."""

import asyncio
import json
import sys
import time
from pathlib import Path

import pytest
from massager_rig import in_loop, runner  # noqa: F401, a fixture
from watched_rehearsal import WatchedRehearsal

pytest.importorskip("starlette")
from chromium import PHONE, Browser, Page

from assistant.page.server import Server
from assistant.settings import Settings

CONTRAST = """
(() => {
  const channel = (value) => {
    const part = value / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = {};
  for (const element of document.querySelectorAll("h1, p, dt, dd, button")) {
    const ink = light(rgb(getComputedStyle(element).color));
    const paper = light(behind(element));
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    found[element.id || element.textContent] = Math.round(ratio * 100) / 100;
  }
  return found;
})()
"""

PLACE = "JSON.stringify(document.getElementById('stop').getBoundingClientRect())"


def show(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Print a figure, whatever pytest captures."""
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")


class Served:
    """A rehearsed session in its massage, with its page."""

    def __init__(self, settings: Settings, *, lan: bool = False) -> None:
        self.session = WatchedRehearsal(settings).in_massage()
        self.server = Server(self.session.watching, self.session.stop, lan=lan, port=0)
        self.url = self.server.link.url

    async def __aenter__(self) -> "Served":
        await self.session.__aenter__()
        self._serving = asyncio.create_task(self.server.serve())
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.session.__aexit__(None, None, None)
        await asyncio.wait_for(self._serving, 5.0)


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def browser(
    runner: asyncio.Runner,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Browser:
    opened = Browser(tmp_path_factory.mktemp("profile"))
    runner.run(opened.__aenter__())
    yield opened  # type: ignore[misc]
    runner.run(opened.__aexit__(None, None, None))


async def stop_by_thumb(page: Page, served: Served) -> float:
    """Press the middle of the phone's lower half; the seconds until the massager is off."""
    pressed = time.monotonic()
    await page.click(PHONE["width"] / 2, PHONE["height"] * 0.75)
    async with asyncio.timeout(10.0):
        while not served.session.off_at:
            await asyncio.sleep(0.001)
    return served.session.off_at[0] - pressed


@in_loop
async def test_the_page_tells_what_goes_on(
    browser: Browser, settings: Settings, tmp_path: Path
) -> None:
    async with Served(settings) as served:
        page = await browser.open(served.url)
        await page.becomes("state", "Massage")
        await page.becomes("step", "1 of ")
        await page.becomes("left", "of this part")
        await page.becomes("massager", "on, level 1; off by itself at the latest in")
        assert await page.text("microphone") == "hears"
        await page.becomes("heard", "“ready”")
        before = await page.text("left")
        await asyncio.sleep(1.5)
        assert await page.text("left") != before, "the time does not run on the page"
        await page.picture(tmp_path / "phone.png")
        assert page.errors == []


@in_loop
async def test_stop_fills_the_lower_half_of_a_phone(browser: Browser, settings: Settings) -> None:
    async with Served(settings) as served:
        page = await browser.open(served.url)
        box = await page.ask(
            "JSON.stringify(document.getElementById('stop').getBoundingClientRect())"
        )
        place = json.loads(box)
        assert place["width"] > 0.9 * PHONE["width"]
        assert place["height"] > 0.45 * PHONE["height"]
        assert place["bottom"] > 0.97 * PHONE["height"]
        assert await page.ask("document.documentElement.scrollHeight <= innerHeight")
        assert await page.ask("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_stop_switches_off_at_once(
    browser: Browser,
    settings: Settings,
    script: bool,
    capsys: pytest.CaptureFixture[str],
    runner: asyncio.Runner,  # noqa: F811
) -> None:
    async def stop() -> float:
        async with Served(settings) as served:
            page = await browser.open(served.url, script=script)
            seconds = await stop_by_thumb(page, served)
            await page.becomes("state", "Stopped")
            await page.becomes("massager", "off")
            assert page.errors == []
            return seconds

    seconds = runner.run(stop())
    show(capsys, f"STOP on the page to massager off: {1000 * seconds:.0f} ms ({script=})")
    assert seconds < 2.0


@in_loop
async def test_the_page_works_without_script_also_on_the_home_s_network(
    browser: Browser, settings: Settings
) -> None:
    """There the browser sends no Sec-Fetch-Site: the form is known by its origin."""
    async with Served(settings, lan=True) as served:
        if "127.0.0.1" in served.url:
            pytest.skip("this machine has no network")
        page = await browser.open(served.url, script=False)
        before = await page.text("left")
        await page.loaded()
        assert await page.text("left") != before, "the page does not renew itself"
        await stop_by_thumb(page, served)
        await page.becomes("state", "Stopped")


@pytest.mark.parametrize("keys", [["Enter"], ["Tab", "Space"]], ids="-".join)
@in_loop
async def test_a_keyboard_is_enough(browser: Browser, settings: Settings, keys: list[str]) -> None:
    """Enter stops at once; so does whoever comes from elsewhere by the tab key."""
    async with Served(settings) as served:
        page = await browser.open(served.url)
        async with asyncio.timeout(5.0):  # a browser gives the focus with its first picture
            while await page.ask("document.activeElement.id") != "stop":
                await asyncio.sleep(0.01)
        if keys[0] == "Tab":
            await page.click(PHONE["width"] / 2, 20)
        for key in keys:
            await page.press(key)
        async with asyncio.timeout(5.0):
            while not served.session.off_at:
                await asyncio.sleep(0.01)


@in_loop
async def test_a_screen_reader_is_told_everything(browser: Browser, settings: Settings) -> None:
    async with Served(settings) as served:
        names = await (await browser.open(served.url)).names()
        assert [name for role, name in names if role == "button"] == ["STOP"]
        assert [name for role, name in names if role == "heading"] == ["Massage"]
        terms = [name for role, name in names if role == "StaticText"]
        assert {"Part", "Time left", "Massager", "Microphone", "Last heard"} <= set(terms)
        focusable = [role for role, _ in names if role in ("link", "textbox", "checkbox")]
        assert focusable == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_has_the_contrast_that_wcag_wants(
    browser: Browser,
    settings: Settings,
    dark: bool,
    capsys: pytest.CaptureFixture[str],
    runner: asyncio.Runner,  # noqa: F811
) -> None:
    """Level AA is 4.5 to 1; STOP has level AAA for large text as well."""

    async def look() -> dict[str, float]:
        async with Served(settings) as served:
            served.session.watching.publish(
                {"at": served.session.now, "kind": "fault", "what": "device_silent"}
            )
            page = await browser.open(served.url, dark=dark)
            await page.becomes("alarm", "device silent")
            return dict(await page.ask(CONTRAST))

    found = runner.run(look())
    show(capsys, f"lowest contrast {min(found.values())}, STOP {found['stop']} ({dark=})")
    assert len(found) > 10
    assert min(found.values()) >= 4.5
    assert found["stop"] >= 4.5


@in_loop
async def test_the_end_of_a_session_is_no_alarm(browser: Browser, settings: Settings) -> None:
    async with Served(settings) as served:
        page = await browser.open(served.url)
        await page.becomes("state", "Massage")
        served.session.conductor.end("finished", served.session.now)
    await page.becomes("state", "The session is over")
    await asyncio.sleep(4.6)
    assert await page.text("alarm") == ""


@in_loop
async def test_a_page_without_news_says_so_and_so_does_a_stop_that_is_lost(
    browser: Browser, settings: Settings
) -> None:
    async with Served(settings) as served:
        page = await browser.open(served.url)
        await page.becomes("state", "Massage")
        await page.send("Network.enable")
        offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        await page.send("Network.emulateNetworkConditions", **offline)
        await page.click(PHONE["width"] / 2, PHONE["height"] * 0.75)
        await page.becomes("alarm", "STOP did not get through")
        assert served.session.off_at == []


@in_loop
async def test_a_sign_of_danger_is_the_first_thing_on_the_page(
    browser: Browser, settings: Settings, tmp_path: Path
) -> None:
    from intents.intent import Intent

    async with Served(settings) as served:
        page = await browser.open(served.url)
        served.session.say(Intent.DIZZY)
        await page.becomes("state", "Stopped: a warning sign")
        await page.becomes("alarm", "look after the person")
        await page.becomes("massager", "off")
        await page.picture(tmp_path / "warning.png")
