"""What is in the wheel, and who else might own the names that unknot takes."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"assistant", "intents", "audio", "config"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this checkout, built without a network."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_nobody_else_ships_our_top_level_names() -> None:
    owners = metadata.packages_distributions()
    assert {name: set(owners.get(name, [])) - {"unknot"} for name in OURS} == {
        name: set() for name in OURS
    }


def test_the_wheel_holds_our_names_and_no_others(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == OURS


def test_every_file_of_our_packages_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    """A routine, a phrase or a weight that stays behind is missing only on other machines."""
    if not (ROOT / ".git").exists():
        pytest.skip("only a git checkout knows which files belong to it")
    listed = ["git", "ls-files", *sorted(OURS)]
    tracked = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    there = {name for name in tracked.splitlines() if (ROOT / name).exists()}
    assert there
    assert there <= set(wheel.namelist())


def test_the_licence_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    licence = next(name for name in wheel.namelist() if name.endswith("licenses/LICENSE"))
    assert b"Apache License" in wheel.read(licence)


def test_an_installed_wheel_finds_its_config_from_anywhere(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    wheel.extractall(site)
    question = (
        "from importlib.resources import files; import assistant.__main__;"
        "print(files('config').joinpath('prompts.toml').is_file(), files('config'))"
    )
    answer = subprocess.run(
        [sys.executable, "-P", "-c", question],
        cwd=tmp_path,
        env={"PYTHONPATH": str(site)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert answer.stdout.startswith(f"True {site}")


# Wheels for a Raspberry Pi. This asks the package registry; nothing of it is installed.

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WITHOUT_WHEELS = ["srt"]
"""Published as source only; pure Python, so that any machine can make its wheel (Vosk needs it)."""
OF_A_WORKSHOP = {"test", "training"}
"""Extras that nobody needs on the machine beside the bed."""
PYTHONS = ("3.11", "3.13")
"""Of Raspberry Pi OS Bookworm and Trixie."""
NEWEST_GLIBC = 36
"""Bookworm's is 2.36; wheels for an older one fit."""
ANSWER_SECONDS = 240


@pytest.fixture(scope="module")
def pip(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which `python -m pip` reads what a wheel needs without fetching it."""
    folder = tmp_path_factory.mktemp("pip")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder)]
    done = subprocess.run([*command, "pip>=25"], capture_output=True, text=True)
    if done.returncode:
        reason = f"the package registry cannot be reached: {done.stderr.strip()[-200:]}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return {**os.environ, "PYTHONPATH": str(folder), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def requirements() -> Iterator[str]:
    """Everything that is needed by us or by an extra, but for those of a workshop."""
    extras = PROJECT["optional-dependencies"]
    yield from PROJECT["dependencies"]
    for name in extras.keys() - OF_A_WORKSHOP:
        yield from extras[name]


def asked(python: str, wheels: Path, report: Path, pip: dict[str, str]) -> "subprocess.Popen[str]":
    """pip's resolver at work for that Python on a 64-bit Raspberry Pi."""
    tags = [
        "manylinux2014_aarch64",
        *(f"manylinux_2_{n}_aarch64" for n in range(17, 1 + NEWEST_GLIBC)),
    ]
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    words += ["--only-binary=:all:", "--find-links", str(wheels), "--report", str(report)]
    words += ["--target", str(wheels / "nowhere"), "--python-version", python]
    words += ["--implementation", "cp", *(word for tag in tags for word in ("--platform", tag))]
    return subprocess.Popen([*words, *requirements()], env=pip, stderr=subprocess.PIPE, text=True)


def test_everything_that_runs_has_a_wheel_for_a_raspberry_pi(
    pip: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-binary=:all:"]
    make += ["--wheel-dir", str(tmp_path), *WITHOUT_WHEELS]
    subprocess.run(make, env=pip, check=True, capture_output=True)
    made = [file.name for file in tmp_path.glob("*.whl")]
    assert all(name.endswith("-py3-none-any.whl") for name in made), "not pure Python"
    reports = {python: tmp_path / f"{python}.json" for python in PYTHONS}
    asking = [asked(python, tmp_path, report, pip) for python, report in reports.items()]
    for each in asking:
        _, complaint = each.communicate(timeout=ANSWER_SECONDS)
        assert each.returncode == 0, complaint
    for python, report in reports.items():
        found = [each["download_info"]["url"] for each in json.loads(report.read_text())["install"]]
        from_source = [url for url in found if url.startswith("file:")]
        assert [Path(url).name for url in from_source] == made
        assert all(url.endswith(("aarch64.whl", "-none-any.whl")) for url in found)
        with capsys.disabled():
            sys.stdout.write(f"\naarch64, Python {python}: {len(found)} wheels, none missing\n")
