"""Installs a speech model: fetched, unpacked and checked beside its place, then renamed into it.

It must never leave half a model where one is looked for, nor take a pinned archive that differs by
one byte.
"""

import shutil
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from audio.errors import NotFit
from audio.models import (
    Archive,
    Places,
    catalogue,
    difference,
    problems,
    sha256,
    write_manifest,
)

ANSWER_SECONDS = 10.0
"""The longest silence of the server."""
FETCH_SECONDS = 900.0
"""The longest a download may take in all: 41 MB at 46 kB a second."""
UNPACKED_LIMIT = 4 * 10**9
"""More bytes than this are no speech model for this program."""
_CHUNK = 2**16
_HALF = ".half-"

Progress = Callable[[int, int], None]
"""Told (bytes so far, bytes in all)."""


class ModelError(NotFit):
    """A model that could not be fetched or is not whole. Nothing was changed."""


def install_pinned(
    places: Places, progress: Progress = lambda _done, _all: None, archive: Archive | None = None
) -> Path:
    """Fetch the model that config/models.toml pins, and install it; its folder.

    Raises ModelError.
    """
    wanted = archive or catalogue().archive
    with _workshop(places.models) as shop:
        file = shop / wanted.file
        _fetch(wanted, file, progress)
        return _install_zip(file, places.models, shop, wanted)


def install_from(source: Path, places: Places, archive: Archive | None = None) -> Path:
    """Install a model from a zip file or a folder; its folder. Raises ModelError.

    A zip file with the pinned archive's name must be it; any other model only has to be whole.
    """
    wanted = archive or catalogue().archive
    with _workshop(places.models) as shop:
        if source.is_dir():
            _check(source, source)
            unpacked = shop / source.resolve().name
            shutil.copytree(source, unpacked)
            return _put(unpacked, places.models, source)
        if not source.exists():
            raise ModelError(f"{source}: no such file or folder", "name a model's zip or folder")
        pin = wanted if source.name == wanted.file else None
        return _install_zip(source, places.models, shop, pin)


def install_second_ear(
    places: Places, source: Path | None = None, progress: Progress = lambda _done, _all: None
) -> Path:
    """Install the pinned stop word, from a file, from a folder that holds it, or fetched.

    Where it is, is given back. Raises ModelError.
    """
    wanted, place = catalogue().second_ear, places.second_ear
    with _workshop(place.parent) as shop:
        file = shop / wanted.file
        if source is None:
            _fetch(wanted, file, progress)
        else:
            given = source / wanted.file if source.is_dir() else source
            if trouble := difference(given, wanted):
                raise ModelError(f"{given}: {trouble}", f"name {wanted.name} ({wanted.file})")
            shutil.copyfile(given, file)
        return file.replace(place)


def _fetch(archive: Archive, file: Path, progress: Progress) -> None:
    remedy = f"try again, or fetch it elsewhere and: unknot model install {archive.file}"
    until = time.monotonic() + FETCH_SECONDS
    done = 0
    try:
        with (
            urllib.request.urlopen(archive.url, timeout=ANSWER_SECONDS) as answer,  # noqa: S310 - https, from our own file
            file.open("wb") as kept,
        ):
            while chunk := answer.read(_CHUNK):
                done += kept.write(chunk)
                progress(done, archive.size)
                if done > archive.size or time.monotonic() > until:
                    break
    except (OSError, ValueError, HTTPException) as error:
        cause = getattr(error, "reason", error)
        reason = getattr(cause, "strerror", None) or cause
        raise ModelError(f"{archive.url} cannot be fetched: {reason}", remedy) from error
    _compare(archive, file)


def _compare(archive: Archive, file: Path) -> None:
    size = file.stat().st_size
    if size != archive.size:
        raise ModelError(f"{file.name} has {size} bytes, not {archive.size}", "fetch it again")
    if sha256(file) != archive.sha256:
        raise ModelError(f"{file.name} is not the one that is pinned", "fetch it again")


def _install_zip(file: Path, models: Path, shop: Path, pin: Archive | None) -> Path:
    if pin is not None:
        _compare(pin, file)
    try:
        with zipfile.ZipFile(file) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > UNPACKED_LIMIT:
                raise ModelError(f"{file}: far too large for a model", "name a model's zip file")
            packed.extractall(shop / "unpacked")
    except (zipfile.BadZipFile, zipfile.LargeZipFile, RuntimeError, NotImplementedError) as error:
        raise ModelError(f"{file}: {error}", "name a model's zip file") from error
    return _put(_model_in(shop / "unpacked", file), models, file)


def _model_in(unpacked: Path, file: Path) -> Path:
    """The folder of the model: the only one in the archive, or else the archive itself."""
    entries = list(unpacked.iterdir()) if unpacked.is_dir() else []
    if len(entries) == 1 and entries[0].is_dir():
        return entries[0]
    return unpacked.rename(unpacked.with_name(file.stem)) if entries else unpacked


def _put(folder: Path, models: Path, source: Path) -> Path:
    """Check the model and rename it into its place, instead of an older one of its name."""
    _check(folder, source)
    write_manifest(folder)
    place = models / folder.name
    if place.exists():
        place.rename(folder.with_name(f"{folder.name}-older"))
    return folder.rename(place)


def _check(folder: Path, source: Path) -> None:
    if trouble := problems(folder):
        raise ModelError(f"{source}: {trouble[0]}", "name a whole model")


@contextmanager
def _workshop(models: Path) -> Iterator[Path]:
    """A folder beside the models that is gone afterwards, whatever happens."""
    try:
        models.mkdir(parents=True, exist_ok=True)
        _sweep(models)
        shop = Path(tempfile.mkdtemp(prefix=_HALF, dir=models))
    except OSError as error:
        raise ModelError(f"{models}: {error.strerror}", "make it writable") from error
    try:
        yield shop
    except OSError as error:
        place = error.filename or models
        raise ModelError(f"{place}: {error.strerror or error}", "look at that disk") from error
    finally:
        shutil.rmtree(shop, ignore_errors=True)


def _sweep(models: Path) -> None:
    """Remove what an installation left that was killed."""
    for left in models.glob(f"{_HALF}*"):
        if time.time() - left.stat().st_mtime > FETCH_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
