"""AEC3 behind the room filter: it leaves least of our voice, and rests while nothing was played.

It must never rest where that can be heard: ten seconds after our voice it says what AEC3 says on
the microphone itself, within a thousandth of full scale in a loud room, and from then on that one
speaks for it.
"""

from typing import Final

from audio.aec3 import Aec3, mixed
from audio.sound import Samples

REST_BLOCKS: Final = 500
"""Blocks of 20 ms without our voice before it rests. The room filter hands on what the microphone
hears after a second and a half; until the two noise suppressors agree again it takes some eight
seconds more, and a word in which one took over from the other was not understood."""


class Thorough:
    """AEC3 on what the room filter leaves."""

    def __init__(self) -> None:
        self._own = Aec3()
        self.reset()

    @property
    def rests(self) -> bool:
        """It works again with the next block of our voice."""
        return self._unplayed >= REST_BLOCKS

    def clean(self, rest: Samples, played: Samples, quick: Samples) -> Samples:
        """A block of what the room filter left without the echo of what was played; `quick` is the
        microphone's block as AEC3 cleaned it."""
        if played.any():
            self._unplayed = 0
            return self._own.clean(rest, played)
        if self.rests:
            return quick
        self._unplayed += 1
        own = self._own.clean(rest, played)
        return mixed(own, quick, 0.0, 1.0) if self.rests else own

    def reset(self) -> None:
        """Forget the room."""
        self._own.reset()
        self._unplayed = REST_BLOCKS
