"""The picture of a session shows what the log holds, and is sound SVG whatever was said."""

from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.room.drawing import Axis
from assistant.room.expectations import DeviceMoment, Event, Log
from assistant.room.picture import decisive_word, draw, prompt_stretches, state_stretches

EVENTS: list[Event] = [
    {"at": 0.5, "kind": "state", "from": "idle", "to": "screening"},
    {"at": 1.0, "kind": "say", "prompt": "a", "text": "Were you hurt?"},
    {"at": 3.0, "kind": "say_end", "prompt": "a", "text": "Were you hurt?"},
    {"at": 4.0, "kind": "person", "text": "no", "start": 4.0, "end": 4.4},
    {"at": 5.0, "kind": "state", "from": "screening", "to": "massage.doing"},
    {"at": 6.0, "kind": "massager", "on": True, "level": 1, "lease": 10.0, "why": "begin"},
    {"at": 10.0, "kind": "say", "prompt": "b", "text": "Breathe out <slowly> & rest."},
    {"at": 11.0, "kind": "person", "text": "stop", "start": 11.0, "end": 11.5},
    {"at": 11.4, "kind": "heard", "level": "suspect", "intent": "stop", "text": "", "ear": "alarm"},
    {"at": 11.62, "kind": "hush", "prompt": "b", "text": ""},
    {"at": 11.62, "kind": "state", "from": "massage.doing", "to": "halted"},
]
DEVICE = (DeviceMoment(0.0, False, 0), DeviceMoment(6.0, True, 1), DeviceMoment(11.62, False, 0))


def words_in(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own picture
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


def test_the_picture_tells_the_off_time_of_the_word() -> None:
    words = words_in(draw(Log(EVENTS, DEVICE), "A session"))
    assert "“stop” at 0:11: the massager was off 0.12 s after the word" in words
    assert {"massage", "level 1", "suspect (alarm)", "“no”"} <= set(words)


def test_without_an_off_by_voice_there_is_no_close_up() -> None:
    log = Log(EVENTS[:6], DEVICE[:2])
    assert decisive_word(log) is None
    assert not any("the massager was off" in text for text in words_in(draw(log, "A session")))


def test_the_decisive_word_is_the_one_that_switched_off() -> None:
    later: list[Event] = [*EVENTS, {"at": 20.0, "kind": "person", "text": "finish"} | span(20.0)]
    word = decisive_word(Log(later, DEVICE))
    assert word is not None
    assert word["text"] == "stop"


def span(at: float) -> Event:
    return {"start": at, "end": at + 0.4}


def test_inner_states_are_joined_and_prompts_end_at_the_hush() -> None:
    assert list(state_stretches(Log(EVENTS), 20.0)) == [
        ("idle", 0.0, 0.5),
        ("screening", 0.5, 5.0),
        ("massage", 5.0, 11.62),
        ("halted", 11.62, 20.0),
    ]
    assert [(p.start, p.end) for p in prompt_stretches(Log(EVENTS))] == [(1.0, 3.0), (10.0, 11.62)]


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=200), at=st.floats(0.0, 7200.0))
def test_whatever_is_said_the_picture_is_sound(text: str, at: float) -> None:
    event: Event = {"at": at, "kind": "say", "prompt": text, "text": text}
    person: Event = {"at": at, "kind": "person", "text": text, "start": at, "end": at + 0.1}
    title = "".join(c if c.isprintable() else " " for c in text)
    assert words_in(draw(Log([event, person]), text))[0] == title


@given(start=st.floats(-10.0, 7000.0), span_seconds=st.floats(0.5, 7200.0))
def test_an_axis_has_a_readable_number_of_ticks(start: float, span_seconds: float) -> None:
    ticks = Axis(start, start + span_seconds, 0.0, 900.0).ticks()
    assert 1 <= len(ticks) <= 26
    assert all(start - 1e-6 <= tick <= start + span_seconds + 1e-6 for tick in ticks)
