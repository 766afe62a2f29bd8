"""Every sentence that can be spoken: easy to hear, never halting itself, honest, and all there."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import assistant
from assistant.advice_file import NEEDED
from assistant.faq_file import ANSWER_SENTENCES
from assistant.prompt_file import read_prompts
from assistant.reading import HIGHEST_GRADE, MOST_WORDS, check, ease, halts, syllables
from assistant.routine import Tool
from assistant.safety import Tier
from assistant.script import Prompt
from assistant.settings import Settings, default_folder
from assistant.state import State
from assistant.toml_file import read_toml
from intents.intent import SAFETY

WANTED = tomllib.loads(Path(__file__).with_name("prompts.toml").read_text())
TEACHING = set(WANTED["teaching"])


def spoken(settings: Settings) -> Iterator[tuple[Prompt, str]]:
    for prompt in settings.script.prompts():
        for sentence in prompt.every_sentence():
            yield prompt, sentence


def words(sentence: str) -> set[str]:
    return set(re.findall(r"[a-z]+", sentence.lower().replace("-", "")))


def test_no_prompt_holds_a_safety_word_but_the_line_that_teaches_it(settings: Settings) -> None:
    holding = {p.id for p, text in spoken(settings) if words(text) & set(WANTED["safety_words"])}
    assert holding == TEACHING


def test_no_prompt_holds_a_word_that_sounds_like_a_safety_word(settings: Settings) -> None:
    assert not [
        (p.id, text) for p, text in spoken(settings) if words(text) & set(WANTED["sound_alikes"])
    ]


def test_no_prompt_would_halt_the_session_by_what_our_own_ears_understand(
    settings: Settings,
) -> None:
    book = settings.phrasebook
    assert not [(p.id, text) for p, text in spoken(settings) if halts(p, text, book)]


def test_no_prompt_would_halt_the_session_across_the_gap_between_its_sentences(
    settings: Settings,
) -> None:
    book = settings.phrasebook
    for prompt in settings.script.prompts():
        assert not halts(prompt, " ".join(prompt.sentences), book), prompt.id


def test_the_words_of_that_list_do_halt(settings: Settings) -> None:
    """The list is no list of our own: each word is one that ends the massage when it is heard."""
    for word in WANTED["halting"]:
        meaning = settings.phrasebook.safety(word)
        assert meaning is not None
        assert meaning.intent in SAFETY


def test_only_the_hearing_check_teaches(settings: Settings) -> None:
    assert {prompt.id for prompt in settings.script.prompts() if prompt.teaches} == TEACHING


def test_a_passed_hearing_check_is_never_spoken_of_as_a_promise(settings: Settings) -> None:
    assert settings.script.line("hearing_check.passed") == (
        "I heard it.",
        "If I ever miss it, say it again.",
    )


def test_no_sentence_claims_to_cure_to_promise_or_to_know_an_illness(settings: Settings) -> None:
    claiming = {text for _, text in spoken(settings) if words(text) & set(WANTED["claims"])}
    assert claiming == set(WANTED["claims_denied"])


def test_every_sentence_is_short_and_every_group_is_easy(settings: Settings) -> None:
    report = check(settings.script, settings.phrasebook, tuple(settings.routines))
    assert not report.findings
    assert report.whole.grade <= HIGHEST_GRADE
    assert {name for name, _ in report.groups} == {"prompts", "advice", "faq", *settings.routines}


def test_a_long_hard_or_halting_sentence_is_found(settings: Settings) -> None:
    long = Prompt("long", ("one " * (MOST_WORDS + 1),))
    hard = Prompt("faq.hard", ("Cardiovascular contraindications necessitate consultation.",))
    halting = Prompt("halting", ("And now stop.",))
    split = Prompt("split", ("It is too", "hard."))
    script = type(settings.script)([long, hard, halting, split])
    found = check(script, settings.phrasebook, ()).findings
    assert [(each.prompt, each.rule.split(":")[0]) for each in found] == [
        ("long", "15 words"),
        ("halting", "holds a word that ends the massage"),
        ("split", "holds a word that ends the massage"),
        ("faq", f"grade {ease(hard.sentences).grade:.1f}"),
    ]


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("neck", 1),
        ("breathe", 1),
        ("shoulders", 2),
        ("massager", 3),
        ("muscle", 2),
        ("paused", 1),
        ("started", 2),
        ("emergency", 4),
        ("I", 1),
        ("don't", 1),
        ("7", 1),
    ],
)
def test_syllables_are_counted_as_people_speak_them(word: str, count: int) -> None:
    assert syllables(word) == count


def test_grades_are_those_of_the_formula() -> None:
    """0.39 x 6 words a sentence + 11.8 x 7/6 syllables a word - 15.59."""
    assert ease(["The cat sat on the table."]).grade == pytest.approx(0.516, abs=0.001)


def test_every_question_has_its_tries(settings: Settings) -> None:
    for base in WANTED["questions"]:
        assert all(settings.script.has(f"{base}.{n}") for n in (1, 2, 3))
    for reason in WANTED["reasons"]:
        tries = {settings.script.line(f"screening.{reason}.{n}") for n in (1, 2, 3)}
        assert len(tries) == 3
        assert settings.script.has(f"screening.{reason}.declined")


@pytest.mark.parametrize("kind", ["help", "what_can_i_say", "not_understood", "not_sensible"])
def test_every_state_has_a_word_for(settings: Settings, kind: str) -> None:
    assert all(settings.script.has(f"{kind}.{state}") for state in WANTED["states"])


def test_every_fault_has_a_word(settings: Settings) -> None:
    assert all(settings.script.has(f"fault.{fault}") for fault in WANTED["faults"])


def test_every_complaint_has_advice_of_its_tier_with_a_source_and_a_day(
    settings: Settings,
) -> None:
    for tier, ids in ((Tier(name), ids) for name, ids in WANTED["advice"].items()):
        for name in ids:
            advice = settings.advice[name]
            assert advice.tier is tier
            assert set(advice.sources) <= settings.sources.keys()
            assert re.fullmatch(r"\d{4}-\d\d-\d\d", advice.checked)
            parts = NEEDED[tier] if tier is Tier.STOP else ("heard", *NEEDED[tier])
            assert all(settings.script.has(f"advice.{name}.{part}") for part in parts)
    assert settings.advice.keys() == {name for ids in WANTED["advice"].values() for name in ids}


def test_the_worse_answer_to_a_warning_is_told_to_call(settings: Settings) -> None:
    for name in WANTED["advice"]["warning"]:
        told = settings.script.line(f"advice.{name}.if_yes_or_silent")
        assert "Call your emergency number now." in told


def test_a_device_in_trouble_is_unplugged_before_anything_else(settings: Settings) -> None:
    for name in WANTED["advice"]["device"]:
        assert settings.script.line(f"advice.{name}.say")[0].startswith("Pull its plug")


def test_every_question_of_the_article_has_two_sentences_and_more(settings: Settings) -> None:
    assert set(settings.answers) == set(WANTED["topics"])
    for topic in WANTED["topics"]:
        assert len(settings.script.line(f"faq.{topic}")) == ANSWER_SENTENCES
        assert settings.script.line(f"faq.{topic}.more")


def test_every_routine_of_the_article_is_there(settings: Settings) -> None:
    assert set(settings.routines) == set(WANTED["routines"])


def test_every_routine_has_sources_and_only_the_neck_is_screened(settings: Settings) -> None:
    for routine in settings.routines.values():
        assert routine.sources
        assert routine.screening is (routine.needs_neck or routine.kind == "movement")


def test_the_massager_begins_on_its_gentlest_for_a_minute(settings: Settings) -> None:
    """The article: gentlest for one minute, 5 to 15 minutes in all."""
    massager = settings.routines["neck-massager"]
    assert massager.tool is Tool.MASSAGER
    assert massager.steps[0].level == 1
    assert massager.steps[0].seconds >= 60.0
    assert 300.0 <= massager.seconds <= 890.0


def test_the_hands_squeeze_up_and_spread_down_as_long_as_the_article_says(
    settings: Settings,
) -> None:
    steps = {step.id: step for step in settings.routines["hands-on"].steps}
    assert 60.0 <= steps["squeeze_up"].seconds <= 120.0
    assert 60.0 <= steps["spread_down"].seconds <= 120.0
    assert (steps["left_shoulder"].side, steps["right_shoulder"].side) == ("left", "right")


def test_the_balls_roll_for_a_minute_and_hold_on_a_knot(settings: Settings) -> None:
    steps = {step.id: step for step in settings.routines["roll-out"].steps}
    assert steps["roll"].seconds == 60.0
    assert steps["hold_knot"].hold_seconds == 10.0


def test_a_breath_lasts_as_long_as_its_name_says(settings: Settings) -> None:
    paced = settings.routines["paced-breathing"].steps[1].cues
    square = settings.routines["square-breathing"].steps[1].cues
    assert [cue.at_seconds for cue in paced[:3]] == [0.0, 4.0, 10.0]
    assert [cue.at_seconds for cue in square[:5]] == [0.0, 4.0, 8.0, 12.0, 16.0]


def test_what_is_counted_before_is_counted_again_after(settings: Settings) -> None:
    asked = [step.id for step in settings.routines["biofeedback"].steps if step.ask]
    assert asked == ["breaths_before", "pulse_before", "breaths_after", "pulse_after"]


def test_every_source_is_used_and_every_day_is_known(settings: Settings) -> None:
    used = {name for advice in settings.advice.values() for name in advice.sources}
    used |= {name for answer in settings.answers.values() for name in answer.sources}
    for routine in settings.routines.values():
        used |= {*routine.sources, *(name for step in routine.steps for name in step.sources)}
    assert settings.sources.keys() - used == {"pain_scale"}


def literals(path: Path) -> Iterator[str]:
    """Every string in a source file but the docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value


def imported(path: Path) -> Iterator[Path]:
    """The files of `assistant` that a source file imports."""
    root = Path(assistant.__file__).parents[1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("assistant"):
            for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                yield from root.glob(f"{str(name).replace('.', '/')}.py")


def made_of(*names: str) -> set[Path]:
    """These files of `assistant`, and from one to the next all that they import."""
    found, new = set[Path](), {Path(assistant.__file__).with_name(name) for name in names}
    while new:
        found |= new
        new = {each for path in new for each in imported(path)} - found
    return found


def test_no_sentence_that_is_spoken_stands_in_the_code() -> None:
    """What speaks holds ids only; a sentence would begin with a capital and have an end."""
    speaking = made_of("session.py", "conductor.py")
    assert {"machine.py", "consequences.py", "expecting.py", "rests.py", "stage.py"} <= {
        path.name for path in speaking
    }
    for path in sorted(speaking):
        assert not [text for text in literals(path) if re.search(r"[A-Z].* .*[.?!]$", text)], path


def asked_for(path: Path) -> Iterator[str]:
    """The prompts that a source file names, as patterns: a blank of an f-string is any text."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.escape(node.value)
        elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            parts = (v.value if isinstance(v, ast.Constant) else None for v in node.values)
            yield "".join(r"[\w.-]+" if part is None else re.escape(str(part)) for part in parts)


def test_no_sentence_is_kept_that_nobody_would_ever_hear() -> None:
    """Each would have to be checked, translated and rendered, for nothing."""
    root = Path(assistant.__file__).parent
    by_state = rf"(?:help|what_can_i_say|not_\w+)\.(?:{'|'.join({s.top for s in State})})"
    named = "|".join(
        {by_state} | {pattern for path in root.rglob("*.py") for pattern in asked_for(path)}
    )
    spoken = re.compile(rf"(?:{named})(?:\.\d)?")
    prompts, _ = read_prompts(read_toml(default_folder() / "prompts.toml"))
    unheard = [prompt.id for prompt in prompts if not spoken.fullmatch(prompt.id)]
    assert unheard == []
