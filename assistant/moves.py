"""Where a session is: follows the triggers that its phases ask for, from one state to the next.

It must never move without a row of `assistant.state.TABLE`.
"""

from assistant.machine import LEGAL, Position, machine
from assistant.messages import StateChanged
from assistant.phases.every import every_phase
from assistant.phases.phase import Phase, Reply
from assistant.stage import Stage
from assistant.state import RESUMABLE, State, Trigger

LEAVES_A_PLACE = frozenset({Trigger.HALT, Trigger.PAUSE, Trigger.SORE, Trigger.FAULT})
"""What interrupts a session, which may go on from there."""


class Moves:
    """The state of a session, and the phase that goes with it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._position = Position()
        self._machine = machine(self._position, lambda dest: lambda: stage.came_from is dest)
        self._phases = every_phase()

    @property
    def state(self) -> State:
        """Where the session is."""
        return self._position.state

    @property
    def phase(self) -> Phase:
        """What conducts this state."""
        return self._phases[self.state]

    def allows(self, trigger: Trigger) -> bool:
        """Whether the table has a row for the trigger here."""
        return (trigger, self.state) in LEGAL

    def follow(self, trigger: Reply) -> None:
        """Follow a trigger, and those that the new phases ask for on arrival."""
        while trigger is not None:
            before = self.state
            if not self.allows(trigger):
                return
            dest = self._destination(trigger)
            if dest is None:
                trigger = self.phase.halted_here(self._stage)
                continue
            self._stage.wake_at = None  # a state is woken by what it set itself
            if before in RESUMABLE and trigger in LEAVES_A_PLACE:
                self._stage.came_from = before
            self._machine.dispatch(trigger.value)
            self._stage.emit(StateChanged(before.value, self.state.value))
            trigger = self.phase.enter(self._stage)

    def _destination(self, trigger: Trigger) -> State | None:
        """Where it leads; None is "stay"."""
        return self._stage.came_from if trigger is Trigger.RESUME else LEGAL[trigger, self.state]
