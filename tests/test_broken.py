"""Broken files of config/, each with the whole list of what must be said about it.

A line `#! 12: where: remedy` in a broken file is one problem that must be told, in any order, and
nothing else may be.
"""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.problem import ConfigError, Problem
from assistant.routine_check import check_routine_file, read_routine
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


SCALARS = st.one_of(
    st.booleans(), st.integers(-5, 2000), st.floats(-10, 2000), st.text("ab{}-_ ", max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["say", "seconds", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)
KEYS = [
    "title",
    "tool",
    "intro",
    "steps",
    "setup",
    "closing",
    "sources",
    "screening",
    "kind",
    "again_minutes",
    "x",
]
STEP_KEYS = [
    "id",
    "name",
    "say",
    "seconds",
    "brief",
    "avoid",
    "coming",
    "level",
    "hold_seconds",
    "side",
    "cues",
    "cycle",
    "ask",
    "sources",
    "x",
]


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


@given(
    top=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4),
    step=st.dictionaries(st.sampled_from(STEP_KEYS), VALUES, max_size=4),
)
def test_no_routine_file_however_odd_ends_in_a_traceback(
    top: dict[str, object], step: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A whole routine with anything in the place of some of its keys."""
    whole_step = {"id": "one", "name": "one", "say": ["Rest."], "seconds": 20, **step}
    whole = {"title": "Odd", "tool": "none", "intro": ["Odd."], "sources": ["article"]}
    odd = {**whole, "screening": False, "steps": [whole_step], **top}
    path = tmp_path_factory.mktemp("odd") / "odd.toml"
    path.write_text("\n".join(f"{key} = {toml(value)}" for key, value in odd.items()))
    problems = check_routine_file(path, ["article"])
    lines = len(odd)
    assert all(1 <= found.line <= lines and found.remedy for found in problems)
    if not problems:
        assert read_routine(path, ["article"]).name == "odd"
