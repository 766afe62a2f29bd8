"""Who writes into the journal now; it must never outlive the process that writes."""

import fcntl
import os
from pathlib import Path


class Writers:
    """A file that every writing process holds, so that a session cut short is told from a live one.

    The kernel lets go of it when a process ends, however it ends.
    """

    def __init__(self, file: Path) -> None:
        """Open or make `file`, for its owner only. Raises OSError."""
        self._file = os.fdopen(os.open(file, os.O_CREAT | os.O_RDWR, 0o600), "rb")
        self._writes = False

    def join(self) -> None:
        """This process writes from now on."""
        fcntl.flock(self._file, fcntl.LOCK_SH)
        self._writes = True

    def nobody_else(self) -> bool:
        """Whether no other process writes at this moment."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            fcntl.flock(self._file, fcntl.LOCK_SH if self._writes else fcntl.LOCK_UN)
        return True

    def close(self) -> None:
        """Let go. A second call changes nothing."""
        self._file.close()
