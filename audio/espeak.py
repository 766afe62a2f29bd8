"""pyttsx3 with espeak-ng as a speech engine; it must never play sound, only write files.

Each process renders one sentence: espeak keeps its phase from sentence to sentence, so that only a
fresh one gives the same samples for the same text, whatever was rendered before.
"""

import ctypes
import importlib.metadata
import importlib.util
import os
import threading
from pathlib import Path
from typing import Any

from audio.speech_engine import VoiceError

SYSTEM_LIBRARY = "libespeak-ng.so.1"
WHEEL = "espeakng_loader"
REMEDY = "pip install espeakng-loader, or apt-get install libespeak-ng1"
LONGEST_SECONDS = 8.0
"""Time that one sentence may take; 0.03 s is usual here (bench/voice.py)."""


class Espeak:
    """The system's espeak-ng, or the one in the espeakng-loader wheel where the system has none."""

    own_voice = "gmw/en-us"
    at_once = 3
    """Most of the 0.03 s of each is pyttsx3 asleep."""
    in_a_row = 1

    def __init__(self, system_library: str = SYSTEM_LIBRARY, wheel: str = WHEEL) -> None:
        self.system_library = system_library
        self.wheel = wheel

    def is_there(self) -> bool:
        """It is part of every installation."""
        return True

    def knows(self, voice: str) -> bool:
        """It has far more voices than one would list; what is unknown is found when it speaks."""
        return True

    def version(self) -> str:
        """For example "pyttsx3 2.99 espeak-ng 1.52.0". Raises `VoiceError` without a library."""
        info = self._library().espeak_Info
        info.restype = ctypes.c_char_p
        told = (info(None) or b"unknown").decode(errors="replace").split()[0]
        return f"pyttsx3 {importlib.metadata.version('pyttsx3')} espeak-ng {told}"

    def warm(self) -> None:
        """Load the library and pyttsx3's driver for it."""
        self._library()
        importlib.import_module("pyttsx3.drivers.espeak")

    def render(self, text: str, voice: str, rate: int, file: Path) -> None:
        """Write a 22,050 Hz mono WAV file. Raises `VoiceError`."""
        speaker = self._start()
        errors: list[str] = []
        done = threading.Event()
        speaker.connect("error", lambda exception, **_: errors.append(str(exception)))
        speaker.connect("finished-utterance", lambda **_: done.set())
        speaker.setProperty("voice", voice)
        # Starting, espeak loses one rate in 170 and speaks at its own; set twice, none of 3,500.
        for _ in range(2):
            speaker.setProperty("rate", rate)
        speaker.save_to_file(text, str(file))
        speaker.runAndWait()
        # runAndWait comes back after 10 ms whether espeak's thread has written the file or not.
        if not done.wait(LONGEST_SECONDS):
            raise VoiceError(f"espeak was not ready within {LONGEST_SECONDS:.0f} s", "try again")
        _check_voice(voice, str(speaker.getProperty("voice")), errors)

    def voices(self) -> tuple[str, ...]:
        """Voice names, as "gmw/en-us"; any may be followed by +f1..f5 or +m1..m8."""
        return tuple(sorted(voice.id for voice in self._start().getProperty("voices")))

    def _start(self) -> Any:
        self._library()
        import pyttsx3

        return pyttsx3.init("espeak")

    def _library(self) -> ctypes.CDLL:
        """Load espeak-ng so that pyttsx3 finds it by name. Raises `VoiceError`."""
        try:
            return ctypes.CDLL(self.system_library, ctypes.RTLD_GLOBAL)
        except OSError:
            return self._wheel_library()

    def _wheel_library(self) -> ctypes.CDLL:
        if importlib.util.find_spec(self.wheel) is None:
            raise VoiceError("no espeak library: nothing can be spoken", REMEDY)
        loader = importlib.import_module(self.wheel)
        try:
            # Without the variable espeak ends the whole process when it finds no data.
            os.environ["ESPEAK_DATA_PATH"] = str(Path(loader.get_data_path()).parent)
            return ctypes.CDLL(loader.get_library_path(), ctypes.RTLD_GLOBAL)
        except (OSError, RuntimeError) as error:
            raise VoiceError(f"{self.wheel} is broken: {error}", REMEDY) from error


def _check_voice(asked: str, got: str, errors: list[str]) -> None:
    """espeak falls back silently on an unknown variant, and reports an unknown voice late."""
    variant = asked.partition("+")[2].lower()
    if errors or not got.lower().endswith(f"+{variant}" if variant else ""):
        raise VoiceError(f"voice {asked!r} is unknown to espeak", "see: unknot voices")
