"""What a complaint and a refusal lead to, as tables; it must never decide by itself.

Tiers are those of `assistant.safety`, triggers and states those of `assistant.state`.
"""

from assistant.safety import Tier
from assistant.state import State, Trigger

TIER_TRIGGER = {
    Tier.EMERGENCY: Trigger.ALARM,
    Tier.WARNING: Trigger.WARN,
    Tier.DEVICE: Trigger.REST,
    Tier.SORE: Trigger.SORE,
    Tier.STOP: Trigger.HALT,
}
SERIOUSNESS = {tier: len(Tier) - place for place, tier in enumerate(Tier)}
SERIOUS = {
    State.HALTED_EMERGENCY: SERIOUSNESS[Tier.EMERGENCY],
    State.HALTED_ASKING: SERIOUSNESS[Tier.WARNING],
    State.HALTED_RESTING: SERIOUSNESS[Tier.DEVICE],
}
"""A locked state gives way only to something more serious: also because the microphone may hear
us say the word "emergency"."""
LOCKING = frozenset({Tier.EMERGENCY, Tier.WARNING, Tier.DEVICE})
OFF_FAULTS = {
    "deaf": "microphone_lost",
    "ears do not answer": "recogniser_failed",
    "device silent": "device_silent",
    "unexpected off": "device_failed",
    "lease ran out": "device_silent",
    "clock went back": "other",
}
"""What the person is told when the governor refuses to go on."""
