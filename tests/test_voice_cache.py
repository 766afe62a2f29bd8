"""The cache of rendered sentences: it does not grow for ever, and a full disk is called one."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from audio.clips import Clips
from audio.errors import UnknotError
from audio.messages import Fault
from audio.sound import RATE
from audio.speech_engine import VoiceError, disk_error, fault_of

SECOND = np.ones(RATE, np.int16)
ROOM = 3 * 2 * RATE + 200
"""Three clips of a second, and their digests."""


def fill(folder: Path) -> None:
    """Four clips, the first of them written longest ago."""
    for number in range(4):
        Clips(folder).put(f"clip{number}", SECOND.copy())
        os.utime(folder / f"clip{number}.clip", (1000.0 + number, 1000.0 + number))


def kept(folder: Path) -> set[str]:
    return {file.stem for file in folder.glob("*.clip")}


def test_what_was_not_played_for_longest_makes_room(tmp_path: Path) -> None:
    fill(tmp_path)
    assert Clips(tmp_path).get("clip0") is not None  # played again: it is now the newest
    Clips(tmp_path, ROOM).put("new", SECOND.copy())
    assert kept(tmp_path) == {"clip0", "clip2", "clip3", "new"}


def test_a_cache_that_is_small_enough_keeps_everything(tmp_path: Path) -> None:
    fill(tmp_path)
    Clips(tmp_path).put("new", SECOND.copy())
    assert len(kept(tmp_path)) == 5


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (disk_error("cache", "", OSError(errno.ENOSPC, "No space left on device")), "disk_full"),
        (disk_error("cache", "", OSError(errno.EACCES, "Permission denied")), "voice_failed"),
        (VoiceError("the speech engine hung"), "voice_failed"),
        (UnknotError("something else"), "voice_failed"),
    ],
)
def test_a_fault_of_the_voice_is_named_for_what_it_is(error: UnknotError, what: str) -> None:
    assert fault_of(error) == Fault(what, str(error))
