"""Builds everything for a session and runs it: the composition root.

It must never decide what a person hears or feels, and must leave the massager off on every way out.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO, cast

from rich.console import Console

from assistant.build import NEVER, make_session
from assistant.buttons import own_terminal, physical_stop
from assistant.conductor import Conductor, Line
from assistant.diary import JournalDiary, UnkeptDiary
from assistant.journal import Journal
from assistant.live import Live
from assistant.massager import Massager, RealMassager
from assistant.memory import SettingsMemory
from assistant.messages import Begin
from assistant.paths import journal_file, massagers_file, state_folder, under_way_file
from assistant.room.narrator import Narrator
from assistant.session_record import SessionRecord
from assistant.settings import Settings
from assistant.settings_file import PageTable
from assistant.wall_clock import Moment, WallClock, time_of_day
from assistant.watchdog import Watchdog
from assistant.watching import Watching, watched
from audio.errors import AudioMissing, MassagerUnsafe, UnknotError
from audio.messages import Fault, FromAudio, Ready, ToAudio

KEYBOARD = "keyboard"
PATHS, SOUNDS = ("/", "./", "../", "~"), (".wav", ".flac", ".ogg", ".mp3")
"""What no microphone is called."""
NONE = "none"
OFF_SECONDS = 2.0
"""How long the end of the program waits for the device to confirm that it is off."""
NO_DEVICES = ("microphone_lost", "loudspeaker_lost")
SERVICE = "NOTIFY_SOCKET"
"""Set by systemd for a service of Type=notify."""
EXIT_CODES = {"faulted": 1}


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line; an empty text takes the setting."""

    routine: str | None = None
    microphone: str = ""
    loudspeaker: str = ""
    massager: str = ""
    events: str = ""
    page: bool = False
    """Serve the helper's page; `lan`: to the home's network too."""
    lan: bool = False


def run_session(settings: Settings, options: Options) -> int:
    """Run one session and return the exit code. Raises `UnknotError`."""
    if options.routine is not None and options.routine not in settings.routines:
        known = ", ".join(sorted(settings.routines))
        raise UnknotError(f"no routine is called {options.routine!r}", f"use one of {known}")
    with ExitStack() as stack:
        app = _App(settings, options, stack)
        why = app.run()
    return EXIT_CODES.get(why, 0)


class _App:
    """Everything of one run; `stack` closes what was opened."""

    def __init__(self, settings: Settings, options: Options, stack: ExitStack) -> None:
        self._settings = settings
        self._options = options
        self._publish = _publisher(options.events, stack)
        self._journal = _open_journal(settings, stack)
        self._unfinished: tuple[str, int] | None = None
        self._rest_until = self._unclean_rest()
        self._began = time.monotonic()

    def _clock(self) -> float:
        """Session time: seconds since the program began."""
        return time.monotonic() - self._began

    def run(self) -> str:
        microphone = self._options.microphone or self._settings.hearing.microphone
        if microphone != KEYBOARD and Path(microphone).is_file():
            return self._run_on_files(Path(microphone))
        if microphone.startswith(PATHS) or Path(microphone).suffix.lower() in SOUNDS:
            raise UnknotError(f"{microphone}: no such file", "check the path")
        return asyncio.run(self._run_live(microphone))

    def _unclean_rest(self) -> float:
        """Until when the massager rests after a session that broke, in seconds from now."""
        now = Moment.now()
        lost = self._journal.close_unfinished(now)
        self._unfinished = _broken_off(self._journal, lost)
        rested = self._journal.since_unclean_end(now)
        rest = self._settings.massager.limits.rest_seconds
        if rested is not None and rested >= rest:
            self._journal.rested()
        if lost and not self._settings.journal.keep:
            self._journal.forget()
        return NEVER if rested is None else rest - rested

    def _routine(self) -> str | None:
        """What begins at once: what was asked for, else what is set, unless there is a session to
        go on with. A service starts itself again and again: it waits for a word."""
        if self._options.routine or self._unfinished or SERVICE in os.environ:
            return self._options.routine
        return self._settings.session.default_routine or None

    def _conductor(
        self,
        massager: Massager | None,
        send: Callable[[ToAudio], None],
        now: float,
        publish: Callable[[Line], None] | None = None,
    ) -> Conductor:
        capabilities = massager.capabilities if massager else None
        session = make_session(self._settings, capabilities, now + self._rest_until)
        kept = self._settings.journal.keep
        diary = (JournalDiary if kept else UnkeptDiary)(self._journal, Moment.now)
        gap = self._settings.voice.gap_seconds
        tell = publish or self._publish
        return Conductor(session, massager, send, tell, diary, SettingsMemory(), gap_seconds=gap)

    # On files

    def _run_on_files(self, microphone: Path) -> str:
        from assistant.hearing import load_ears, make_headset, make_voice
        from assistant.massager.simulated import SimulatedMassager
        from assistant.on_files import run_on_files

        name = self._options.massager or self._settings.massager.name
        if name not in (NONE, "simulated"):
            raise MassagerUnsafe(
                f"a recording cannot command {name!r}", "use --massager simulated or none"
            )

        def make(clock: Callable[[], float], send: Callable[[ToAudio], None]) -> Conductor:
            massager = None if name == NONE else SimulatedMassager(clock)
            return self._conductor(massager, send, 0.0)

        voice = make_voice(self._settings, live=False)
        headset = make_headset(self._settings, load_ears(self._settings), voice)
        to = self._options.loudspeaker
        out = None if to in ("", NONE) else Path(to)
        return run_on_files(headset, make, self._routine(), microphone, out)

    # Live

    async def _run_live(self, microphone: str) -> str:
        massager = await self._open_massager(microphone)
        try:
            return await self._run_with(massager, microphone)
        finally:
            if massager is not None:
                await _let_go(massager)

    async def _open_massager(self, microphone: str) -> Massager | None:
        from assistant.massager.device import SIMULATED, read_devices
        from assistant.massager.opening import open_massager

        name = self._options.massager or self._settings.massager.name
        if name == NONE:
            return None
        if name != SIMULATED and microphone == KEYBOARD:
            raise MassagerUnsafe(
                f"nobody listens at a keyboard, so {name!r} may not run",
                "use a microphone, or --massager simulated",
            )
        devices = {} if name == SIMULATED else read_devices(massagers_file())
        return await open_massager(name, devices, state=state_folder(), clock=self._clock)

    async def _render_ahead(self, microphone: str) -> None:
        """Render every sentence of the session into the cache that the audio process reads.

        What fails here fails again there, where it is told as a fault.
        """
        if microphone == KEYBOARD or self._options.loudspeaker == NONE:
            return
        from assistant.hearing import make_voice

        voice = make_voice(self._settings)
        sentences = list(self._settings.script.every_sentence(self._routine()))
        try:
            await asyncio.to_thread(voice.prepare, sentences)
        except UnknotError:
            pass
        finally:
            voice.give_up()  # or the end of the program would wait for the last sentence

    def _page(self) -> PageTable:
        """The helper's page as set, or as asked for on the command line."""
        page, options = self._settings.page, self._options
        asked = {"enabled": options.page or options.lan, "lan": options.lan}
        return page.model_copy(update={key: True for key, wanted in asked.items() if wanted})

    async def _run_with(self, massager: Massager | None, microphone: str) -> str:
        from assistant.microphone_side import open_side

        clock = self._clock
        watching = Watching(clock, self._publish)
        side = open_side(
            self._settings,
            microphone,
            self._options.loudspeaker,
            clock,
            lambda event: door.tell(watching.passing(event)),
        )
        conductor = self._conductor(massager, side.send, clock(), watching.publish)
        live = Live(conductor, clock, Watchdog().turned, WallClock().jumped, time_of_day)
        door = _Door(live)
        _quit_on_signals(live)
        listening = asyncio.create_task(side.listen())
        listening.add_done_callback(lambda _: live.quit())
        rendering = asyncio.create_task(self._render_ahead(microphone))
        live.tell(Begin(self._routine(), self._unfinished))
        watching.follow(conductor.session)
        try:
            terminal = None if microphone == KEYBOARD else own_terminal()
            with physical_stop(live.interrupt, self._settings.button.pin, terminal):
                async with watched(watching, self._settings, self._page(), live.interrupt):
                    why = await live.run()
            failure = door.failure or side.failure
            if failure is not None:
                raise failure
            return why
        finally:
            rendering.cancel()
            listening.cancel()
            await side.close()


async def _let_go(massager: Massager) -> None:
    """Off, confirmed where a device can confirm it, and let go."""
    from assistant.massager.opening import confirmed_off

    massager.off()
    if massager.capabilities.real:
        await confirmed_off(cast(RealMassager, massager), OFF_SECONDS)
    massager.close()


class _Door:
    """Passes on what the ears tell; ears that have no devices to begin with end the program.

    A service waits instead: there somebody may plug the microphone in later.
    """

    def __init__(self, live: Live) -> None:
        self.failure: UnknotError | None = None
        self._live = live
        self._open = SERVICE in os.environ

    def tell(self, event: FromAudio) -> None:
        """Pass on one event."""
        if isinstance(event, Ready):
            self._open = True
        elif isinstance(event, Fault) and event.what in NO_DEVICES and not self._open:
            what = event.what.replace("_lost", "")
            self.failure = AudioMissing(f"no {what}: {event.detail}", "see: unknot doctor")
            self._live.quit()
        self._live.tell(event)


def _broken_off(journal: Journal, lost: list[SessionRecord]) -> tuple[str, int] | None:
    """The routine of the newest lost session, and the step (from 1) that it was in."""
    if not lost:
        return None
    newest = lost[-1]
    steps = [line.get("index") for line in journal.export(newest.id) if line["kind"] == "step"]
    if not steps or not isinstance(steps[-1], int):
        return None
    return newest.routine, steps[-1]


def _quit_on_signals(live: Live) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, live.quit)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
        loop.add_signal_handler(signal.SIGHUP, live.quit)


def _publisher(events: str, stack: ExitStack) -> Callable[[Line], None]:
    """Event lines as JSON to a file or stdout; else told in the terminal."""
    if not events:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")
        return _guarded(Narrator(Console(file=sys.stdout)).tell, sys.stdout, "the terminal")
    out = sys.stdout if events == "-" else _opened(Path(events), stack)
    return _guarded(lambda line: print(json.dumps(line), file=out, flush=True), out, events)


def _guarded(tell: Callable[[Line], None], out: TextIO, where: str) -> Callable[[Line], None]:
    """A full disk or a closed pipe ends the telling, and never the session."""
    broken = False

    def publish(line: Line) -> None:
        nonlocal broken
        if broken:
            return
        try:
            tell(line)
        except (OSError, UnicodeError, SystemExit) as error:  # rich exits at a closed pipe
            broken = True
            why = getattr(error, "strerror", None) or "closed"
            with contextlib.suppress(OSError):
                # What is still buffered goes nowhere, or the end of the program would fail with it.
                os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
                sys.stderr.write(f"unknot: {where}: {why}; no more is told there\n")

    return publish


def _open_journal(settings: Settings, stack: ExitStack) -> Journal:
    kept = journal_file(settings.journal.path)
    return stack.enter_context(Journal(kept if settings.journal.keep else under_way_file()))


def _opened(path: Path, stack: ExitStack) -> TextIO:
    """The events file. Raises `UnknotError` when it cannot be written."""
    try:
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise UnknotError(f"{path}: {error.strerror}", "name a file that can be written") from None
    stack.callback(file.close)
    return file
