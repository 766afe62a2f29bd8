"""Chooses what stands on the microphone's side of a live session: the audio process, or a keyboard.

It must never open a sound card in this process: what hangs there must not hang the session.
"""

from collections.abc import Callable
from typing import Protocol

from assistant.keyboard import Keyboard
from assistant.settings import Settings
from audio.errors import UnknotError
from audio.messages import FromAudio, ToAudio

KEYBOARD = "keyboard"


class Side(Protocol):
    """Ears and mouth of a live session."""

    @property
    def failure(self) -> UnknotError | None:
        """Why `listen` ended for good; None as long as all is well."""

    def send(self, command: ToAudio) -> None:
        """Take a command; never waits."""

    async def listen(self) -> None:
        """Tell what comes, until it is over for good."""

    async def close(self) -> None:
        """Let go of everything."""


def open_side(
    settings: Settings,
    microphone: str,
    loudspeaker: str,
    clock: Callable[[], float],
    tell: Callable[[FromAudio], None],
) -> Side:
    """Make the side; nothing is started before `listen`."""
    if microphone == KEYBOARD:
        return Keyboard(settings.phrasebook, clock, tell)
    from assistant.ear import AudioProcess, live_arguments

    return AudioProcess(live_arguments(settings, microphone, loudspeaker), tell)
