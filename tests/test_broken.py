"""Broken files of config/, each with the whole list of what must be said about it.

A line `#! 12: where: remedy` in a broken file is one problem that must be told, in any order, and
nothing else may be.
"""

from pathlib import Path

import pytest

from assistant.problem import ConfigError, Problem
from assistant.settings import check_routine, default_folder, load

BROKEN = Path(__file__).parent / "broken"
ROUTINES = sorted((BROKEN / "routines").glob("*.toml"))
OTHERS = sorted(path for path in BROKEN.glob("*/*.toml") if path not in ROUTINES)


def expected(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return sorted(line.removeprefix("#! ") for line in lines if line.startswith("#! "))


def told(problems: list[Problem], path: Path) -> list[str]:
    return sorted(str(found).removeprefix(f"{path}:").strip() for found in problems)


@pytest.mark.parametrize("path", ROUTINES, ids=lambda path: path.stem)
def test_every_problem_of_a_broken_routine_is_told_with_its_line_and_remedy(path: Path) -> None:
    assert told(check_routine(path), path) == expected(path)


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_problem_of_a_broken_config_file_is_told(path: Path, tmp_path: Path) -> None:
    """The broken file stands in a config/ that is whole but for it, under its folder's name."""
    folder = whole_config(tmp_path)
    broken = folder / f"{path.parent.name}.toml"
    broken.write_bytes(path.read_bytes())
    with pytest.raises(ConfigError) as error:
        load(folder)
    assert told(list(error.value.problems), broken) == expected(path)


def whole_config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    for file in default_folder().rglob("*.toml"):
        copy = folder / file.relative_to(default_folder())
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    return folder


def test_every_broken_example_expects_something() -> None:
    examples = [*ROUTINES, *OTHERS]
    assert len(examples) >= 12
    assert all(expected(path) for path in examples)
