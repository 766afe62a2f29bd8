"""The set-up, in an empty folder, with stand-ins for the programs that need a network.

The recipes are the project's own Makefile; the real set-up runs wherever these tests do.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOOLS = ("bash", "make", "cksum", "cut", "touch", "mkdir", "cp", "rm", "chmod", "cat")

STAND_IN_PYTHON = """#!{bash}
echo "python $*" >> "{folder}/log"
case "$1 $2" in
  --version*) echo "Python $(cat "{folder}/version")" ;;
  "-m venv") mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
  "-m pip")
    [ "$3" = install ] || exit 0
    [ ! -e "{folder}/offline" ] || exit 1
    cp "{folder}/unknot" .venv/bin ;;
esac
"""

STAND_IN_UNKNOT = """#!{bash}
echo "unknot $*" >> "{folder}/log"
[ "$1" != doctor ] || [ ! -e "{folder}/no_sound" ] || exit 5
[ "$1" != model ] || exit 1
"""

STAND_IN_UV = """#!{bash}
echo "uv $*" >> "{folder}/log"
mkdir -p .venv/bin; cp "{folder}/bin/python3" .venv/bin/python
"""

LACKS_ENSUREPIP = "import sys\nsys.modules['ensurepip'] = None\n"
IS_OLD = "import sys\nsys.version_info = (3, 9, 2)\n"
IS_NEW = "import sys\nsys.version_info = (3, 14, 0)\n"


@dataclass
class Place:
    """A checkout and the only programs that are on the PATH there."""

    folder: Path

    def program(self, name: str, text: str) -> None:
        file = self.folder / "bin" / name
        file.unlink(missing_ok=True)
        file.write_text(text.format(bash=shutil.which("bash"), folder=self.folder))
        file.chmod(0o755)

    def real_python(self, change: str) -> None:
        """The real interpreter on a machine that differs by `change`."""
        (self.folder / "sitecustomize.py").write_text(change)
        self.program("python3", f'#!{{bash}}\nPYTHONPATH={{folder}} exec {sys.executable} "$@"\n')

    def make(self, target: str) -> "subprocess.CompletedProcess[str]":
        environment = {"PATH": str(self.folder / "bin"), "HOME": str(self.folder)}
        return subprocess.run(
            ["make", target],
            cwd=self.folder / "checkout",
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def log(self) -> list[str]:
        """What ran, but for the question which Python this is."""
        file = self.folder / "log"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [line for line in lines if line != "python --version"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty checkout where a good Python is."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "checkout").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, f"this test needs {tool}"
        (tmp_path / "bin" / tool).symlink_to(found)
    for file in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path / "checkout")
    (tmp_path / "version").write_text("3.12.0")
    here = Place(tmp_path)
    here.program("getconf", "#!{bash}\necho 64\n")
    here.program("python3", STAND_IN_PYTHON)
    here.program("unknot", STAND_IN_UNKNOT)
    shutil.move(tmp_path / "bin" / "unknot", tmp_path / "unknot")
    return here


def test_a_python_that_cannot_make_environments_names_the_one_command(place: Place) -> None:
    place.real_python(LACKS_ENSUREPIP)
    done = place.make("install")
    assert done.returncode != 0
    assert "sudo apt install python3-venv" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (place.folder / "checkout" / ".venv").exists()


@pytest.mark.parametrize(("change", "version"), [(IS_OLD, "3.9"), (IS_NEW, "3.14")])
def test_a_python_that_does_not_serve_is_told_which_ones_do(
    place: Place, change: str, version: str
) -> None:
    """Some parts are packaged for these versions only, and there may be no compiler."""
    place.real_python(change)
    done = place.make("install")
    assert done.returncode != 0
    assert f"Python {version} does not serve, unknot needs 3.11, 3.12 or 3.13" in done.stderr


def test_a_machine_without_python_names_the_one_command(place: Place) -> None:
    (place.folder / "bin" / "python3").unlink()
    done = place.make("install")
    assert done.returncode != 0
    assert "sudo apt install python3 python3-venv" in done.stderr


def test_a_32_bit_system_is_told_so_before_anything_is_fetched(place: Place) -> None:
    place.program("getconf", "#!{bash}\necho 32\n")
    done = place.make("install")
    assert done.returncode != 0
    assert "this is a 32-bit system" in done.stderr
    assert place.log() == []


@pytest.mark.parametrize("change", [LACKS_ENSUREPIP, IS_OLD, IS_NEW])
def test_uv_serves_where_python_cannot(place: Place, change: str) -> None:
    shutil.copy(place.folder / "bin" / "python3", place.folder / "stand_in")
    place.real_python(change)
    place.program("uv", STAND_IN_UV.replace("{folder}/bin/python3", "{folder}/stand_in"))
    assert place.make("install").returncode == 0
    assert place.log()[0].startswith("uv venv")


def test_a_second_install_runs_nothing(place: Place) -> None:
    assert place.make("install").returncode == 0
    assert any("pip install" in line for line in place.log())
    assert place.make("install").returncode == 0
    assert place.log() == []


def test_an_install_that_broke_off_is_taken_up_again(place: Place) -> None:
    (place.folder / "offline").touch()
    assert place.make("install").returncode != 0
    (place.folder / "offline").unlink()
    place.log()
    assert place.make("install").returncode == 0
    assert any("pip install" in line for line in place.log())


def test_a_new_requirement_is_installed(place: Place) -> None:
    place.make("install")
    place.log()
    stamp = next((place.folder / "checkout" / ".venv").glob(".installed-*"))
    later = stamp.stat().st_mtime + 10
    os.utime(place.folder / "checkout" / "pyproject.toml", (later, later))
    place.make("install")
    assert any("pip install" in line for line in place.log())


def test_an_upgraded_python_is_set_up_anew(place: Place) -> None:
    place.make("install")
    place.log()
    (place.folder / "version").write_text("3.13.0")
    place.make("install")
    assert any("pip install" in line for line in place.log())


def test_what_the_tests_need_includes_what_a_session_needs(place: Place) -> None:
    place.make("test")
    place.log()
    assert place.make("install").returncode == 0
    assert place.log() == []


def test_run_starts_a_session_where_sound_works(place: Place) -> None:
    assert place.make("run").returncode == 0
    assert place.log()[-2:] == ["unknot doctor --sound", "unknot run"]


def test_run_plays_the_demonstration_where_sound_is_missing(place: Place) -> None:
    (place.folder / "no_sound").touch()
    assert place.make("run").returncode == 0
    assert place.log()[-2:] == ["unknot doctor --sound", "unknot demo"]


def test_a_second_run_installs_nothing(place: Place) -> None:
    place.make("run")
    place.log()
    place.make("run")
    assert all(line.startswith(("unknot", "python -m pip --version")) for line in place.log())
