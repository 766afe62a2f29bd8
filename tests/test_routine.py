"""What a routine may be: the limits, tried from both sides."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
