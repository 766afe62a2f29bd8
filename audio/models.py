"""Finds the speech model, checks that nothing of it is missing, and makes the copy that Vosk reads.

It must never hand on a folder that it has not checked, and never change the model itself.
"""

import hashlib
import json
import logging
import os
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from shutil import copyfile, rmtree
from typing import Any

from audio.errors import NotFit
from audio.vosk_trial import trial

VARIABLE = "UNKNOT_MODEL"
"""The environment variable that names a model folder."""

MANIFEST = "unknot-manifest.json"
"""Size and SHA-256 of every file, written into a model folder when it is installed."""

REMEDY = "run: unknot model install"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Archive:
    """A file that is fetched, pinned to the byte."""

    name: str
    file: str
    url: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Catalogue:
    """What config/models.toml says."""

    archive: Archive
    second_ear: Archive
    """The stop word of audio/second_ear.py."""
    needs: Mapping[str, int]
    """Files of a model folder, and the fewest bytes of each."""
    tuning: Mapping[str, float]
    """Options of conf/model.conf that our copy sets."""


@dataclass(frozen=True)
class Places:
    """Where to look, in this order; the first one that is named must be good."""

    data: Path
    """The folder for the person's data (platformdirs); models are in its folder `models`."""
    option: Path | None = None
    """From the command line: --model."""
    setting: Path | None = None
    """From the settings file: hearing.model."""

    @property
    def models(self) -> Path:
        """Where models are installed."""
        return self.data / "models"

    @property
    def second_ear(self) -> Path:
        """Where the second ear's stop word is, if somebody installed it."""
        return self.data / "second-ear" / catalogue().second_ear.file

    def named(self) -> Iterator[tuple[str, Path]]:
        """Every folder that somebody named, with the place where."""
        if self.option is not None:
            yield "--model", self.option
        if self.setting is not None:
            yield "the setting hearing.model", self.setting
        if os.environ.get(VARIABLE):
            yield f"${VARIABLE}", Path(os.environ[VARIABLE])


@cache
def catalogue() -> Catalogue:
    """Read config/models.toml, which ships with the program."""
    data = tomllib.loads(files("config").joinpath("models.toml").read_text("utf-8"))
    model = _archive(data["models"][data["default"]])
    return Catalogue(model, _archive(data["second-ear"]), data["needs"], data["tuning"])


def find(places: Places, required: bool = False) -> Path | None:
    """The model folder to use, checked; None when there is none.

    Raises `NotFit` when a named folder is not a whole model, or `required` and there is none.
    """
    for where, folder in places.named():
        if trouble := problems(folder):
            raise NotFit(f"{folder} (from {where}): {trouble[0]}", "name a whole model folder")
        return folder
    for folder in installed(places):
        trouble = problems(folder)
        if not trouble:
            return folder
        _log.warning("%s: %s, so it is not used (%s)", folder, trouble[0], REMEDY)
    if required:
        raise NotFit(f"no speech model in {places.models}", REMEDY)
    return None


def installed(places: Places) -> list[Path]:
    """Model folders in the person's data folder: the pinned one first, then by name."""
    if not places.models.is_dir():
        return []
    found = [p for p in places.models.iterdir() if p.is_dir() and not p.name.startswith(".")]
    return sorted(found, key=lambda p: (p.name != catalogue().archive.name, p.name))


def problems(folder: Path, thorough: bool = False) -> list[str]:
    """What is wrong with a model folder, one line a file; `thorough` also compares SHA-256."""
    if not folder.is_dir():
        return ["no such model folder"]
    found = [_shortfall(folder / name, name, least) for name, least in catalogue().needs.items()]
    found += [_difference(folder / name, name, *pin, thorough) for name, pin in _pins(folder)]
    return list(dict.fromkeys(problem for problem in found if problem))


def write_manifest(folder: Path) -> None:
    """Pin every file of a folder that was just installed and checked."""
    pins = {
        path.relative_to(folder).as_posix(): [path.stat().st_size, sha256(path)]
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    (folder / MANIFEST).write_text(json.dumps(pins, indent=1), "utf-8")


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tuned(folder: Path, places: Places) -> Path:
    """A tried copy of the model for quicker answers: links, and our own conf/model.conf.

    It is made once for each state of the model's files, after Vosk has loaded them in a child.
    Raises `NotFit` when Vosk cannot. Where no copy can be kept, as on a read-only disk, it is the
    model itself, which answers later.
    """
    conf = _with_options((folder / "conf" / "model.conf").read_text("utf-8"), catalogue().tuning)
    sizes = {name: (folder / name).stat().st_size for name in catalogue().needs}
    state = json.dumps([str(folder.resolve()), conf, sizes])
    key = hashlib.sha256(state.encode()).hexdigest()[:12]
    copy = places.data / "tuned" / key / folder.name
    if not problems(copy):
        return copy
    if trouble := trial(folder):
        raise NotFit(f"{folder}: {trouble}", REMEDY)
    try:
        _link(folder, copy, conf)
    except OSError as error:
        _log.warning("%s: no quicker copy of the model: %s", copy, error.strerror)
        return folder
    return copy


def difference(file: Path, wanted: Archive) -> str:
    """What is wrong with a pinned file, or nothing."""
    if not file.is_file():
        return "no such file"
    if file.stat().st_size != wanted.size:
        return f"{file.stat().st_size} bytes, not {wanted.size}"
    return "" if sha256(file) == wanted.sha256 else "not the one that is pinned"


def _archive(entry: Mapping[str, Any]) -> Archive:
    # The address is put together here so that it stands nowhere but in that file.
    url = "/".join([f"https://{entry['host']}", *entry["path"], entry["archive"]])
    return Archive(entry["name"], entry["archive"], url, entry["bytes"], entry["sha256"])


def _shortfall(path: Path, name: str, least: int) -> str:
    if not path.is_file():
        return f"{name} is missing"
    size = path.stat().st_size
    return f"{name} has {size} bytes, {least} are the least" if size < least else ""


def _difference(path: Path, name: str, size: int, digest: str, thorough: bool) -> str:
    if not path.is_file():
        return f"{name} is missing"
    if path.stat().st_size != size:
        return f"{name} has {path.stat().st_size} bytes, installed were {size}"
    if thorough and sha256(path) != digest:
        return f"{name} has changed since it was installed"
    return ""


def _pins(folder: Path) -> Iterator[tuple[str, tuple[int, str]]]:
    """What the manifest says; a folder that somebody put together has none."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        pins = json.loads((folder / MANIFEST).read_text("utf-8"))
        yield from [(str(n), (int(size), str(digest))) for n, (size, digest) in pins.items()]


def _with_options(text: str, options: Mapping[str, float]) -> str:
    """A Kaldi option file with these options set and all others as they were."""
    kept = [
        line for line in text.splitlines() if line.split("=")[0].strip().lstrip("-") not in options
    ]
    return "\n".join([*kept, *(f"--{name}={value}" for name, value in options.items()), ""])


def _link(folder: Path, copy: Path, conf: str) -> None:
    """Build the copy beside its place and rename it, so that nobody ever sees half of it."""
    copy.parent.parent.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(prefix=".half-", dir=copy.parent.parent))
    try:
        inner = half / copy.name
        inner.mkdir()
        for entry in folder.iterdir():
            if entry.name not in ("conf", MANIFEST):
                (inner / entry.name).symlink_to(entry.resolve())
        (inner / "conf").mkdir()
        for entry in (folder / "conf").iterdir():
            copyfile(entry, inner / "conf" / entry.name)
        (inner / "conf" / "model.conf").write_text(conf, "utf-8")
        rmtree(copy.parent, ignore_errors=True)
        half.rename(copy.parent)
    finally:
        rmtree(half, ignore_errors=True)
