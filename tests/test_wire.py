"""What crosses the border comes out as it went in, and nothing that comes in can do harm."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audio.messages import (
    Ear,
    EnrolCommand,
    ExpectCommand,
    Fault,
    Health,
    Heard,
    HushCommand,
    Level,
    Ready,
    Recovered,
    SayBegan,
    SayEnded,
    SpeakCommand,
    ToneCommand,
    VolumeCommand,
)
from audio.wire import LONGEST_LINE, Garbage, encode, from_audio, to_audio
from intents.intent import Intent

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
TOLD = st.one_of(
    st.builds(
        Heard,
        st.sampled_from(Level),
        st.sampled_from(Intent) | st.none(),
        TEXT,
        st.sampled_from(Ear),
        NUMBER,
        st.integers(0, 10) | st.none(),
        TEXT | st.none(),
    ),
    st.builds(SayBegan, TEXT, TEXT, NUMBER),
    st.builds(SayEnded, TEXT, NUMBER, st.booleans()),
    st.builds(Health, NUMBER, NUMBER, NUMBER, st.integers(0, 2**40), st.booleans(), st.booleans()),
    st.builds(Fault, TEXT, TEXT),
    st.builds(Recovered, TEXT),
    st.builds(Ready, TEXT, TEXT),
)
ORDERED = st.one_of(
    st.builds(SpeakCommand, TEXT, st.lists(TEXT, max_size=4).map(tuple), NUMBER),
    st.builds(ToneCommand, TEXT),
    st.just(HushCommand()),
    st.builds(ExpectCommand, st.frozensets(st.sampled_from(Intent))),
    st.builds(EnrolCommand, st.booleans()),
    st.builds(VolumeCommand, NUMBER),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
HEARD = Heard(Level.FINAL, Intent.NUMBER, "seven", Ear.WORDS, 12.5, 7)


@given(TOLD)
def test_what_the_ears_tell_arrives_as_it_was_told(told: Any) -> None:
    line = encode(told)
    assert line.count("\n") == 1
    assert from_audio(line) == told
    assert from_audio(line.encode()) == told


@given(ORDERED)
def test_what_the_ears_are_told_arrives_as_it_was_told(ordered: Any) -> None:
    assert to_audio(encode(ordered)) == ordered


def test_a_line_can_be_read_by_a_person() -> None:
    assert json.loads(encode(HEARD)) == {
        "kind": "heard",
        "level": "final",
        "intent": "number",
        "text": "seven",
        "ear": "words",
        "at": 12.5,
        "value": 7,
        "topic": None,
    }


@given(st.binary(max_size=200))
@example(b"[" * 50_000)
@example(b'{"kind": "fault", "what": "\\ud800"}')
@example(b'{"do": "volume", "level_db": 1e999}')
@example(b'{"do": "volume", "level_db": 1' + b"0" * 400 + b"}")
@example(b'{"do": "volume", "level_db": 1' + b"0" * 5000 + b"}")
@example(b'{"do": "volume", "level_db": NaN}')
@example(b'{"do": ["volume"]}')
@example(b'{"do": "expect", "intents": "stop"}')
@example(b'{"do": "expect", "intents": [["stop"]]}')
@example(b'{"do": "speak", "prompt": "x", "sentences": [1]}')
@example(b'{"do": "enrol", "on": 1}')
@example(b"x" * (LONGEST_LINE + 1))
def test_bytes_that_are_no_message_are_named_garbage(line: bytes) -> None:
    assert isinstance(from_audio(line), Garbage)
    assert isinstance(to_audio(line), Garbage)


@given(st.data(), st.sampled_from(["kind", "do"]))
def test_json_of_any_shape_never_raises(data: st.DataObject, key: str) -> None:
    name = data.draw(st.sampled_from(["heard", "health", "fault", "speak", "expect", "volume"]))
    names = ["at", "level", "intent", "text", "ear", "intents", "sentences", "prompt", "what"]
    found = data.draw(st.dictionaries(st.sampled_from(names), JSON))
    line = json.dumps({**found, key: name})
    from_audio(line)
    to_audio(line)


@given(TOLD, st.data())
def test_a_line_that_is_cut_short_is_garbage(told: Any, data: st.DataObject) -> None:
    line = encode(told).rstrip("\n")
    cut = data.draw(st.integers(0, len(line) - 1))
    assert isinstance(from_audio(line[:cut]), Garbage)


def test_a_field_of_a_newer_version_is_ignored() -> None:
    assert from_audio('{"kind": "recovered", "what": "x", "since": 3}') == Recovered("x")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{}", "kind None is unknown"),
        ('{"kind": "fault"}', "what is missing"),
        ('{"kind": "fault", "what": 3}', "what is no str"),
        ("[]", "not a JSON object"),
    ],
)
def test_garbage_says_why(line: str, why: str) -> None:
    assert from_audio(line) == Garbage(why, repr(line))
