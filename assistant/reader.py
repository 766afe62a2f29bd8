"""A voice without sound: takes what is to be said and tells when a calm voice would be done.

Stands where the audio side stands, for rehearsals and for the keyboard. It must never hear.
"""

from collections.abc import Callable

from audio.messages import (
    FromAudio,
    HushCommand,
    SayBegan,
    SayEnded,
    SpeakCommand,
    ToAudio,
)

SECONDS_PER_WORD = 0.42
"""About 140 words a minute, as config/settings.toml sets the voice."""


class Reader:
    """Takes the commands of the audio side; `take(now)` gives the messages that are due."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._due: list[tuple[float, FromAudio]] = []

    def do(self, command: ToAudio) -> None:
        """Begin to read, or fall silent; anything else makes no difference to a reader."""
        if isinstance(command, HushCommand):
            self._cut()
        elif isinstance(command, SpeakCommand):
            self._cut()
            now = self._clock()
            words = sum(len(sentence.split()) for sentence in command.sentences)
            end = now + SECONDS_PER_WORD * words
            text = " ".join(command.sentences)
            self._due.append((now, SayBegan(command.prompt, text, now)))
            self._due.append((end, SayEnded(command.prompt, end)))

    @property
    def due_at(self) -> float | None:
        """When there is something to take."""
        return self._due[0][0] if self._due else None

    def take(self) -> list[FromAudio]:
        """What has begun and ended by now."""
        now = self._clock()
        ready = [message for at, message in self._due if at <= now]
        self._due = [(at, message) for at, message in self._due if at > now]
        return ready

    def _cut(self) -> None:
        now = self._clock()
        ends = [m for _, m in self._due if isinstance(m, SayEnded)]
        begun = [(at, m) for at, m in self._due if isinstance(m, SayBegan)]
        self._due = [*begun, *((now, SayEnded(m.prompt, now, cut=True)) for m in ends)]
