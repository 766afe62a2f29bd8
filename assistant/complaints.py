"""What a safety word leads to: the advice of its tier, and the move that goes with it.

It must never give way to something less serious than what is already being done.
"""

from assistant.consequences import LOCKING, SERIOUS, SERIOUSNESS, TIER_TRIGGER
from assistant.machine import LEGAL
from assistant.messages import AdviceGiven
from assistant.phases.phase import Reply
from assistant.safety import DEFAULT_TIER, Tier, advice_id
from assistant.stage import Stage
from assistant.state import LOCKED, State, Trigger
from intents.intent import Meaning


def take(s: Stage, meaning: Meaning, state: State) -> Reply:
    """Take a safety word in this state; the massager is off already."""
    advice = s.advice.get(advice_id(meaning))
    tier = advice.tier if advice else DEFAULT_TIER[meaning.intent]
    if SERIOUS.get(state, 0) < SERIOUSNESS[tier]:
        s.complaint = advice_id(meaning)
    if state is State.ENDED:
        _advise_after_the_end(s, tier)
        return None
    if tier in LOCKING:
        s.why = "halted"
        s.calm_offered = False
        s.governor.disarm()
    elif state in LOCKED:
        tier = Tier.STOP
    if tier is not Tier.STOP and SERIOUS.get(state, 0) >= SERIOUSNESS[tier]:
        return None
    trigger = TIER_TRIGGER[tier]
    return trigger if (trigger, state) in LEGAL else Trigger.HALT


def _advise_after_the_end(s: Stage, tier: Tier) -> None:
    s.hush()
    s.emit(AdviceGiven(s.complaint, tier.value))
    for part in ("heard", "say"):
        if s.script.has(f"advice.{s.complaint}.{part}"):
            s.then(f"advice.{s.complaint}.{part}")
