"""Proves what words mean: the utterances in phrases.toml beside this file, and what must never be.

It must never copy a phrase list: what people say is data, here and in config/.
"""

import copy
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents.intent import SAFETY, Intent, Meaning
from intents.phrasebook import Phrasebook, PhraseError, seriousness
from intents.phrases import GAP

DATA: dict[str, Any] = tomllib.loads(files("config").joinpath("phrases.toml").read_text("utf-8"))
SAID: dict[str, Any] = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text("utf-8"))
BOOK = Phrasebook(DATA)
ORDINARY = [intent for intent in Intent if intent not in SAFETY]
ANYWHERE = [p for p in BOOK.phrases(SAFETY) if BOOK.safety(p, finished=False)]


def topics(table: dict[str, Any]) -> Iterator[tuple[Intent, str | None, list[str]]]:
    for name, body in table.items():
        for topic, phrases in (body if isinstance(body, dict) else {"any": body}).items():
            yield Intent(name), None if topic == "any" else topic, phrases


def meaning(text: str) -> tuple[Intent, str | None] | None:
    found = BOOK.match(text)
    return (found.intent, found.topic) if found else None


# What people say


@pytest.mark.parametrize(("intent", "topic", "utterances"), list(topics(SAID["means"])))
def test_what_people_say_is_understood(
    intent: Intent, topic: str | None, utterances: list[str]
) -> None:
    wrong = {said: meaning(said) for said in utterances if meaning(said) != (intent, topic)}
    assert wrong == {}


@pytest.mark.parametrize(
    ("intent", "number", "said"),
    [
        (Intent(name), int(number), said)
        for name, numbers in SAID["values"].items()
        for number, utterances in numbers.items()
        for said in utterances
    ],
)
def test_the_number_said_is_the_value(intent: Intent, number: int, said: str) -> None:
    assert BOOK.match(said) == Meaning(intent, number)


def test_every_number_from_zero_to_ten_is_a_rating_in_words_and_in_digits() -> None:
    words = "zero, one, two, three, four, five, six, seven, eight, nine, ten"
    for number, word in enumerate(words.split(", ")):
        assert BOOK.match(word) == BOOK.match(str(number)) == Meaning(Intent.NUMBER, number)
    assert BOOK.match("eleven") == Meaning(Intent.COUNT, 11)


@pytest.mark.parametrize("talk", SAID["nothing"]["talk"])
def test_talk_means_nothing(talk: str) -> None:
    assert BOOK.match(talk) is None


@pytest.mark.parametrize("topic", ["unknown", "elsewhere"])
def test_a_question_that_no_phrase_knows_is_known_to_be_a_question(topic: str) -> None:
    asked = {said: BOOK.question(said) for said in SAID["questions"][topic]}
    assert asked == dict.fromkeys(asked, Meaning(Intent.QUESTION, topic=topic))
    assert {BOOK.match(said) for said in asked} == {None}


def test_what_does_not_begin_as_a_question_is_none() -> None:
    assert {BOOK.question(said) for said in SAID["questions"]["none"]} == {None}


@pytest.mark.parametrize("intent", Intent)
def test_every_intent_has_at_least_six_tested_wordings(intent: Intent) -> None:
    said = [u for i, _, utterances in topics(SAID["means"]) if i is intent for u in utterances]
    said += [u for us in SAID["values"].get(intent.value, {}).values() for u in us]
    assert len(set(said)) >= 6


def test_every_topic_that_can_be_meant_is_tested() -> None:
    tables = [DATA["safety"], DATA["safety_alone"], DATA["ordinary"]]
    meant = {(i, topic) for table in tables for i, topic, _ in topics(table)}
    tested = {(i, topic) for i, topic, _ in topics(SAID["means"])}
    assert meant - tested == {(i, None) for i in (Intent.NUMBER, Intent.COUNT, Intent.LENGTH)}


def test_case_punctuation_and_blanks_change_nothing() -> None:
    for said in BOOK.phrases():
        changed = f"  {said.upper().replace(' ', ' ,  ')}?! "
        assert meaning(changed) == meaning(said)


def test_apostrophes_and_hyphens_change_nothing() -> None:
    expected = (Intent.EMERGENCY, "breathing")
    assert {meaning(f"I can{mark}t breathe") for mark in ("'", "\u2019", "")} == {expected}
    assert meaning("\uff33\uff34\uff2f\uff30") == (Intent.STOP, None)  # full-width letters
    assert meaning("light-headed") == meaning("light headed") == meaning("lightheaded")


def test_politeness_changes_nothing() -> None:
    for before in ("please", "okay unknot", "can you please", "um so"):
        for after in ("", "please", "now please", "thank you"):
            assert meaning(f"{before} go back {after}") == (Intent.BACK, None)


def test_a_command_said_twice_counts_once() -> None:
    assert meaning("pause pause") == (Intent.PAUSE, None)
    assert meaning("go back go back please") == (Intent.BACK, None)


def test_endless_politeness_is_talk() -> None:
    assert meaning("please " * 10 + "pause") == (Intent.PAUSE, None)
    assert meaning("please " * 100 + "pause") is None


def test_a_command_inside_talk_means_nothing() -> None:
    for command in BOOK.phrases(ORDINARY, most=1):
        assert BOOK.match(f"my neighbour {command} yesterday evening") is None


# Safety words


@given(before=st.text(), phrase=st.sampled_from(ANYWHERE), after=st.text())
def test_a_safety_phrase_between_any_other_words_is_never_missed(
    before: str, phrase: str, after: str
) -> None:
    found = BOOK.match(f"{before} {phrase} {after}")
    alone = BOOK.match(phrase)
    assert found is not None
    assert alone is not None
    assert found.intent in SAFETY
    assert seriousness(found) <= seriousness(alone)


@given(st.text() | st.lists(st.sampled_from(BOOK.words())).map(" ".join))
def test_any_text_at_all_is_looked_up_and_both_ways_agree_about_safety(text: str) -> None:
    found = BOOK.match(text)
    assert BOOK.safety(text) == (found if found and found.intent in SAFETY else None)


@given(st.lists(st.sampled_from(BOOK.words()), max_size=12))
def test_no_mixture_of_known_words_hides_a_safety_word(words: list[str]) -> None:
    halting = [BOOK.safety(word, finished=False) for word in words]
    if any(halting):
        assert BOOK.safety(" ".join(words)) is not None


def test_a_very_long_utterance_still_halts() -> None:
    assert meaning("well " * 500 + "stop" + " you know" * 500) == (Intent.STOP, None)


def test_a_denied_safety_word_halts_all_the_same() -> None:
    assert meaning("don't stop") == (Intent.STOP, None)
    assert meaning("I'm not dizzy at all") == (Intent.DIZZY, "dizzy")


TIERS = [
    ["my chest hurts", "i can't breathe", "worst headache ever"],
    ["dizzy", "tingling", "a sharp pain", "sick", "numb"],
    ["too hot", "smoke", "caught"],
    ["sore", "ouch", "too hard"],
    ["stop", "enough", "off"],
]


def test_of_several_the_most_serious_is_meant() -> None:
    for serious, lesser in combinations(TIERS, 2):
        for one in serious:
            for other in lesser:
                assert meaning(f"{one} and {other}") == meaning(one)
                assert meaning(f"{other} and {one}") == meaning(one)


def test_of_equals_the_longer_phrase_is_meant_and_then_the_first() -> None:
    assert meaning("numb and dizzy") == (Intent.TINGLING, "numb")
    assert meaning("dizzy and numb") == (Intent.DIZZY, "dizzy")
    assert meaning("dizzy with a sharp pain") == (Intent.PAIN, "sharp_pain")


def test_it_is_told_how_many_words_a_safety_phrase_has() -> None:
    assert BOOK.safety_words("then we stop here") == 1
    assert BOOK.safety_words("I think that my face is numb now") == 4
    assert BOOK.safety_words("what a fine day") == 0


def test_up_to_three_words_may_stand_in_a_gap() -> None:
    assert meaning("I can't even begin to breathe") == (Intent.EMERGENCY, "breathing")
    assert meaning("I can't say that I breathe") is not None
    assert meaning("I can't say that I still breathe") is None


def test_a_phrase_that_counts_only_alone_waits_for_the_end_of_the_utterance() -> None:
    assert BOOK.safety("I can't see", finished=False) is None
    assert BOOK.safety("I can't see") == Meaning(Intent.EMERGENCY, topic="sight")
    assert BOOK.match("please don't") == Meaning(Intent.STOP)
    assert BOOK.match("I can't see why not") is None


def test_unfinished_text_shows_a_safety_word_as_soon_as_it_is_there() -> None:
    assert BOOK.safety("please st", finished=False) is None
    assert BOOK.safety("please stop", finished=False) == Meaning(Intent.STOP)


def test_plain_help_is_no_emergency_but_help_for_breath_is() -> None:
    assert meaning("help me") == (Intent.HELP, None)
    assert meaning("help me I can't breathe") == (Intent.EMERGENCY, "breathing")


def test_having_a_headache_asks_for_help_and_a_worse_one_halts() -> None:
    assert meaning("I have a headache") == (Intent.START, "headache")
    assert meaning("I have a headache and it's worse") == (Intent.DIZZY, "headache")


# The book as a whole


@pytest.mark.parametrize("intent", Intent)
def test_every_wording_means_its_own_intent(intent: Intent) -> None:
    wordings = BOOK.phrases({intent})
    assert wordings
    assert {p: m for p in wordings if (m := meaning(p)) is None or m[0] is not intent} == {}


def test_no_wording_belongs_to_two_intents() -> None:
    owners = [(phrase, intent) for intent in Intent for phrase in BOOK.phrases({intent})]
    assert len(dict(owners)) == len(owners)


def test_no_ordinary_phrase_holds_a_safety_phrase() -> None:
    assert [p for p in BOOK.phrases(ORDINARY) if BOOK.safety(p)] == []


@pytest.mark.parametrize(("one", "other"), SAID["opposites"]["pairs"])
def test_opposites_are_never_mixed(one: str, other: str) -> None:
    for intent, opposite in ((one, other), (other, one)):
        word = BOOK.phrases({Intent(opposite)}, most=1)[0]
        assert [p for p in BOOK.phrases({Intent(intent)}) if f" {word} " in f" {p} "] == []


def test_the_words_of_gap_phrases_can_all_be_heard() -> None:
    gapped = [t for _, _, templates in topics(DATA["safety"]) for t in templates if GAP in t]
    words = {w for t in gapped for w in t.translate(str.maketrans("()[]|", "     ")).split()}
    assert gapped
    assert words - set(BOOK.words()) == {GAP, "<cant>"}
    assert not any(GAP in phrase for phrase in (*BOOK.phrases(), *BOOK.pieces()))


def test_every_topic_has_an_answer() -> None:
    advice = tomllib.loads(files("config").joinpath("advice.toml").read_text("utf-8"))["advice"]
    answers = tomllib.loads(files("config").joinpath("faq.toml").read_text("utf-8"))
    for section in ("safety", "safety_alone"):
        assert {t for _, t, _ in topics(DATA[section]) if t} <= set(advice)
    assert set(DATA["ordinary"]["question"]) <= set(answers)


def test_every_routine_can_be_started_by_its_name_and_nothing_else_can() -> None:
    names = [file.name for file in files("config").joinpath("routines").iterdir()]
    routines = {name.removesuffix(".toml") for name in names if name.endswith(".toml")}
    started = {topic for topic in DATA["ordinary"]["start"] if topic != "any"}
    assert started == routines | {"relax", "headache"}


def test_phrases_can_be_limited_to_the_usual_ones() -> None:
    assert BOOK.phrases({Intent.YES}, most=1) == ("yes",)
    assert len(BOOK.phrases({Intent.NUMBER}, most=1)) == 12  # zero has two names
    assert set(BOOK.phrases({Intent.YES}, most=3)) < set(BOOK.phrases({Intent.YES}))
    assert BOOK.phrases(set()) == ()


def test_the_usual_wording_of_a_meaning_is_plain() -> None:
    for section in ("safety", "ordinary"):
        for intent, topic, templates in topics(DATA[section]):
            assert not set(templates[0]) & set("([|<.;"), (intent, topic)


# Bad files


SMALL: dict[str, Any] = {
    "safety": {intent.value: [f"{intent.value} it"] for intent in SAFETY},
    "safety_alone": {"stop": ["cease"]},
    "ordinary": {
        "pause": ["pause"],
        "next": ["next"],
        "stronger": ["<bit> stronger"],
        "number": ["{rating}"],
    },
    "polite": {"before": ["please"]},
    "rules": {"bit": "(a bit|much)"},
    "numbers": {"one": 1, "seven": 7},
    "slots": {"rating": [0, 10]},
    "sensitivity": {"stop it": 3},
    "decoys": {"talk": ["the"]},
    "unk": {"[unk]": 2},
}


def test_a_small_file_is_a_book_too() -> None:
    assert Phrasebook(SMALL).match("please, a bit stronger") == Meaning(Intent.STRONGER)


def broken(*changes: tuple[str, Any]) -> tuple[str, ...]:
    """Set the values at dotted paths and return the problems."""
    data = copy.deepcopy(SMALL)
    for path, value in changes:
        *parents, last = path.split(".")
        table = data
        for name in parents:
            table = table[name]
        table[last] = value
    with pytest.raises(PhraseError) as caught:
        Phrasebook(data)
    return caught.value.problems


@pytest.mark.parametrize(
    ("path", "value", "place", "why"),
    [
        ("ordinary.dance", ["dance"], "ordinary.dance", "no such intent"),
        ("speech", {}, "speech", "no such section"),
        ("ordinary.stop", ["stop"], "ordinary.stop", "belongs into [safety]"),
        ("safety.pause", ["rest"], "safety.pause", "belongs into [ordinary]"),
        ("ordinary.pause", [], "ordinary.pause", "must be a list"),
        ("ordinary.pause", "pause", "ordinary.pause", "must be a list"),
        ("ordinary.pause", ["pause", 3], "ordinary.pause, line 2", "must be a phrase"),
        ("ordinary.pause", ["pause", " "], "ordinary.pause, line 2", "must be a phrase"),
        ("ordinary.pause", ["next"], "'next'", "stands already in"),
        ("ordinary.pause", ["pause", "pause"], "ordinary.pause, line 2", "stands already in"),
        ("ordinary.pause", ["pause", "(pau"], "ordinary.pause, line 2", "cannot be read"),
        ("ordinary.pause", ["<none> pause"], "ordinary.pause, line 1", "cannot be read"),
        ("ordinary.pause", ["{weight} pause"], "ordinary.pause, line 1", "may hold"),
        ("ordinary.pause", ["{rating} or {rating}"], "ordinary.pause, line 1", "once"),
        ("ordinary.pause", ["[pause]"], "ordinary.pause, line 1", "left out as a whole"),
        ("ordinary.pause", ["pause ... here"], "ordinary.pause, line 1", "[safety] only"),
        ("ordinary.pause", ["stop it for a while"], "ordinary.pause, line 1", "taken for stop"),
        ("ordinary.pause", [" ".join(["(a|b|c)"] * 6)], "ordinary.pause, line 1", "part it"),
        ("safety.stop", ["stop it", "... now"], "safety.stop, line 2", "between words"),
        ("safety.stop", [], "safety.stop", "a person must be able to say it"),
        ("safety_alone.stop", ["numb ... finger"], "safety_alone.stop, line 1", "[safety] only"),
        ("rules.bit", "(a bit", "rules.bit", "cannot be read"),
        ("rules.bit", "<bit> more", "ordinary.stronger, line 1", "cannot be read"),
        ("numbers.seven", "7", "numbers.seven", "must be a whole number from 0"),
        ("numbers.seven", True, "numbers.seven", "must be a whole number"),
        ("numbers.seven", -7, "numbers.seven", "must be a whole number"),
        ("slots.rating", [10, 0], "slots.rating", "[lowest, highest]"),
        ("slots.rating", "0-10", "slots.rating", "[lowest, highest]"),
        ("sensitivity.stop it", 0, "sensitivity.stop it", "must be a whole number from 1"),
        ("sensitivity.hopscotch", 2, "sensitivity.hopscotch", "no such phrase"),
        ("sounds_like", {"hopscotch": ["hop"]}, "sounds_like.hopscotch", "no such phrase"),
        ("sounds_like", {"next": ["pause"]}, "sounds_like.next", "means something"),
        ("sounds_like", {"next": "text"}, "sounds_like.next", "must be a list"),
        ("decoys.talk", ["the", "please stop it"], "'please stop it'", "means something"),
        ("decoys", ["the"], "decoys", "must be a section"),
        ("polite.between", ["so"], "polite.between", "no such list"),
        ("unk.[unk]", "often", "unk.[unk]", "must be a whole number from 1"),
    ],
)
def test_a_bad_phrase_file_is_refused_with_the_place(
    path: str, value: Any, place: str, why: str
) -> None:
    problems = broken((path, value))
    assert [p for p in problems if place in p and why in p]


def test_all_problems_of_a_file_are_told_at_once() -> None:
    problems = broken(
        ("ordinary.dance", ["dance"]), ("ordinary.skip", []), ("numbers.one", "1"), ("extra", 1)
    )
    for place in ("ordinary.dance", "ordinary.skip", "numbers.one", "extra"):
        assert [p for p in problems if p.startswith(place)], place


def test_a_file_without_safety_words_is_refused() -> None:
    with pytest.raises(PhraseError) as caught:
        Phrasebook({"ordinary": {"pause": ["pause"]}})
    assert len([p for p in caught.value.problems if p.startswith("safety.")]) == len(SAFETY)
