"""What a session leaves behind: no sound of a person, no word they said, nothing for others."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typed_program import Program, said

from assistant.service import this_program
from audio.sound import RATE, Samples, read, write

CLIPS = Path(__file__).parent / "clips"
SECRETS = ("my neighbour is called rumpelstilzchen", "please start neck massage right now")
SETTINGS = '[session]\nscreening = false\ntalk = "brief"\n'
LOUD = 400
"""Samples in a row that are looked for: 25 ms around the loudest one of each word."""


def written(folder: Path) -> Iterator[Path]:
    """Every file below."""
    return (path for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder of a session at a keyboard in which much was said, and what listened meanwhile."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "settings.toml").write_text(SETTINGS)
    (folder / "settings.toml").chmod(0o600)
    program = Program(folder)
    try:
        program.until(said("idle.ready"))
        for secret in SECRETS:
            program.type(secret)
        program.until(lambda line: line["kind"] == "massager" and line["on"])
        listens = listening_sockets(program.child.pid)
        for text in (*SECRETS, "I feel dizzy, rumpelstilzchen"):
            program.type(text)
        program.until(lambda line: line["kind"] == "advice")
        program.type("no")
        program.end()
    finally:
        program.kill()
    return folder, listens


def listening_sockets(pid: int) -> list[str]:
    """Addresses on which this process, or one that it started, waits for others (Linux)."""
    if not Path("/proc/net/tcp").exists():
        pytest.skip("no /proc on this system to look at sockets")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    links = [link for who in (str(pid), *children) for link in Path("/proc", who, "fd").iterdir()]
    ours = {os.readlink(link) for link in links}
    found = []
    for table in ("tcp", "tcp6"):
        rows = [row.split() for row in Path("/proc/net", table).read_text().splitlines()[1:]]
        found += [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in ours]
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        _, _, _, flags, _, _, inode, *path = line.split()
        if int(flags, 16) & 0x10000 and f"socket:[{inode}]" in ours:
            found += path or ["unnamed"]
    return found


def test_no_word_that_was_said_is_on_the_disk(typed: tuple[Path, list[str]]) -> None:
    folder, _ = typed
    files = list(written(folder))
    assert "journal.sqlite3" in [file.name for file in files]
    for file in files:
        content = file.read_bytes().lower()
        assert b"rumpelstilzchen" not in content, file
        assert b"right now" not in content, file


def test_what_is_written_is_for_its_owner_only(typed: tuple[Path, list[str]]) -> None:
    folder, _ = typed
    for path in folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_nothing_listens_for_others(typed: tuple[Path, list[str]]) -> None:
    _, listens = typed
    assert listens == []


def test_no_sound_of_the_person_is_on_the_disk(tmp_path: Path) -> None:
    """A session on a recording; everything it could write into is looked at."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    words = [read(CLIPS / f"person1_{name}.flac") for name in ("yes", "stop", "three", "no")]
    gap = np.zeros(2 * RATE, np.int16)
    recording = tmp_path / "said.wav"
    write(recording, np.concatenate([part for word in words for part in (gap, word)]))
    folders = ("STATE_DIRECTORY", "CONFIGURATION_DIRECTORY", "CACHE_DIRECTORY", "HOME", "TMPDIR")
    done = subprocess.run(
        [this_program(), "run", "neck-massager", "--microphone", recording],
        env={**os.environ, **dict.fromkeys(folders, str(home))},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "Traceback" not in done.stderr
    files = list(written(home))
    assert files
    for path in home.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    for file in files:
        sounds = (file.read_bytes(), _as_samples(file))
        for word in words:
            loudest = int(np.argmax(np.abs(word.astype(np.int32))))
            piece = word[max(0, loudest - LOUD // 2) :][:LOUD].tobytes()
            assert not any(piece in sound for sound in sounds), file


def _as_samples(file: Path) -> bytes:
    """What the file sounds like, where it is a recording."""
    if file.suffix not in (".wav", ".flac"):
        return b""
    sound: Samples = read(file)
    return sound.tobytes()
