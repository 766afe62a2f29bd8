"""Keeps what the microphone heard and what the loudspeaker played as one stereo recording.

It must never change a sample, nor hold a whole session in memory.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from assistant.room.acoustics import Block
from assistant.room.sound import BLOCK, RATE
from audio.errors import UnknotError


@contextmanager
def recording(path: Path | None) -> Iterator[Callable[[Block, Block], None]]:
    """Take blocks of microphone and loudspeaker: left and right of a WAV, where one is wanted.

    Raises UnknotError where the file cannot be written.
    """
    if path is None:
        yield lambda _mic, _played: None
        return
    try:
        file = soundfile.SoundFile(path, "w", RATE, 2, "PCM_16", format="WAV")
    except (soundfile.SoundFileError, OSError) as error:
        raise unwritable(path, error) from None
    with file:
        both = np.zeros((BLOCK, 2), np.int16)

        def record(mic: Block, played: Block) -> None:
            both[:, 0], both[:, 1] = mic, played
            file.write(both)

        yield record


def unwritable(path: Path, error: Exception) -> UnknotError:
    """The one line about a file that cannot be written."""
    reason = error.strerror if isinstance(error, OSError) else "the folder does not take it"
    return UnknotError(f"{path}: {reason or error}", "give a path that can be written")
