"""Judges a microphone by a few seconds of its sound; it must never keep that sound."""

from dataclasses import dataclass

import numpy as np

from assistant.machine_checks import Check
from audio.echo import ABOVE_FLOOR_DB, LOWEST_DB
from audio.errors import AudioMissing
from audio.sound import BLOCK, Samples, blocks, level_db

CLIPPED = 32_700
"""A sample this far out was cut off by the converter."""

CLIPPED_SAMPLES = 5
"""So many of them are no accident."""

NOISY_DB = LOWEST_DB
"""A room louder than this hides soft words: below it, talk is told from noise by the level alone
(audio/echo.py)."""

SOFT_DB = LOWEST_DB + 10.0
"""Talk softer than this is hardly told from the room."""

GOOD_DB = -26.0
"""Where talk should be: clear of the room, and 20 dB below what a shout would cut off."""

TALK_BLOCKS = 10
"""Loud blocks that count as talk: 0.2 s, a short word."""


@dataclass(frozen=True)
class Heard:
    """What some seconds of sound say of a microphone. Levels in dB against full scale."""

    room_db: float
    """The 10th percentile of blocks of 20 ms: the room when nobody talks."""
    talk_db: float | None
    """The middle of what stands out of the room; None when nothing does."""
    clipped: int
    """Samples that were cut off."""
    muted: bool
    """Nothing ever changed."""


def heard(sound: Samples) -> Heard:
    """Look at some seconds of sound, of 16 kHz."""
    levels = np.array([level_db(block) for block in blocks(sound[: len(sound) // BLOCK * BLOCK])])
    room_db = float(np.percentile(levels, 10)) if len(levels) else -100.0
    loud = levels[levels > max(room_db + ABOVE_FLOOR_DB, LOWEST_DB - ABOVE_FLOOR_DB)]
    return Heard(
        room_db,
        float(np.median(loud)) if len(loud) >= TALK_BLOCKS else None,
        int(np.count_nonzero(np.abs(sound.astype(np.int32)) >= CLIPPED)),
        not len(sound) or bool((sound == sound[0]).all()),
    )


def microphone(found: Heard, *, expects_talk: bool = False) -> Check:
    """What to do about the gain. `expects_talk`: a person was asked to speak."""
    value = _value(found)

    def poor(remedy: str, exit_code: int = 0) -> Check:
        return Check("microphone", False, value, remedy, exit_code)

    if found.muted:
        return poor("switch it on, or unmute it: alsamixer, F4", AudioMissing.exit_code)
    if found.clipped >= CLIPPED_SAMPLES:
        return poor("turn its gain down by 10 dB (alsamixer, F4), or hold it farther away")
    if found.room_db > NOISY_DB:
        return poor("turn its gain down (alsamixer, F4), or take it away from what hums")
    if found.talk_db is not None and found.talk_db < SOFT_DB:
        wanted = round(GOOD_DB - found.talk_db)
        return poor(f"turn its gain up by {wanted} dB (alsamixer, F4), or have it nearer")
    if found.talk_db is None and expects_talk:
        return poor("run it again and speak, or turn its gain up: alsamixer, F4")
    return Check("microphone", True, value)


def bar(level: float, width: int = 40) -> str:
    """A level from -70 to 0 dB as a bar, with marks where talk is too soft and where it is good."""
    full = round(max(0.0, min(1.0, 1.0 + level / 70.0)) * width)
    marks = {round((1.0 + db / 70.0) * width): "|" for db in (SOFT_DB, GOOD_DB)}
    drawn = ("#" if at < full else marks.get(at, ".") for at in range(width))
    return f"[{''.join(drawn)}] {level:4.0f} dB"


def _value(found: Heard) -> str:
    if found.muted:
        return "perfect silence: no microphone is that quiet"
    talk = "nobody spoke" if found.talk_db is None else f"talk at {found.talk_db:.0f} dB"
    cut = f", {found.clipped} samples too loud and cut off" if found.clipped else ""
    return f"room at {found.room_db:.0f} dB, {talk}{cut}"
