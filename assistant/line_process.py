"""A child process that is spoken with in lines; it must never make anybody wait for its answer."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

LONGEST_LINE = 131_072
"""Bytes; a longer line is broken up."""

KILLED_SECONDS = 2.0
"""A process that even a kill does not end, as one that waits for a broken disk, is left behind."""


class LineProcess:
    """One run of a program. Made by `start`; all in the event loop's own thread."""

    def __init__(self, child: asyncio.subprocess.Process, log: Callable[[str], None]) -> None:
        self.last_words = ""
        """The last line it wrote to stderr: the best reason there is for its end."""
        self._child = child
        self._reading = asyncio.Lock()
        self._log = asyncio.create_task(self._follow_log(log))

    @classmethod
    async def start(cls, command: Sequence[str], log: Callable[[str], None]) -> "LineProcess":
        """Start the program; every line of its stderr goes to `log`. Raises `OSError`."""
        pipe = asyncio.subprocess.PIPE
        # Its own session: Ctrl-C is for us, who turn the massager off and say so through it.
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            limit=LONGEST_LINE,
            start_new_session=True,
        )
        return cls(child, log)

    @property
    def unread(self) -> int:
        """Bytes written that it has not read yet."""
        return self._stdin.transport.get_write_buffer_size()

    def write(self, line: str) -> bool:
        """Give it a line; never waits. False when it takes none any more."""
        if self._stdin.is_closing():
            return False
        self._stdin.write(line.encode())
        return True

    async def read(self) -> bytes:
        """The next line; empty at the end, and in pieces when it is too long."""
        assert self._child.stdout is not None
        async with self._reading:
            return await _read(self._child.stdout)

    async def ended(self, seconds: float) -> int | None:
        """Its exit code, once it has ended and said its last words; None if it takes longer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._child.wait()
        await asyncio.wait({self._log}, timeout=seconds)
        return self._child.returncode

    def kill_at_once(self) -> None:
        """Kill it without waiting for its end, which `read` will show."""
        with suppress(ProcessLookupError):
            self._child.kill()

    async def kill(self) -> None:
        """Kill it, and wait for its end as long as a killed process may take."""
        self.kill_at_once()
        with suppress(TimeoutError):
            async with asyncio.timeout(KILLED_SECONDS):
                await self._drain()
        self._log.cancel()

    async def end(self, seconds: float) -> None:
        """End its input and wait for its end; kill it when it takes longer."""
        self._stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._drain()
        await self.kill()

    @property
    def _stdin(self) -> asyncio.StreamWriter:
        assert self._child.stdin is not None
        return self._child.stdin

    async def _drain(self) -> None:
        """Its end shows only after everything that it wrote was read."""
        while await self.read():
            pass
        await self._child.wait()

    async def _follow_log(self, log: Callable[[str], None]) -> None:
        assert self._child.stderr is not None
        while line := await _read(self._child.stderr):
            self.last_words = line.decode(errors="replace").strip() or self.last_words
            log(self.last_words)


async def _read(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:
        return b"a line that is too long\n"
