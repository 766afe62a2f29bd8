"""What the phases of a session share: what is known, what is being said, what was asked.

Pure. A phase acts on the world only through `emit`; nothing here may move the session to another
state, which is the table's business (assistant/state.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from assistant.course import Course
from assistant.messages import Effect, Hush, MassagerLease, MassagerOff, Say
from assistant.quiet_hours import QuietHours
from assistant.routine import Routine, Tool
from assistant.safety import Advice, Governor
from assistant.script import Script, Value
from assistant.state import State, Trigger
from intents.intent import Intent

SILENT_AFTER_VOICE_SECONDS = 4.0
"""While somebody talks, nobody is asked again."""
LONGEST_PROMPT_SECONDS = 45.0
SECONDS_PER_WORD = 2.0
"""A prompt not over by then was lost: far longer than the slowest voice with interruptions."""

LOUDEST_DB, QUIETEST_DB = 0.0, -20.0
"""Of the voice; a softer one would not be heard when it matters."""


@dataclass(frozen=True)
class Manners:
    """How the session treats a person; all times in seconds."""

    screening: bool = True
    default_tool: str = ""
    """hands, balls or massager: taken without asking; empty asks."""
    brief: bool = False
    answer_seconds: float = 8.0
    tries: int = 3
    """W3C NAUR and voice guidelines: three misses, each prompt clearer (docs/facts.md S17, S18)."""
    still_with_me_seconds: float = 300.0
    pause_seconds: float = 60.0
    volume_db: float = 0.0
    pace: int = 2
    """Index into the paces of `assistant.phases.anytime`."""
    chime: bool = False
    """A soft tone when the start phrase was understood."""
    quiet: QuietHours | None = None
    """When the voice is low, and nobody is called to a break."""


PENDING_SECONDS = 20.0
"""A yes that comes later than this is an answer to something else."""


@dataclass(frozen=True)
class Pending:
    """An act that is hard to undo: it waits for a yes, in whatever state."""

    act: Callable[["Stage"], Trigger | None]
    kept: str
    """The prompt that answers a no."""
    until: float


@dataclass
class Question:
    """An open question: its prompts are `<prompt>.1`, `.2`, `.3`."""

    prompt: str
    expects: frozenset[Intent]
    tries: int
    asked: int = 1
    silent_at: float | None = None
    """When silence counts as no answer; None while the question is being spoken."""


@dataclass
class Stage:
    """The mutable middle of a session."""

    routines: Mapping[str, Routine]
    script: Script
    advice: Mapping[str, Advice]
    manners: Manners
    governor: Governor
    now: float = 0.0
    effects: list[Effect] = field(default_factory=list)
    routine: Routine | None = None
    course: Course | None = None
    question: Question | None = None
    queue: list[tuple[str, dict[str, Value]]] = field(default_factory=list)
    speaking: str | None = None
    speak_by: float | None = None
    set_aside: tuple[str | None, list[tuple[str, dict[str, Value]]]] | None = None
    """What was being said when the person was understood; goes on unless something else is said."""
    wake_at: float | None = None
    """When the phase itself wants to be woken: a reminder, a repeat, the end of a pause."""
    came_from: State = State.IDLE
    complaint: str = "stop"
    """The advice id of the last complaint."""
    fault: str | None = None
    ratings: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    why: str = "finished"
    red_flags_first: bool = False
    reason: int = 0
    """Index of the screening question that is due."""
    checked_at: float = float("-inf")
    """When the word was last heard in the hearing check."""
    heard_once: bool = False
    """The word was heard a first time, in a room so loud that it is asked for twice."""
    noise_db: float = float("inf")
    """The quietest of the last seconds at the microphone, the loudspeaker's echo taken out; a room
    that was never measured counts as loud."""
    step_is_new: bool = False
    """The step that is about to be spoken begins, rather than being said again."""
    moving: bool = False
    """The massage itself has begun, so a massager stays on while the next step is spoken."""
    last_heard_at: float = 0.0
    pending: Pending | None = None
    """What a yes would do."""
    unfinished: tuple[str, int] | None = None
    """The routine and step of a session that broke, while the offer to go on stands."""
    begin_at_step: int = 0
    """The step to begin with, when a session that broke goes on."""
    calm_offered: bool = False
    """A routine that touches nothing was offered in place of the massage."""
    quiet: bool = False
    """These are quiet hours."""
    last_topic: str | None = None
    """The last question answered, for "more"."""

    # The routine that is on

    @property
    def way(self) -> Course:
        """The course; only asked for in states that have one."""
        if self.course is None:
            raise AssertionError("no course in this state")
        return self.course

    @property
    def tool(self) -> Tool:
        """What presses on the neck in the chosen routine."""
        return self.routine.tool if self.routine else Tool.NONE

    # Saying

    def emit(self, effect: Effect) -> None:
        """Want something done."""
        self.effects.append(effect)

    def say(self, prompt: str, **values: Value) -> None:
        """Say this now, in place of whatever is being said."""
        self.queue = []
        self._speak(prompt, values)

    def then(self, prompt: str, **values: Value) -> None:
        """Say this after what is being said."""
        if self.speaking is None:
            self._speak(prompt, values)
        else:
            self.queue.append((prompt, values))

    def interrupt(self) -> None:
        """The person was understood: what is said next takes the place of what is being said."""
        self.set_aside = (self.speaking, self.queue)
        self.speaking, self.queue = None, []

    def hush(self) -> None:
        """Be silent."""
        self.queue, self.speaking, self.speak_by = [], None, None
        self.emit(Hush())

    def said(self, prompt: str) -> bool:
        """A prompt was spoken to its end; True when nothing is left to say."""
        if prompt != self.speaking:
            return False
        self.speaking = self.speak_by = None
        if self.queue:
            self._speak(*self.queue.pop(0))
            return False
        if self.question is not None:
            self.question.silent_at = self.now + self.manners.answer_seconds
        return True

    def _speak(self, prompt: str, values: Mapping[str, Value]) -> None:
        sentences = self.script.line(prompt, **values)
        words = sum(len(sentence.split()) for sentence in sentences)
        self.speaking = prompt
        self.speak_by = self.now + LONGEST_PROMPT_SECONDS + SECONDS_PER_WORD * words
        if self.question is not None:
            self.question.silent_at = None
        self.emit(Say(prompt, sentences))

    # Asking

    def ask(self, prompt: str, expects: frozenset[Intent], tries: int | None = None) -> None:
        """Ask a question after what is being said."""
        self.question = Question(prompt, expects, tries or self.manners.tries)
        self.then(self.question_prompt())

    def ask_again(self, *, counts: bool = True) -> bool:
        """Ask the open question again, more clearly; False when it was asked often enough."""
        question = self.question
        if question is None:
            return False
        if counts and question.asked >= question.tries:
            return False
        question.asked += int(counts)
        self.then(self.question_prompt())
        return True

    def question_prompt(self) -> str:
        """The prompt of the open question for this try; the last one there is when tries go on."""
        if self.question is None:
            raise AssertionError("no question is open")
        base, n = self.question.prompt, self.question.asked
        while n > 1 and not self.script.has(f"{base}.{n}"):
            n -= 1
        numbered = f"{base}.{n}"
        return numbered if self.script.has(numbered) else base

    def confirm(self, prompt: str, kept: str, act: Callable[["Stage"], Trigger | None]) -> None:
        """Ask for a yes to `act` now, because it is hard to undo; `kept` answers a no."""
        self.say(prompt)
        self.pending = Pending(act, kept, self.now + PENDING_SECONDS)

    def answered(self) -> None:
        """The open question is closed."""
        self.question = None

    def somebody_talks(self) -> None:
        """Give a person who is talking the time to finish."""
        question = self.question
        if question is not None and question.silent_at is not None:
            question.silent_at = max(question.silent_at, self.now + SILENT_AFTER_VOICE_SECONDS)

    # What came of it

    def take(self) -> tuple[Effect, ...]:
        """Hand over the effects: off before everything, and no lease beside an off."""
        effects, self.effects = self.effects, []
        self._go_on_saying(effects)
        offs = [effect for effect in effects if isinstance(effect, MassagerOff)]
        if not offs:
            return tuple(effects)
        rest = (e for e in effects if not isinstance(e, MassagerOff | MassagerLease))
        return (offs[0], *rest)

    def _go_on_saying(self, effects: list[Effect]) -> None:
        """Nothing new was said: the voice goes on with what it was saying."""
        aside, self.set_aside = self.set_aside, None
        if aside is not None and not any(isinstance(e, Say | Hush) for e in effects):
            self.speaking, self.queue = aside

    @property
    def deadline(self) -> float | None:
        """When a `Tick` is next wanted, without the clock of the course."""
        silent_at = self.question.silent_at if self.question else None
        times = (silent_at, self.speak_by, self.wake_at, self.governor.deadline)
        return min((t for t in times if t is not None), default=None)
