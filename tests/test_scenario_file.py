"""A scenario file is read whole, or refused with every problem in it, its line and a remedy."""

from pathlib import Path

import pytest

from assistant.room.building import read_play
from assistant.room.scenario import Scenario, ScenarioError, read_scenario
from assistant.room.trigger import Moment, Trigger

CLIPS = Path(__file__).parent / "clips"
GOOD = """
routine = "neck-massager"
seconds = 600
[settings]
"session.screening" = false
[room]
echo_db = -10.0
fault = [{ at = 60.0, kind = "microphone_lost", seconds = 5.0 }]
[[person]]
on = "start"
delay = 0.8
say = "start neck massage"
[[person]]
on = "asked:screening"
repeat = true
say = "no"
[[person]]
on = "at:60.5"
say = "stop"
[[expect]]
massager_off_within = 0.3
said = "stopped"
"""


def refused(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        read_scenario(path)
    assert caught.value.exit_code == 2
    return str(caught.value).splitlines()


def read(tmp_path: Path, text: str) -> Scenario:
    path = tmp_path / "good.toml"
    path.write_text(text, encoding="utf-8")
    return read_scenario(path)


def test_a_good_file_is_read_whole(tmp_path: Path) -> None:
    scenario = read(tmp_path, GOOD)
    assert scenario.routine == "neck-massager"
    assert scenario.massager == "simulated"
    assert scenario.settings == {"session.screening": False}
    assert scenario.room.fault[0].kind == "microphone_lost"
    assert [act.on.moment for act in scenario.person] == [Moment.START, Moment.ASKED, Moment.AT]
    assert scenario.person[2].on == Trigger(Moment.AT, seconds=60.5)
    assert scenario.expect[0].massager_off_within == 0.3


def test_no_echo_is_written_as_none(tmp_path: Path) -> None:
    assert read(tmp_path, 'routine = "x"\n[room]\necho_db = "none"\n').room.echo_db is None


def test_recordings_are_found_beside_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "voices").mkdir()
    (tmp_path / "voices" / "stop_1.flac").touch()
    text = 'routine = "x"\n[[person]]\non = "hold"\nplay = "voices/stop_1.flac"\n'
    act = read(tmp_path, text).person[0]
    assert act.play == tmp_path / "voices" / "stop_1.flac"
    assert act.words == "stop_1"


def test_all_problems_are_told_at_once_each_with_its_line(tmp_path: Path) -> None:
    bad = """massager = "vibrating"
seconds = -3
routin = 4
[room]
response = "nope.flac"
echo_db = "loud"
fault = [{ at = 60.0, kind = "microphone_gone" }]
[[person]]
on = "startt"
say = "hello"
[[person]]
on = "asked:bathing"
say = "no"
[[person]]
on = "after:stop"
say = "x"
dely = 3
[[expect]]
[[expect]]
ended = "happily"
"""
    lines = refused(tmp_path, bad)
    places = [line.removeprefix(str(tmp_path / "bad.toml")).split(": ")[:2] for line in lines]
    assert places == [
        [":1", "massager is 'vibrating'"],
        [":1", "routine"],
        [":2", "seconds is -3"],
        [":3", "routin is 4"],
        [":5", "room.response"],
        [":6", "room.echo_db is 'loud'"],
        [":7", "room.fault.0.kind is 'microphone_gone'"],
        [":9", "person.0.on"],
        [":12", "person.1.on"],
        [":17", "person.2.dely is 3"],
        [":18", "expect.0"],
        [":20", "expect.1.ended is 'happily'"],
    ]


@pytest.mark.parametrize(
    ("act", "remedy"),
    [
        ('on = "start"', "give either say"),
        ('on = "start"\nsay = "a"\nplay = "stop.flac"', "no file"),
        ('on = "start:now"\nsay = "a"', "is no trigger; use start, asked:STATE"),
        ('on = "prompt:"\nsay = "a"', "is no trigger; use start, asked:STATE"),
        ('on = "at:soon"\nsay = "a"', "give the session time in seconds"),
        ('on = "at:-1"\nsay = "a"', "give the session time in seconds"),
        ('on = "after:sneeze"\nsay = "a"', "no such intent; use one of stop"),
        ('on = "state:dreaming"\nsay = "a"', "no such state; use one of idle"),
        ("on = 3\nsay = 'a'", "is not a text; use start"),
        ('on = "start"\ndelay = -1.0\nsay = "a"', "greater than or equal to 0"),
        ('on = "start"\nsay = ""', "at least 1 character"),
    ],
)
def test_a_bad_entry_is_refused_with_a_remedy(tmp_path: Path, act: str, remedy: str) -> None:
    lines = refused(tmp_path, f'routine = "x"\n[[person]]\n{act}\n')
    assert len(lines) == 1
    assert remedy in lines[0]


@pytest.mark.parametrize(
    ("text", "remedy"), [("routine = ", "not TOML"), ("\x00", "not TOML"), ("", "is missing")]
)
def test_what_is_no_scenario_is_refused_in_one_line(tmp_path: Path, text: str, remedy: str) -> None:
    lines = refused(tmp_path, text)
    assert len(lines) == 1
    assert remedy in lines[0]


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ScenarioError, match=path.name):
            read_scenario(path)


def test_a_prompt_that_nobody_says_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "misspelt.toml"
    text = GOOD.replace('said = "stopped"', 'never_said = "screning.intro"')
    path.write_text(text.replace('on = "start"', 'on = "prompt_end:screning.*"'))
    with pytest.raises(ScenarioError) as caught:
        read_play(path)
    told = [str(one) for one in caught.value.problems]
    assert [("screning" in one, "unknot prompts" in one) for one in told] == 2 * [(True, True)]
    assert all(f"{path}:" in one for one in told)
