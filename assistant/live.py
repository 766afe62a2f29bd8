"""The one loop: events in as they come, ticks when they are due, every fault an event.

It must never wait for anything but the next event, and never let an exception past without an off.
"""

import asyncio
from collections.abc import Callable

from assistant.conductor import Conductor
from assistant.messages import Event, Tick, TimeOfDay
from audio.messages import Ear, Fault, Heard, Level
from intents.intent import Intent

LONGEST_WAIT_SECONDS = 0.5
"""The loop turns at least this often, so that a watchdog can see that it does."""


class Live:
    """Runs one session; `clock` gives seconds, `turned` is called once a turn of the loop.

    `jumped` is asked once a turn whether the machine's clock was set: no lease is kept after that.
    `time_of_day` gives minutes since midnight, for manners alone.
    """

    def __init__(
        self,
        conductor: Conductor,
        clock: Callable[[], float],
        turned: Callable[[], None] = lambda: None,
        jumped: Callable[[], Fault | None] = lambda: None,
        time_of_day: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._conductor = conductor
        self._clock = clock
        self._turned = turned
        self._jumped = jumped
        self._time_of_day = time_of_day
        self._minute: int | None = None
        self._inbox: asyncio.Queue[Event] = asyncio.Queue()

    def tell(self, event: Event) -> None:
        """Something happened; safe to call from the loop's own thread only."""
        self._inbox.put_nowait(event)

    def interrupt(self) -> None:
        """Ctrl-C, a key, a button: the same halt as the spoken word, without a queue before it.

        An error on the way ends the session as it does in `run`: who calls this goes on.
        """
        now = self._clock()
        try:
            self._conductor.handle(Heard(Level.CONFIRMED, Intent.STOP, "", Ear.BUTTON, now), now)
        except BaseException:
            self._conductor.end("faulted", now)
            self.tell(Tick())
            raise

    def quit(self) -> None:
        """Halt, and end the session. A second call changes nothing."""
        if self._conductor.ended is None:
            try:
                self.interrupt()
            finally:
                self._conductor.end("stopped", self._clock())
                self.tell(Tick())

    async def run(self) -> str:
        """Run until the session has ended, and return why."""
        try:
            while self._conductor.ended is None:
                event = await self._next()
                self._look_at_the_clock()
                self._conductor.handle(event, self._clock())
                self._turned()
            return self._conductor.ended
        finally:
            self._conductor.end(self._conductor.ended or "faulted", self._clock())

    def _look_at_the_clock(self) -> None:
        """Nothing here is timed by it; but what else it upset nobody knows, so the person says
        whether the massager goes on."""
        minute = self._time_of_day()
        if minute is not None and minute != self._minute:
            self._minute = minute
            self._conductor.handle(TimeOfDay(minute), self._clock())
        jump = self._jumped()
        if jump is not None and self._conductor.leasing:
            self._conductor.handle(jump, self._clock())

    async def _next(self) -> Event:
        deadline = self._conductor.deadline
        wait = LONGEST_WAIT_SECONDS
        if deadline is not None:
            wait = min(wait, max(0.0, deadline - self._clock()))
        try:
            async with asyncio.timeout(wait):
                return await self._inbox.get()
        except TimeoutError:
            return Tick()
