"""What a routine may be: the limits, tried from both sides, and what is told to who writes one."""

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from assistant.__main__ import main
from assistant.routine import (
    CALM_SECONDS,
    GENTLE_SECONDS,
    LIMIT_SECONDS,
    LONGEST_HOLD_SECONDS,
    LONGEST_STEP_SECONDS,
    MASSAGER_SECONDS,
    NECK_SECONDS,
    SHORTEST_STEP_SECONDS,
    Cue,
    Routine,
    RoutineError,
    Step,
    Tool,
    fitted,
)
from assistant.safety import GENTLE_SECONDS as GOVERNOR_GENTLE_SECONDS
from assistant.safety import LEASE_SECONDS, SESSION_SECONDS
from assistant.settings import check_routine, default_folder

TESTS = Path(__file__).parent
SEEN_WHOLE = {"braces", "ends-itself", "strong-at-once"}
"""Broken routines whose every value may stand in its place; only `routine check` finds them."""
STEP = Step("rest", "rest", ("Rest.",), 60.0, avoid=("Never on the throat.",))
ROUTINE = Routine("a-rest", "A rest", Tool.HANDS, ("We rest.",), (STEP,))


def steps(*seconds: float, level: int | None = None) -> tuple[Step, ...]:
    return tuple(
        replace(STEP, id=f"rest_{index}", seconds=each, level=level)
        for index, each in enumerate(seconds)
    )


def test_the_limits_are_those_of_the_governor() -> None:
    assert MASSAGER_SECONDS == SESSION_SECONDS - LEASE_SECONDS
    assert NECK_SECONDS == SESSION_SECONDS
    assert GENTLE_SECONDS == GOVERNOR_GENTLE_SECONDS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "two words"),
        ("id", ""),
        ("say", ()),
        ("say", ("",)),
        ("brief", (" ",)),
        ("seconds", SHORTEST_STEP_SECONDS - 0.1),
        ("seconds", LONGEST_STEP_SECONDS + 0.1),
        ("seconds", float("nan")),
        ("seconds", float("inf")),
        ("hold_seconds", -1.0),
        ("hold_seconds", LONGEST_HOLD_SECONDS + 0.1),
        ("level", 0),
        ("side", "middle"),
        ("ask", "name"),
        ("cues", (Cue(58.0, ("Too late.",)),)),
        ("cues", (Cue(-1.0, ("Too early.",)),)),
        ("cues", (Cue(20.0, ("Second.",)), Cue(10.0, ("First.",)))),
        ("cues", (Cue(10.0, ()),)),
    ],
)
def test_a_step_that_breaks_a_rule_cannot_be_made(field: str, value: object) -> None:
    with pytest.raises(RoutineError) as error:
        replace(STEP, **{field: value})  # type: ignore[arg-type]
    assert error.value.flaws[0].where[0] == field


def test_a_hold_may_not_be_longer_than_its_step() -> None:
    with pytest.raises(RoutineError):
        replace(STEP, seconds=10.0, hold_seconds=11.0)


def test_a_routine_error_is_a_value_error_that_names_everything_wrong() -> None:
    with pytest.raises(ValueError, match=r"seconds is 1\.0.*level is 0") as error:
        replace(STEP, seconds=1.0, level=0)
    assert "step 'rest'" in str(error.value)


@pytest.mark.parametrize("tool", [Tool.MASSAGER, Tool.HANDS, Tool.BALLS])
def test_whatever_presses_on_a_neck_says_where_not_to_press(tool: Tool) -> None:
    with pytest.raises(RoutineError, match="where not to press"):
        replace(ROUTINE, tool=tool, steps=(replace(STEP, avoid=()),))


def test_breathing_need_not_say_where_not_to_press() -> None:
    quiet = replace(ROUTINE, tool=Tool.NONE, steps=(replace(STEP, avoid=()),))
    assert not quiet.needs_neck


@pytest.mark.parametrize("tool", list(Tool))
def test_no_routine_is_longer_than_its_tool_allows(tool: Tool) -> None:
    limit = LIMIT_SECONDS[tool]
    full, rest = divmod(limit, LONGEST_STEP_SECONDS)
    longest = [LONGEST_STEP_SECONDS] * int(full) + ([rest] if rest else [])
    assert replace(ROUTINE, tool=tool, steps=steps(*longest)).seconds == limit
    with pytest.raises(RoutineError, match="or less in all"):
        replace(ROUTINE, tool=tool, steps=steps(*longest, SHORTEST_STEP_SECONDS))


def test_only_breathing_and_rest_may_take_half_an_hour() -> None:
    assert {tool for tool, limit in LIMIT_SECONDS.items() if limit == CALM_SECONDS} == {Tool.NONE}


def test_the_first_minute_of_a_massager_is_at_its_gentlest() -> None:
    with pytest.raises(RoutineError, match="level 1 for the first 60 s"):
        replace(ROUTINE, tool=Tool.MASSAGER, steps=steps(59.0, 60.0, level=2))


def test_a_level_rises_by_one_at_most() -> None:
    first, second, third = steps(60.0, 60.0, 60.0)
    gentle, more = replace(first, level=1), replace(second, level=2)
    rising = (gentle, more, replace(third, level=3))
    assert replace(ROUTINE, tool=Tool.MASSAGER, steps=rising).steps == rising
    with pytest.raises(RoutineError, match="raise by one at a time"):
        replace(ROUTINE, tool=Tool.MASSAGER, steps=(gentle, replace(third, level=3)))


def test_hands_have_no_levels() -> None:
    with pytest.raises(RoutineError, match="only a massager routine has levels"):
        replace(ROUTINE, steps=steps(60.0, level=1))


def test_nothing_presses_on_a_neck_without_the_safety_questions() -> None:
    with pytest.raises(RoutineError, match="needs true"):
        replace(ROUTINE, screening=False)


@pytest.mark.parametrize(
    ("field", "value"),
    [("title", ""), ("intro", ()), ("kind", "magic"), ("again_minutes", -1.0), ("steps", ())],
)
def test_a_routine_that_breaks_a_rule_cannot_be_made(field: str, value: object) -> None:
    with pytest.raises(RoutineError) as error:
        replace(ROUTINE, **{field: value})  # type: ignore[arg-type]
    assert error.value.flaws[0].where[0] == field


def test_a_massager_never_begins_by_itself_again() -> None:
    with pytest.raises(RoutineError, match="never begins by itself"):
        replace(ROUTINE, tool=Tool.MASSAGER, again_minutes=20.0)


def test_two_steps_of_one_id_cannot_be_told_apart() -> None:
    with pytest.raises(RoutineError, match="an id of its own"):
        replace(ROUTINE, steps=(STEP, STEP))


@pytest.mark.parametrize("minutes", [5, 10, 15])
def test_a_massager_routine_can_be_fitted_to_what_the_person_wants(minutes: int) -> None:
    first, *later = steps(60.0, 120.0, 120.0, 120.0, 120.0)
    cued = replace(later[0], cues=(Cue(60.0, ("Breathe.",)),))
    ten = replace(ROUTINE, tool=Tool.MASSAGER, steps=(first, cued, *later[1:]))
    fit = fitted(ten, minutes)
    assert fit.seconds == pytest.approx(min(minutes * 60.0, MASSAGER_SECONDS))
    assert fit.steps[0] == first
    assert fit.steps[1].cues[0].at_seconds == pytest.approx(fit.steps[1].seconds / 2)


def test_only_the_massager_is_fitted() -> None:
    assert fitted(ROUTINE, 15) == ROUTINE
    assert fitted(replace(ROUTINE, tool=Tool.MASSAGER), 0).seconds == 60.0


@given(
    seconds=st.lists(st.floats(-10.0, 400.0), max_size=8),
    levels=st.lists(st.none() | st.integers(-1, 4), min_size=8, max_size=8),
    avoid=st.lists(st.booleans(), min_size=8, max_size=8),
    tool=st.sampled_from(Tool),
)
def test_whatever_can_be_made_keeps_the_limits(
    seconds: list[float], levels: list[int | None], avoid: list[bool], tool: Tool
) -> None:
    try:
        made = replace(
            ROUTINE,
            tool=tool,
            steps=tuple(
                replace(
                    STEP,
                    id=f"step_{index}",
                    seconds=each,
                    level=level,
                    avoid=STEP.avoid if avoids else (),
                )
                for index, (each, level, avoids) in enumerate(
                    zip(seconds, levels, avoid, strict=False)
                )
            ),
        )
    except RoutineError:
        return
    begins = 0.0
    for step in made.steps:
        assert 5.0 <= step.seconds <= 300.0
        assert step.avoid or tool is Tool.NONE
        assert step.level is None or (tool is Tool.MASSAGER and step.level >= 1)
        assert begins >= 60.0 or step.level in (None, 1)
        begins += step.seconds
    assert begins <= {Tool.MASSAGER: 890.0, Tool.NONE: 1800.0}.get(tool, 900.0)


# Who writes a routine


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """What `unknot routine schema` prints."""
    printed: dict[str, Any] = json.loads(CliRunner().invoke(main, ["routine", "schema"]).output)
    jsonschema.Draft202012Validator.check_schema(printed)
    return printed


@pytest.fixture(scope="module")
def guide() -> str:
    return (TESTS.parent / "docs" / "write-a-routine.md").read_text("utf-8")


@pytest.fixture(scope="module")
def example(guide: str) -> str:
    """The routine that stands in the guide."""
    (found,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    return str(found)


def fits(path: Path, schema: dict[str, Any]) -> bool:
    data = tomllib.loads(path.read_text("utf-8"))
    return jsonschema.Draft202012Validator(schema).is_valid(data)


def test_every_routine_that_comes_with_the_program_fits_the_schema(schema: dict[str, Any]) -> None:
    bundled = list(default_folder().rglob("routines/*.toml"))
    assert len(bundled) > 11
    assert [path for path in bundled if not fits(path, schema)] == []


def test_the_schema_finds_every_wrong_value_that_stands_alone(schema: dict[str, Any]) -> None:
    broken = [
        path for path in (TESTS / "broken" / "routines").glob("*.toml") if " " not in path.stem
    ]
    readable = [path for path in broken if path.stem != "not-toml"]
    assert {path.stem for path in readable if fits(path, schema)} == SEEN_WHOLE


def test_the_guide_names_every_key_and_every_limit_of_the_schema(
    schema: dict[str, Any], guide: str
) -> None:
    tables = [schema, *schema["$defs"].values()]
    for table in tables:
        for key, rule in table["properties"].items():
            assert f"`{key}`" in guide or f"{key} =" in guide, key
            row = next((row for row in guide.splitlines() if row.startswith(f"| `{key}` ")), "")
            if row and (key != "sources" or "needed" not in row):
                limits = [rule[name] for name in ("minimum", "maximum") if rule.get(name, 0) > 1]
                assert [limit for limit in limits if f"{limit:g}" not in row] == [], key
                assert [value for value in rule.get("enum", ()) if value not in row] == [], key
    for tool, seconds in LIMIT_SECONDS.items():
        assert f"{seconds:g} s" in guide, tool


def test_the_guides_example_can_be_checked_rehearsed_and_used(
    schema: dict[str, Any],
    guide: str,
    example: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each command as the guide has it, in the order of the guide."""
    for variable in ("CONFIGURATION_DIRECTORY", "STATE_DIRECTORY", "CACHE_DIRECTORY"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    monkeypatch.chdir(tmp_path)
    written = Path("ten-breaths.toml")
    written.write_text(example)
    assert fits(written, schema)
    assert check_routine(written) == []
    installed = tmp_path / "CONFIGURATION_DIRECTORY" / "routines" / written.name
    said = {}
    commands = re.findall(r"^unknot (routine .*)$", guide, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        if "list" in command:
            installed.parent.mkdir(parents=True)
            written.rename(installed)
        result = CliRunner().invoke(main, command.split())
        assert result.exit_code == 0, result.output
        said[command] = result.output
    rehearsed = said["routine rehearse ten-breaths.toml"]
    assert "It takes about 3 minutes." in rehearsed
    assert rehearsed.count("And slowly out.") == 10
    assert rehearsed.rstrip().endswith("-- end: finished")
    assert "ten-breaths" in said["routine list"]


def test_a_routines_own_source_may_be_the_persons_own(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(tmp_path))
    written = tmp_path / "ten-breaths.toml"
    written.write_text(example.replace('["paced"]', '["my_teacher"]'))
    (found,) = check_routine(written, personal=True)
    assert found.remedy == "add it to sources.toml"
    (tmp_path / "sources.toml").write_text(
        '[my_teacher]\ntitle = "A course"\nurl = ""\nread = "there"\nchecked = 2026-11-22\n'
    )
    assert check_routine(written, personal=True) == []


@pytest.mark.parametrize("command", ["rehearse", "show"])
def test_a_file_that_is_broken_is_told_and_not_rehearsed(command: str, tmp_path: Path) -> None:
    broken = TESTS / "broken" / "routines" / "ends-itself.toml"
    result = CliRunner().invoke(main, ["routine", command, str(broken)])
    assert result.exit_code == 3
    assert "holds a word that ends the massage" in result.output
