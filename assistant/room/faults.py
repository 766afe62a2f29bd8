"""What breaks in the room and when; and what the live program is told while the sound is gone.

Only says what is broken now; the session must find out by itself, as it would live.
"""

from collections.abc import Iterable

from assistant.room.scenario import Fault as PlannedFault
from audio.live import FAULT_SECONDS, HEARTBEAT_SECONDS
from audio.messages import Fault, FromAudio, Health, Recovered

DEAF_SECONDS = 1.0
"""No heartbeat for so long means that the audio process is gone (assistant/ear.py)."""


class Breakdowns:
    """The planned faults of a scenario by session time."""

    def __init__(self, planned: Iterable[PlannedFault]) -> None:
        self._planned = tuple(planned)

    def since(self, kind: str, now: float) -> float | None:
        """When the fault of this kind that is on began; None when it is not on."""
        for fault in self._planned:
            over = fault.at + fault.seconds if fault.seconds else float("inf")
            if fault.kind == kind and fault.at <= now < over:
                return fault.at
        return None

    def count(self, kind: str, now: float) -> int:
        """How many faults of this kind have begun."""
        return sum(fault.kind == kind and fault.at <= now for fault in self._planned)

    def on(self, kind: str, now: float) -> bool:
        """Whether a fault of this kind is on."""
        return self.since(kind, now) is not None


class LostMicrophone:
    """What the audio process tells while no block comes: beats of growing age, then a fault."""

    def __init__(self) -> None:
        self._lost_at: float | None = None
        self._next_beat = 0.0
        self._told = False

    def gone(self, since: float, now: float, samples: int) -> list[FromAudio]:
        """No block came; the last one was `samples` in all and came at `since`."""
        if self._lost_at is None:
            self._lost_at, self._next_beat, self._told = since, now, False
        told: list[FromAudio] = []
        age = now - self._lost_at
        if now >= self._next_beat:
            self._next_beat = now + HEARTBEAT_SECONDS
            told.append(Health(now, age, -100.0, samples, ears_answer=False))
        if age >= FAULT_SECONDS and not self._told:
            self._told = True
            told.append(Fault("microphone_lost"))
        return told

    def back(self) -> list[FromAudio]:
        """Blocks come again."""
        lost, told = self._lost_at is not None, self._told
        self._lost_at = None
        return [Recovered("microphone_lost")] if lost and told else []


class DeadProcess:
    """What the session's own watch notices of an audio process that tells nothing."""

    def __init__(self) -> None:
        self._told = False

    def gone(self, since: float, now: float) -> list[FromAudio]:
        """Nothing was told since `since`."""
        if self._told or now - since < DEAF_SECONDS:
            return []
        self._told = True
        return [Fault("audio_process_died")]

    def back(self) -> list[FromAudio]:
        """A fresh process answers."""
        told, self._told = self._told, False
        return [Recovered("audio_process_died")] if told else []
