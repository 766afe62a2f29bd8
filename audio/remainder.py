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
TAKEN_FIRST_DB = 8.0
"""The same until the canceller has learned the room: before that nothing runs that a word could
halt, for a session's first words are ours."""
LEARNED_DB = 18.0
"""So much is taken of our voice alone, over a second, where the room is known."""
LEARNED_BLOCKS = 300
"""After 6 s of our voice it knows what it will ever know of this room."""
AVERAGED = 0.98
HANG_BLOCKS = 15
"""A person who was heard is heard 300 ms longer: the soft end of a word is theirs too."""
LINGER_BLOCKS = 50
"""Echo is in the room for a second after our voice."""
SMOOTHED = 0.7
"""Power is compared over about 60 ms: the canceller is a little later than the microphone."""
SOFTENED = 0.01


class Remainder:
    """The gate behind one canceller."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget what was played and heard."""
        self._since_played = LINGER_BLOCKS
        self._open = HANG_BLOCKS
        self._gain = 1.0
        self._heard = self._left = 0.0
        self._taken_db = 0.0
        self._played_blocks = 0
        self.learned = False
        """The canceller knows the room as well as it ever will."""

    def soften(self, mic: Samples, cleaned: Samples, played: Samples) -> Samples:
        """The cleaned block, softer by 40 dB where it is only what is left of our voice."""
        sounds = bool(played.any())
        self._since_played = 0 if sounds else self._since_played + 1
        self._heard = SMOOTHED * self._heard + 10 ** (level_db(mic) / 10)
        self._left = SMOOTHED * self._left + 10 ** (level_db(cleaned) / 10)
        if sounds and not self.learned:
            self._learn()
        self._open = HANG_BLOCKS if self._is_person(cleaned) else max(0, self._open - 1)
        was, self._gain = self._gain, 1.0 if self._open else SOFTENED
        if was == self._gain == 1.0:
            return cleaned
        softened: Samples = np.rint(cleaned * np.linspace(was, self._gain, BLOCK)).astype(np.int16)
        return softened

    def _learn(self) -> None:
        """How much is taken of our voice, in the mean of the last second of it."""
        now_db = 10 * np.log10((self._heard + 1e-12) / (self._left + 1e-12))
        self._taken_db = AVERAGED * self._taken_db + (1 - AVERAGED) * float(now_db)
        self._played_blocks += 1
        self.learned = self._taken_db > LEARNED_DB or self._played_blocks > LEARNED_BLOCKS

    def _is_person(self, cleaned: Samples) -> bool:
        if self._since_played >= LINGER_BLOCKS:
            return True
        taken_db = TAKEN_DB if self.learned else TAKEN_FIRST_DB
        little = self._left < self._heard * 10 ** (-taken_db / 10)
        return not little and level_db(cleaned) > LOWEST_DB
