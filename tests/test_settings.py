"""Reading config/: its layers, what counts after what, and what is remembered."""

import os
import stat
from pathlib import Path

import pytest

from assistant.paths import config_folder
from assistant.problem import ConfigError
from assistant.remembered import forget, remember, remembered, remembered_file
from assistant.settings import Settings, check_routine, default_folder, load
from assistant.settings_file import SettingsTable
from assistant.sources import read_sources
from assistant.toml_file import read_toml
from audio.errors import NotFit

STIFF = """
title = "One long step"
tool = "massager"
intro = ["A short one."]
sources = ["own_choice"]
steps = [
  { id = "one", name = "one", say = ["Rest."], avoid = ["Never on the throat."], seconds = 60 },
  { id = "two", name = "two", say = ["Rest."], avoid = ["Never on the throat."], seconds = 60 },
]
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's own folders, empty."""
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(tmp_path / "own"))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    config_folder().mkdir()
    return config_folder()


def copied(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    for file in default_folder().rglob("*.toml"):
        copy = folder / file.relative_to(default_folder())
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    return folder


def test_what_comes_with_the_program_has_no_problem(settings: Settings) -> None:
    assert settings.session.screening
    assert settings.massager.name == "simulated"
    assert settings.massager.limits.session_seconds == 900.0


def test_settings_toml_shows_every_key_with_its_usual_value() -> None:
    shown = read_toml(default_folder() / "settings.toml").data
    assert shown == SettingsTable().model_dump()


def test_an_override_counts_after_every_file() -> None:
    settings = load(overrides={"session.screening": False, "voice.rate": 100}, personal=False)
    assert not settings.session.screening
    assert settings.voice.rate == 100
    assert settings.session.tries == 3


def test_a_wrong_override_is_told_with_its_remedy() -> None:
    with pytest.raises(ConfigError) as error:
        load(overrides={"session.screning": True, "music": 1}, personal=False)
    assert str(error.value).splitlines() == [
        "the command line: music: there is no such key: remove it, or use one of "
        "language, session, voice, hearing, massager, emergency, journal, page, home_assistant, "
        "button",
        "the command line: session.screning: there is no such key: remove it, or did you mean "
        "screening?",
    ]


def test_quiet_hours_are_told_how_they_are_written() -> None:
    with pytest.raises(ConfigError, match=r'10pm-7am.*write it as "22:00-07:00"'):
        load(overrides={"session.quiet_hours": "10pm-7am"}, personal=False)


def test_the_persons_own_file_counts_after_ours_and_the_voice_after_that(own: Path) -> None:
    (own / "settings.toml").write_text('[session]\ntalk = "brief"\nminutes = 10\n')
    assert load().session.talk == "brief"
    remember(remembered_file(), "session.talk", "full")
    assert load().session.talk == "full"
    assert load().session.minutes == 10
    forget(remembered_file())
    assert load().session.talk == "brief"


def test_a_folder_named_by_hand_means_the_same_for_everybody(own: Path) -> None:
    (own / "settings.toml").write_text('[session]\ntalk = "brief"\n')
    assert load(default_folder()).session.talk == "full"
    assert load(personal=False).session.talk == "full"


def test_the_persons_own_routines_are_added(own: Path) -> None:
    (own / "routines").mkdir()
    ours = default_folder() / "routines" / "body-scan.toml"
    (own / "routines" / "evening.toml").write_bytes(ours.read_bytes())
    settings = load()
    assert settings.routines["evening"].steps == settings.routines["body-scan"].steps
    assert "evening.intro" in settings.script.ids()


def test_a_routine_may_not_take_the_name_of_other_prompts(own: Path) -> None:
    (own / "routines").mkdir()
    ours = default_folder() / "routines" / "body-scan.toml"
    (own / "routines" / "voice.toml").write_bytes(ours.read_bytes())
    with pytest.raises(ConfigError, match=r"voice\.toml: prompts\.toml has this name"):
        load()


def test_the_problems_of_all_files_are_told_at_once(own: Path, tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "settings.toml").write_text("[session]\ntries = 0\n")
    (folder / "faq.toml").write_text("[posture]\n")
    (folder / "prompts.toml").write_text("idle = 5\n")
    (folder / "routines" / "hands-on.toml").write_text("title = \n")
    (folder / "sources.toml").unlink()
    (own / "settings.toml").write_text("[voice]\nrate = 1\n")
    with pytest.raises(ConfigError) as error:
        load(folder, personal=True)
    named = {Path(found.file).name for found in error.value.problems}
    assert named >= {"settings.toml", "faq.toml", "prompts.toml", "hands-on.toml", "sources.toml"}
    assert any(found.file == str(own / "settings.toml") for found in error.value.problems)
    assert error.value.exit_code == NotFit.exit_code == 3


def test_a_missing_config_folder_is_told_file_by_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path / "nowhere")
    told = str(error.value)
    assert "settings.toml: there is no such file; create it or name another" in told
    assert "there is no neck-massager.toml; put it back" in told


def test_a_prompt_that_a_session_speaks_may_not_be_deleted(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    prompts = folder / "prompts.toml"
    prompts.write_text(prompts.read_text().replace("[good_night]\nsay", "[good_day]\nsay"))
    with pytest.raises(ConfigError, match=r"good_night: is missing: a session speaks it"):
        load(folder)


def test_a_prompt_may_not_ask_for_a_value_that_nobody_gives(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    prompts = folder / "prompts.toml"
    wanting = '[good_night]\nvalues = { name = ["you"] }\nsay = ["Good night, {name}."]\n#'
    prompts.write_text(prompts.read_text().replace("[good_night]\n", wanting))
    with pytest.raises(ConfigError, match=r"\{name\}.*nothing fills this blank"):
        load(folder)


def test_broken_phrases_are_told_with_everything_else(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "phrases.toml").write_text("[nonsense]\n")
    with pytest.raises(ConfigError, match=r"phrases\.toml: nonsense: no such section"):
        load(folder)


def test_a_limit_can_only_be_made_stricter() -> None:
    strict = {"massager.longest_minutes": 10.0, "massager.gentle_seconds": 120.0}
    limits = load(overrides=strict, personal=False).massager.limits
    assert limits.session_seconds == 600.0
    assert limits.gentle_seconds == 120.0
    for key, value in (("longest_minutes", 15.1), ("gentle_seconds", 59.0), ("rest_minutes", 4.0)):
        with pytest.raises(ConfigError, match=key):
            load(overrides={f"massager.{key}": value}, personal=False)


def test_the_number_to_call_is_a_setting_and_never_guessed(settings: Settings) -> None:
    unset = " ".join(settings.script.line("advice.face.say"))
    assert "Call your emergency number now." in unset
    own = load(overrides={"emergency.number": "112"}, personal=False)
    assert "Call 1 1 2 now." in own.script.line("advice.face.say")


def test_the_length_of_a_massage_is_a_setting_and_is_spoken() -> None:
    short = load(overrides={"session.minutes": 5}, personal=False)
    assert short.routines["neck-massager"].seconds == 300.0
    assert "It takes about 5 minutes." in short.script.line("neck-massager.intro")


def test_a_routine_that_cannot_be_made_so_long_is_told(own: Path) -> None:
    (own / "routines").mkdir()
    (own / "routines" / "stiff.toml").write_text(STIFF)
    (own / "settings.toml").write_text("[session]\nminutes = 15\n")
    with pytest.raises(
        ConfigError, match=r"settings\.toml:2: session\.minutes is 15: stiff cannot"
    ):
        load()


def test_a_missing_routine_file_is_one_line() -> None:
    (found,) = check_routine(Path("nowhere.toml"))
    assert str(found) == "nowhere.toml: there is no such file; create it or name another"


def test_a_routine_that_is_not_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "noise.toml").write_bytes(b"\xff\xfe\x00")
    (found,) = check_routine(tmp_path / "noise.toml")
    assert str(found).endswith("noise.toml: this is not UTF-8 text; save it as UTF-8")


def test_every_line_of_a_toml_file_is_found_again() -> None:
    """Each sentence of our own files stands on the line that is told for it."""
    for path in default_folder().rglob("*.toml"):
        file = read_toml(path)
        lines = path.read_text(encoding="utf-8").splitlines()
        for keys in file.lines:
            value: object = file.data
            for key in keys:
                value = value[key]  # type: ignore[index]
            if isinstance(value, str) and '"' not in value and "\\" not in value:
                assert value in lines[file.line(keys) - 1]


def test_the_line_of_something_missing_is_that_of_what_is_around_it(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text('# small\n[a]\nb = 1\n\n[[c]]\nd = [\n  "one", # [[x]]\n  { e = 2 },\n]\n')
    file = read_toml(path)
    assert file.line(("a", "b")) == 3
    assert file.line(("a", "missing", "deeper")) == 2
    assert file.line(("c", 0, "d", 1, "e")) == 8
    assert file.line(("nowhere",)) == 1


TRICKY = r'''
"quoted \" = # key" = "a = \" ] # b"
many = """
not = "a key"
[not.a.table]
ends with a quote""""
plain = 'C:\' # = "x
[[a."b.c"]]
d.e = [1979-05-27 07:32:00, { f = [[1, 2], [3,
  4]] }]
[a."b.c".g]
h = 1
[[a."b.c"]]
last = true
'''


def test_lines_are_found_through_all_that_toml_allows(tmp_path: Path) -> None:
    path = tmp_path / "tricky.toml"
    path.write_text(TRICKY)
    file = read_toml(path)
    assert file.line(("many",)) == 3
    assert file.line(("plain",)) == 7
    assert file.line(("a", "b.c", 0, "d", "e", 1, "f", 1, 1)) == 10
    assert file.line(("a", "b.c", 0, "g", "h")) == 12
    assert file.line(("a", "b.c", 1, "last")) == 14


def test_a_source_needs_a_day_on_which_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    path.write_text('[rumour]\ntitle = "A rumour"\nread = "heard it"\nchecked = "yesterday"\n')
    sources, problems = read_sources(read_toml(path))
    assert not sources
    assert sorted(str(found).removeprefix(f"{path}:") for found in problems) == [
        "1: rumour.url: is missing: add it",
        "4: rumour.checked is 'yesterday': give a day as 2026-11-22, without quotes",
    ]


def test_what_is_remembered_is_for_its_owner_only_and_survives(tmp_path: Path) -> None:
    path = tmp_path / "new" / "remembered.toml"
    assert remembered(path) == {}
    remember(path, "session.talk", "brief")
    remember(path, "voice.volume_db", -4.0)
    assert remembered(path) == {"session.talk": "brief", "voice.volume_db": -4.0}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["remembered.toml"]
    forget(path)
    forget(path)
    assert remembered(path) == {}


def test_only_what_can_be_said_can_be_remembered(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        remember(tmp_path / "remembered.toml", "session.screening", 0)
    assert not list(tmp_path.iterdir())


def test_a_broken_memory_is_told_like_any_other_file(own: Path) -> None:
    remembered_file().parent.mkdir()
    remembered_file().write_text('"session.talk" = "loud"\n')
    with pytest.raises(ConfigError, match=r"remembered\.toml: session\.talk is 'loud'"):
        load()
