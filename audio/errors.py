"""What can go wrong that a person can mend; it must never be raised for a defect of our own.

Every error is one line that names the thing, what is wrong with it and what to do. The command
line prints it on stderr and ends with `exit_code`; nothing else turns errors into exit codes.
"""


class UnknotError(Exception):
    """An error a person can cause or mend. `exit_code` as in the README; `remedy` is what to do."""

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        """The message and its remedy, in one line."""
        whole = f"{self.message} ({self.remedy})" if self.remedy else self.message
        return " ".join(whole.split())


class NotFit(UnknotError):
    """The set-up is not fit for a session: a missing model, a broken config."""

    exit_code = 3


class MassagerUnsafe(UnknotError):
    """The massager is not safe to use."""

    exit_code = 4


class AudioMissing(UnknotError):
    """No microphone, no loudspeaker, or no library to reach them."""

    exit_code = 5
