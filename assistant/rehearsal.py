"""A session as text, in no time: a reader instead of a voice, given meanings instead of ears.

For `unknot routine rehearse`, for tests and for whoever reviews a routine. It must never be used
with a real massager: nobody listens here.
"""

from collections.abc import Callable, Iterator, Mapping

from assistant.conductor import Conductor, Line
from assistant.massager import Massager
from assistant.messages import Begin, Event, Tick
from assistant.reader import Reader
from assistant.session import Session
from assistant.state import State
from audio.messages import Ear, Health, Heard, Level
from intents.intent import Intent, Meaning

HEARTBEAT_SECONDS = 2.0
ANSWER_SECONDS = 1.0

Answers = Mapping[State, Meaning]
WILLING: Answers = {
    State.CHOOSING: Meaning(Intent.TOOL, topic="hands"),
    State.SCREENING: Meaning(Intent.NO),
    State.HEARING_CHECK: Meaning(Intent.STOP),
    State.HANDS_ONLY: Meaning(Intent.YES),
    State.RATING_BEFORE: Meaning(Intent.NUMBER, value=6),
    State.PREPARING: Meaning(Intent.READY),
    State.COUNTING: Meaning(Intent.NUMBER, value=12),
    State.DOING: Meaning(Intent.YES),
    State.PAUSED: Meaning(Intent.CONTINUE),
    State.RATING_AFTER: Meaning(Intent.NUMBER, value=3),
}
"""A person who answers every question as asked, so that the routine goes through to its end."""


class Rehearsal:
    """Drives a session on virtual time, which jumps from one due moment to the next.

    `make_massager` is given the virtual clock; `answers` are given a second after each question.
    """

    def __init__(
        self,
        session: Session,
        make_massager: Callable[[Callable[[], float]], Massager] | None = None,
        answers: Answers = WILLING,
    ) -> None:
        self.now = 0.0
        self.lines: list[Line] = []
        self.session = session
        self.massager = make_massager(lambda: self.now) if make_massager else None
        self._reader = Reader(lambda: self.now)
        self.conductor = Conductor(session, self.massager, self._reader.do, self.lines.append)
        self.hears = True
        """Whether heartbeats come; without them the ears are dead."""
        self._answers = answers
        self._answer_at: float | None = None
        self._beat_at = 0.0

    def begin(self, routine: str | None = None) -> None:
        """Wake up, with a routine chosen or none."""
        self._beat()
        self.tell(Begin(routine))

    def tell(self, event: Event) -> None:
        """Give the session an event now, and what the reader makes of its wishes."""
        self.conductor.handle(event, self.now)
        self._read()

    def say(self, intent: Intent, value: int | None = None, topic: str | None = None) -> None:
        """The person says something that means this."""
        level = Level.FINAL
        self.tell(Heard(level, intent, intent.value, Ear.KEYBOARD, self.now, value, topic))

    def run_until(self, state: State, limit_seconds: float = 4000.0) -> bool:
        """Let time pass until the session is in `state`; False when that takes too long."""
        return self._run(lambda: self.session.state is state, limit_seconds)

    def run_for(self, seconds: float) -> None:
        """Let `seconds` pass."""
        end = self.now + seconds
        self._run(lambda: self.now >= end, seconds)
        self.now = end
        self.tell(Tick())

    def run_to_the_end(self, limit_seconds: float = 4000.0) -> bool:
        """Let time pass until the session has ended."""
        return self._run(lambda: self.conductor.ended is not None, limit_seconds)

    def _run(self, done: Callable[[], bool], limit_seconds: float) -> bool:
        end = self.now + limit_seconds
        while not done():
            at = self._next_at()
            if at > end:
                self.now = end
                return False
            self.now = max(self.now, at)
            self._do_what_is_due()
        return True

    def _next_at(self) -> float:
        if self._answer_at is None and self.session.waiting:
            self._answer_at = self.now + ANSWER_SECONDS
        deadline = self.conductor.deadline
        times = [self._beat_at, self._answer_at, self._reader.due_at, deadline]
        return min(t for t in times if t is not None)

    def _do_what_is_due(self) -> None:
        if self._read():
            return
        if self._answer_at is not None and self.now >= self._answer_at:
            self._answer()
        elif self.now >= self._beat_at:
            self._beat()
        else:
            self.tell(Tick())

    def _read(self) -> bool:
        """Pass on what the reader has begun and ended; True when there was any."""
        messages = self._reader.take()
        for message in messages:
            self.tell(message)
        return bool(messages)

    def _answer(self) -> None:
        self._answer_at = None
        meaning = self._answers.get(self.session.state)
        if meaning is None or not self.session.waiting:
            self.tell(Tick())
            return
        said = meaning.topic or (str(meaning.value) if meaning.value is not None else None)
        text = said or meaning.intent.value
        self.lines.append({"at": round(self.now, 3), "kind": "person", "text": text})
        self.say(meaning.intent, meaning.value, meaning.topic)

    def _beat(self) -> None:
        self._beat_at = self.now + HEARTBEAT_SECONDS
        if self.hears:
            self.tell(Health(self.now, 0.0, -50.0, int(self.now * 16000)))
        else:
            self.tell(Tick())


def spoken(lines: list[Line]) -> Iterator[str]:
    """The rehearsal as text: minute and second, who, and what."""
    for line in lines:
        told = _told(line)
        if told:
            minutes, seconds = divmod(int(line["at"]), 60)
            yield f"{minutes:2d}:{seconds:02d}  {told}"


def _told(line: Line) -> str:
    match line["kind"]:
        case "say":
            return f"unknot    {line['text']}"
        case "person":
            return f"person    {line['text']}"
        case "step":
            return f"          -- part {line['index']} of {line['of']}: {line['name']}"
        case "hold":
            return f"          -- hold for {line['seconds']:g} seconds"
        case "massager" if line.get("why") != "renewed":
            state = f"on, level {line['level']}" if line["on"] else "off"
            return f"          -- massager {state}"
        case "end":
            return f"          -- end: {line['why']}"
        case _:
            return ""
