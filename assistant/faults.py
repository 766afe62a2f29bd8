"""What is broken in a session: which faults stand, which one is told, and when it is over.

It must never let a fault pass without an off, nor forget one whose end nobody has told.
"""

from assistant.messages import FaultNoted, MassagerReport
from assistant.phases.phase import Phase, Reply
from assistant.phases.rests import LASTING, Faulty, fault_prompt
from assistant.stage import Stage
from assistant.state import LOCKED, State, Trigger
from assistant.suspicion import Suspicion

OTHER_VOICE = "voice_changed"
NOTICED_HERE = frozenset({"microphone_lost", "recogniser_failed"})
"""Faults that the governor's refusal may have noticed here, late beats being enough: nobody else
tells their end, so good beats do."""
EARS_GONE = frozenset({"audio_process_died", "audio_process_hangs", "audio_gave_up"})
"""With the audio process goes all that stood: it alone would have told the end, a new one tells
anew what is still broken, and of several deaths only the last one's end is told."""
FOR_GOOD = frozenset({"device_failed", "audio_gave_up"})
"""After these no massager runs any more in this session."""
NOTHING_RUNS = frozenset({State.ENDED, State.IDLE, State.CLOSING, *LOCKED})
"""Where a fault interrupts nothing."""


class Faults:
    """The faults of one session. What it returns is the move that the session is to make."""

    def __init__(self, stage: Stage, suspicion: Suspicion) -> None:
        self._stage = stage
        self._suspicion = suspicion
        self._standing: set[str] = set()

    @property
    def standing(self) -> str | None:
        """A fault whose end is still to be told; None when all is whole."""
        return min(self._standing, default=None)

    def told(self, what: str, state: State) -> Reply:
        """A fault that somebody told, who will tell its end, too."""
        if what == OTHER_VOICE:
            return self._say_who_speaks(state)
        if what in EARS_GONE:
            self._standing.clear()
        if what in LASTING:
            self._standing.add(what)
        return self.noticed(what, state)

    def noticed(self, what: str, state: State) -> Reply:
        """Off; then, where something runs, everything rests until the person's word."""
        s = self._stage
        s.emit(s.governor.off(what, s.now))
        if state is State.PAUSED_FAULT and s.fault == what:
            return None
        s.emit(FaultNoted(what))
        s.pending = None
        self._suspicion.end()
        if what in FOR_GOOD:
            s.governor.give_up()
        if state in NOTHING_RUNS:
            return None
        s.fault = what
        return Trigger.FAULT

    def reported(self, report: MassagerReport, state: State) -> Reply:
        """A massager that stays on after an off has failed."""
        s = self._stage
        s.governor.reported(report)
        if not s.governor.disobeys() or s.fault == "device_failed":
            return None
        s.emit(s.governor.off("disobeys", s.now))
        return self.noticed("device_failed", state)

    def beat(self, healthy: bool, phase: Phase) -> None:
        """A beat of the audio process: a good one ends what only late ones were."""
        s = self._stage
        if healthy and s.fault in NOTICED_HERE and s.fault not in self._standing:
            self.recovered(s.fault, phase)

    def recovered(self, what: str, phase: Phase) -> None:
        """One fault is over; another one that still stands is said in its place."""
        s = self._stage
        self._standing.discard(what)
        if s.fault == what and self._standing:
            s.fault = min(self._standing)
            s.say(fault_prompt(s))
        elif s.fault == what and isinstance(phase, Faulty):
            phase.recovered(s)
        elif s.fault == what:
            s.fault = None

    def _say_who_speaks(self, state: State) -> Reply:
        """Nothing has to rest for that; but a strange voice in the dark is to be explained."""
        if state is not State.ENDED:
            self._stage.then(f"fault.{OTHER_VOICE}")
        return None
