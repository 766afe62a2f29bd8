"""Turns what the session tells into the moments that a scripted person waits for.

It must never change the session, nor tell a moment that a person in the room could not notice.
"""

from collections.abc import Callable
from typing import Any

from assistant.room.trigger import Happening, Moment
from audio.messages import FromAudio, Heard, Level, SayEnded

Line = dict[str, Any]
_NO_QUESTION = ("massage", "closing", "ended")
"""States in which the end of a prompt asks nothing, unless a question is open."""


class Moments:
    """Gathers what happened while the session handled one message; `take` hands it over.

    `waiting` tells whether the session has an open question that waits for its answer.
    """

    def __init__(self, waiting: Callable[[], bool]) -> None:
        self._waiting = waiting
        self._happened: list[Happening] = []
        self._top = "idle"
        self._caused = 0
        self._spoke = 0

    def published(self, line: Line) -> None:
        """An event line was published."""
        kind = line["kind"]
        if kind not in ("heard", "massager"):  # leases are renewed whatever is heard
            self._caused += 1
        if kind == "state":
            self._entered(line["to"])
        elif kind in ("say", "say_end"):
            moment = Moment.PROMPT if kind == "say" else Moment.PROMPT_END
            self._happened.append(Happening(moment, line["prompt"]))
        elif kind == "hold":
            self._happened.append(Happening(Moment.HOLD))

    def sent(self, speaks: bool) -> None:
        """A command was sent to the audio side; `speaks` where it begins to speak."""
        self._caused += 1
        self._spoke += int(speaks)

    def begin(self) -> None:
        """The person and the program are ready."""
        self._happened.append(Happening(Moment.START))

    def handling(self) -> None:
        """The session is about to deal with one message."""
        self._caused = self._spoke = 0

    def handled(self, message: FromAudio) -> None:
        """The session has dealt with one message, and what it published is known."""
        if isinstance(message, SayEnded) and not message.cut and self._asks():
            self._happened.append(Happening(Moment.ASKED, self._top))
        if isinstance(message, Heard) and message.intent is not None and self._acted(message):
            self._happened.append(Happening(Moment.AFTER, message.intent.value))

    def take(self) -> list[Happening]:
        """What happened since the last call, in order."""
        happened, self._happened = self._happened, []
        return happened

    def _acted(self, heard: Heard) -> bool:
        return heard.level in (Level.CONFIRMED, Level.FINAL) and self._caused > 0

    def _asks(self) -> bool:
        """A prompt has just ended: was it a question that is now the person's to answer?"""
        if self._spoke:
            return False
        return self._waiting() or self._top not in _NO_QUESTION

    def _entered(self, state: str) -> None:
        top = state.partition(".")[0]
        if top != self._top:
            self._happened.append(Happening(Moment.STATE, top))
        if state != top or top == self._top:
            self._happened.append(Happening(Moment.STATE, state))
        self._top = top
