"""The script: every sentence by id, and all of them ahead of the session."""

import pytest

from assistant.routine import Cue, Routine, Step, Tool
from assistant.script import Prompt, Script, UnknownPrompt, blanks, routine_prompts

STEP = Step(
    "press",
    "press",
    ("Press softly.",),
    60.0,
    brief=("Press.",),
    avoid=("Never on the throat.",),
    coming=("Soon you press.",),
    cues=(Cue(10.0, ("More softly.",)), Cue(20.0, ("And slower.",))),
)
ROUTINE = Routine(
    "a-press", "A press", Tool.HANDS, ("We press.",), (STEP,), ("Sit down.",), ("Done.",)
)
NUMBERS = Prompt("noted", ("{number} of {of}.", "Thank you."), {"number": (1, 2), "of": (3, 4)})


def script() -> Script:
    prompts = list(routine_prompts(ROUTINE))
    plain = [Prompt("stopped", ("All is still.",)), NUMBERS]
    return Script([*plain, *prompts], {prompt.id: "a-press" for prompt in prompts})


def test_a_line_is_the_sentences_of_a_prompt_with_its_blanks_filled() -> None:
    assert script().line("stopped") == ("All is still.",)
    assert script().line("noted", number=2, of=9) == ("2 of 9.", "Thank you.")


def test_values_that_no_blank_wants_are_let_pass() -> None:
    assert script().line("stopped", number=2) == ("All is still.",)


def test_an_unknown_prompt_is_a_key_error_that_names_the_nearest() -> None:
    with pytest.raises(UnknownPrompt, match=r"'stoped'.*did you mean 'stopped'"):
        script().line("stoped")
    assert issubclass(UnknownPrompt, KeyError)


def test_a_blank_without_a_value_is_named() -> None:
    with pytest.raises(UnknownPrompt, match="'noted' needs a value for 'of'"):
        script().line("noted", number=2)


def test_the_prompts_of_a_routine_have_stable_ids() -> None:
    assert {prompt.id: prompt.sentences for prompt in routine_prompts(ROUTINE)} == {
        "a-press.intro": ("We press.",),
        "a-press.setup": ("Sit down.",),
        "a-press.press": ("Press softly.", "Never on the throat."),
        "a-press.press.brief": ("Press.", "Never on the throat."),
        "a-press.press.coming": ("Soon you press.",),
        "a-press.press.cue.1": ("More softly.",),
        "a-press.press.cue.2": ("And slower.",),
        "a-press.closing": ("Done.",),
    }


def test_less_talk_never_leaves_out_where_not_to_press() -> None:
    assert script().line("a-press.press.brief")[-1] == "Never on the throat."


def test_every_sentence_is_known_ahead_with_every_value_of_its_blanks() -> None:
    told = list(script().every_sentence())
    assert [text for text in told if " of " in text] == ["1 of 3.", "1 of 4.", "2 of 3.", "2 of 4."]
    assert len(told) == len(set(told))


def test_a_session_needs_only_the_sentences_of_its_own_routine() -> None:
    assert "We press." in script().every_sentence("a-press")
    assert "We press." not in script().every_sentence("another")
    assert "All is still." in script().every_sentence("another")


def test_all_prompts_are_listed_with_their_text() -> None:
    assert ("noted", "{number} of {of}. Thank you.") in list(script().all())
    assert script().ids()[0] == "stopped"
    assert script().has("noted")
    assert not script().has("nothing")


def test_blanks_are_named_once_and_in_order() -> None:
    assert blanks("{b} and {a} and {b}") == ("b", "a")
