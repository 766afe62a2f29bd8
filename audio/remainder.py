"""Tells a person from what the echo canceller leaves of our own voice, and softens the latter.

It must never soften anything but while our voice sounds or has just sounded, nor a word of a
person who is nearly as loud as our echo: it goes by loudness alone and knows no words.
"""

import numpy as np

from audio.sound import BLOCK, Samples, level_db

LOWEST_DB = -58.0
"""A person is louder than this at the microphone; ears hear words in a remainder of -70 dB."""
TAKEN_DB = 14.0
"""Of our own voice the canceller takes more than this, of a person over it less."""
HANG_BLOCKS = 15
"""A person who was heard is heard 300 ms longer: the soft end of a word is theirs too."""
LINGER_BLOCKS = 50
"""Echo is in the room for a second after our voice."""
SMOOTHED = 0.7
"""Power is compared over about 60 ms: the canceller is a little later than the microphone."""
FADING = 0.8
"""What was heard counts on, a decibel softer each block: the end of a long room's echo is little
beside its beginning, but not beside itself."""
SOFTENED = 0.003
"""By 50 dB. By 40, ears of any loudness still took a remainder for a word."""


class Remainder:
    """The gate behind one canceller."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget what was played and heard."""
        self._since_played = LINGER_BLOCKS
        self._open = 0
        self._gain = 1.0
        self._heard = self._loudest = self._left = 0.0

    def soften(self, mic: Samples, cleaned: Samples, left: Samples, played: Samples) -> Samples:
        """The cleaned block, softer by 50 dB where what is `left` of the microphone's is only what
        is left of our voice."""
        self._since_played = 0 if played.any() else self._since_played + 1
        self._heard = SMOOTHED * self._heard + 10 ** (level_db(mic) / 10)
        self._loudest = max(self._heard, FADING * self._loudest)
        self._left = SMOOTHED * self._left + 10 ** (level_db(left) / 10)
        alone = self._since_played >= LINGER_BLOCKS
        # Also alone: who talks when our voice begins stays heard; mere quiet opens nothing.
        person = level_db(left) > LOWEST_DB and (alone or self._is_much())
        self._open = HANG_BLOCKS if person else max(0, self._open - 1)
        was, self._gain = self._gain, 1.0 if alone or self._open else SOFTENED
        if was == self._gain == 1.0:
            return cleaned
        softened: Samples = np.rint(cleaned * np.linspace(was, self._gain, BLOCK)).astype(np.int16)
        return softened

    def _is_much(self) -> bool:
        """The canceller took less than it takes of our own voice."""
        return self._left >= self._loudest * 10 ** (-TAKEN_DB / 10)
