"""A speech model is installed whole or not at all, from the network, a zip file or a folder."""

import hashlib
import os
import resource
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from assistant.__main__ import main
from audio.model_install import ModelError, install_from, install_pinned
from audio.models import Archive, Places, catalogue, find, problems

NAME = "vosk-model-test"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Tests read no access log."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with every file that a model needs, each as small as it may be."""
    made = tmp_path / "made" / NAME
    for name, least in catalogue().needs.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(hashlib.sha256(name.encode()).digest()[:1] * least)
    return made


@pytest.fixture
def zipped(folder: Path, tmp_path: Path) -> Path:
    return zip_of(folder, tmp_path / "served" / f"{NAME}.zip", NAME)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "data")


def zip_of(folder: Path, file: Path, top: str) -> Path:
    file.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            packed.write(path, Path(top) / path.relative_to(folder))
    return file


def pin(file: Path, url: str = "") -> Archive:
    content = file.read_bytes()
    return Archive(NAME, file.name, url, len(content), hashlib.sha256(content).hexdigest())


@contextmanager
def served(file: Path) -> Iterator[str]:
    """An address on this machine from which the file can be fetched."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=file.parent))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{file.name}"
    finally:
        server.shutdown()
        server.server_close()


def nothing_was_left(places: Places) -> bool:
    return not places.models.exists() or list(places.models.iterdir()) == []


def test_the_pinned_model_is_fetched_checked_and_found(zipped: Path, places: Places) -> None:
    told: list[tuple[int, int]] = []
    with served(zipped) as url:
        installed = install_pinned(places, lambda *bytes_: told.append(bytes_), pin(zipped, url))
    assert installed == places.models / NAME
    assert find(places) == installed
    assert problems(installed, thorough=True) == []
    assert told[-1] == (zipped.stat().st_size,) * 2
    assert list(places.models.iterdir()) == [installed]


def test_a_model_of_the_right_size_that_differs_is_refused(zipped: Path, places: Places) -> None:
    with served(zipped) as url:
        wanted = pin(zipped, url)
        content = bytearray(zipped.read_bytes())
        content[len(content) // 2] ^= 1
        zipped.write_bytes(bytes(content))
        with pytest.raises(ModelError, match="not the one that is pinned"):
            install_pinned(places, archive=wanted)
    assert nothing_was_left(places)


@pytest.mark.parametrize("change", [b"", b"more"])
def test_a_model_of_another_size_is_refused(zipped: Path, places: Places, change: bytes) -> None:
    with served(zipped) as url:
        wanted = pin(zipped, url)
        zipped.write_bytes(zipped.read_bytes() + change if change else zipped.read_bytes()[:-9])
        with pytest.raises(ModelError, match=f"not {wanted.size}"):
            install_pinned(places, archive=wanted)
    assert nothing_was_left(places)


def test_without_a_network_the_error_names_address_and_remedy(zipped: Path, places: Places) -> None:
    with served(zipped) as url:
        wanted = pin(zipped, url)
    with pytest.raises(
        ModelError, match=r"127\.0\.0\.1.* cannot be fetched: .*refused.*\(try again"
    ):
        install_pinned(places, archive=wanted)
    assert nothing_was_left(places)


def test_an_address_that_is_gone_is_one_line(zipped: Path, places: Places) -> None:
    with (
        served(zipped) as url,
        pytest.raises(ModelError, match="cannot be fetched: File not found"),
    ):
        install_pinned(places, archive=pin(zipped, f"{url}.gone"))


def test_a_folder_and_a_zip_file_are_taken(folder: Path, zipped: Path, places: Places) -> None:
    assert install_from(folder, places) == places.models / NAME
    assert install_from(zipped, places) == places.models / NAME
    assert problems(places.models / NAME, thorough=True) == []


def test_a_zip_file_without_a_folder_in_it_is_named_after_itself(
    folder: Path, tmp_path: Path, places: Places
) -> None:
    flat = zip_of(folder, tmp_path / "flat-model.zip", ".")
    assert install_from(flat, places) == places.models / "flat-model"


def test_a_zip_file_that_bears_the_pinned_name_must_be_it(zipped: Path, places: Places) -> None:
    wanted = pin(zipped)
    zipped.write_bytes(zipped.read_bytes() + b"more")
    with pytest.raises(ModelError, match=f"not {wanted.size}"):
        install_from(zipped, places, wanted)


def test_a_model_that_lacks_a_file_is_refused_and_the_older_one_stays(
    folder: Path, places: Places
) -> None:
    older = install_from(folder, places)
    (folder / "conf" / "model.conf").unlink()
    with pytest.raises(ModelError, match=r"conf/model\.conf is missing"):
        install_from(folder, places)
    assert problems(older, thorough=True) == []


@pytest.mark.parametrize("content", [b"", b"this is no zip file", b"PK\x03\x04 broken"])
def test_a_file_that_is_no_archive_is_named(tmp_path: Path, places: Places, content: bytes) -> None:
    file = tmp_path / "some.zip"
    file.write_bytes(content)
    with pytest.raises(ModelError, match=r"some\.zip"):
        install_from(file, places)
    assert nothing_was_left(places)


def test_an_archive_cannot_write_outside_its_place(folder: Path, tmp_path: Path) -> None:
    places = Places(tmp_path / "deep" / "data")
    evil = zip_of(folder, tmp_path / "evil.zip", NAME)
    with zipfile.ZipFile(evil, "a") as packed:
        packed.writestr("../../../../escaped", "x")
        packed.writestr("/escaped", "x")
    with pytest.raises(ModelError):
        install_from(evil, places)
    assert list(tmp_path.rglob("escaped")) == []


def test_a_full_disk_is_one_line_and_leaves_nothing(folder: Path, places: Places) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, before[1]))
    try:
        with pytest.raises(ModelError, match="look at that disk"):
            install_from(folder, places)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert nothing_was_left(places)


def test_what_a_killed_installation_left_is_swept_away(folder: Path, places: Places) -> None:
    left, recent = places.models / ".half-old", places.models / ".half-now"
    left.mkdir(parents=True)
    recent.mkdir()
    os.utime(left, (time.time() - 3600, time.time() - 3600))
    install_from(folder, places)
    assert not left.exists()
    assert recent.exists()


def unknot(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["model", *arguments])


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    return tmp_path / "state"


def test_the_command_installs_and_says_where(state: Path, folder: Path, zipped: Path) -> None:
    expected = f"{state}/data/models/{NAME}\n"
    assert unknot("install", "--from", str(folder)).stdout == expected
    assert unknot("install", str(zipped)).stdout == expected
    assert unknot("where").stdout == expected
    (state / "data" / "models" / NAME / "am" / "final.mdl").write_bytes(b"x" * 1_000_000)
    result = unknot("verify")
    assert result.exit_code == 3
    assert "am/final.mdl has changed" in result.stdout


def test_the_command_refuses_what_is_no_model_in_one_line(state: Path, tmp_path: Path) -> None:
    result = unknot("install", "--from", str(tmp_path / "nowhere"))
    assert result.exit_code == 3
    assert len(result.stderr.splitlines()) == 1


def test_nothing_is_fetched_where_a_model_is_or_where_it_failed_today(
    state: Path, folder: Path
) -> None:
    """Both return at once, without a word: a set-up runs this every time."""
    state.mkdir()
    (state / "model-tried").touch()
    assert unknot("install", "--quiet").output == ""
    (state / "model-tried").unlink()
    unknot("install", "--from", str(folder))
    assert unknot("install", "--quiet").output == ""
