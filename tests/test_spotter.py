"""The spotter's table, row by row, and what must never count."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents.intent import Intent
from intents.spotter import AGAIN_WORTH, BARS, Bars, Clue, ClueKind, EarName, Spotter, Verdict

LOW, HIGH = BARS["alarm"].low, BARS["alarm"].high
MIDDLE = AGAIN_WORTH / 2


def score(value: float, at: float, intent: Intent = Intent.STOP, ear: EarName = "alarm") -> Clue:
    return Clue(ear, ClueKind.SCORE, intent, value, at, intent.value)


def partial(at: float, intent: Intent = Intent.STOP) -> Clue:
    return Clue("words", ClueKind.PARTIAL, intent, 1.0, at, intent.value)


def final(at: float, intent: Intent = Intent.STOP) -> Clue:
    return Clue("words", ClueKind.FINAL, intent, 1.0, at, intent.value)


def hear(spotter: Spotter, *clues: Clue) -> list[tuple[str, float]]:
    """All verdicts as (level, when)."""
    return [(verdict.level, verdict.at) for clue in clues for verdict in spotter.hear(clue)]


def levels(verdicts: Sequence[tuple[str, float]]) -> list[str]:
    return [level for level, _ in verdicts]


def test_a_score_below_the_low_bar_is_nothing() -> None:
    assert hear(Spotter(), score(LOW - 0.01, 1.0)) == []


def test_a_score_at_the_low_bar_is_a_suspicion_told_once() -> None:
    spotter = Spotter()

    assert hear(spotter, score(LOW, 1.0), score(LOW + 0.1, 1.04), score(LOW, 1.08)) == [
        ("suspect", 1.0)
    ]


def test_a_score_at_the_high_bar_is_sure_and_told_once() -> None:
    spotter = Spotter()

    assert hear(spotter, score(LOW, 1.0), score(HIGH, 1.04), score(0.99, 1.08)) == [
        ("suspect", 1.0),
        ("confirmed", 1.04),
    ]


def test_a_sound_that_is_sure_at_once_is_told_as_both() -> None:
    assert levels(hear(Spotter(), score(0.99, 1.0))) == ["suspect", "confirmed"]


def test_a_raised_bar_makes_the_same_sound_a_suspicion_only() -> None:
    spotter = Spotter({**BARS, "alarm": Bars(LOW, 2.0)})

    assert levels(hear(spotter, score(0.99, 1.0))) == ["suspect"]


def test_a_word_that_stands_in_partials_for_320_ms_is_sure() -> None:
    partials = [partial(1.0 + 0.02 * i) for i in range(17)]

    verdicts = hear(Spotter(), *partials)

    assert levels(verdicts) == ["suspect", "confirmed"]
    assert verdicts[1][1] == pytest.approx(1.32)


def test_a_word_that_flickers_in_partials_is_never_held() -> None:
    spotter = Spotter()
    verdicts = []
    for i in range(10):
        verdicts += hear(spotter, partial(1.0 + 0.1 * i))
        spotter.lost("words", Intent.STOP)

    assert "confirmed" not in levels(verdicts)


def test_a_final_is_sure() -> None:
    assert "confirmed" in levels(hear(Spotter(), final(1.0)))


def test_a_final_of_the_word_that_was_held_is_not_told_again() -> None:
    spotter = Spotter()
    hear(spotter, *[partial(1.0 + 0.02 * i) for i in range(20)])

    assert hear(spotter, final(2.3)) == []


def test_a_second_suspicious_sound_within_four_seconds_is_sure() -> None:
    assert hear(Spotter(), score(MIDDLE, 1.0), score(MIDDLE, 4.9)) == [
        ("suspect", 1.0),
        ("suspect", 4.9),
        ("confirmed", 4.9),
    ]


def test_a_clear_sound_makes_up_for_a_poor_one_before_it() -> None:
    verdicts = hear(Spotter(), score(LOW, 1.0), score(LOW, 3.0), score(AGAIN_WORTH - LOW, 3.04))

    assert verdicts == [("suspect", 1.0), ("suspect", 3.0), ("confirmed", 3.04)]


def test_two_poor_sounds_are_two_suspicions() -> None:
    assert levels(hear(Spotter(), score(LOW, 1.0), score(LOW, 3.0))) == ["suspect", "suspect"]


def test_a_poor_sound_after_the_word_as_text_is_sure() -> None:
    assert "confirmed" in levels(hear(Spotter(), partial(1.0), score(LOW, 3.0)))


def test_a_second_suspicious_sound_after_four_seconds_is_a_first_one() -> None:
    verdicts = hear(Spotter(), score(MIDDLE, 1.0), score(MIDDLE, 5.1))

    assert levels(verdicts) == ["suspect", "suspect"]


def test_one_sound_with_a_dip_is_not_its_own_repetition() -> None:
    assert levels(hear(Spotter(), score(MIDDLE, 1.0), score(MIDDLE, 1.28))) == ["suspect"]


def test_another_safety_word_counts_as_a_repetition() -> None:
    verdicts = hear(Spotter(), score(MIDDLE, 1.0), score(MIDDLE, 2.5, Intent.DIZZY))

    assert levels(verdicts) == ["suspect", "suspect", "confirmed"]


def test_a_pause_does_not_confirm_a_stop() -> None:
    verdicts = hear(Spotter(), score(MIDDLE, 1.0, Intent.PAUSE), score(MIDDLE, 2.5))

    assert levels(verdicts) == ["suspect", "suspect"]


def test_two_ears_within_half_a_second_are_sure() -> None:
    assert levels(hear(Spotter(), score(LOW, 1.0), partial(1.4))) == [
        "suspect",
        "suspect",
        "confirmed",
    ]


def test_the_second_ear_alone_is_nothing_however_often_it_fires() -> None:
    fired = [score(1.0, at, ear="second") for at in (1.0, 2.5, 4.0)]

    assert hear(Spotter(), *fired) == []


def test_the_second_ear_is_sure_together_with_another() -> None:
    agreeing = hear(Spotter(), score(1.0, 1.0, ear="second"), score(LOW, 1.2))

    assert levels(agreeing) == ["suspect", "confirmed"]
    assert levels(hear(Spotter(), score(LOW, 1.0), score(1.0, 1.2, ear="second"))) == [
        "suspect",
        "confirmed",
    ]


def test_the_second_ear_does_not_make_a_repetition_of_one_suspicion_forgotten() -> None:
    between = [score(1.0, at, ear="second") for at in (1.8, 2.4)]
    verdicts = hear(Spotter(), score(MIDDLE, 1.0), *between, score(MIDDLE, 3.5))

    assert levels(verdicts) == ["suspect", "suspect", "confirmed"]


def test_nothing_is_paused_for_a_suspected_start() -> None:
    spotter = Spotter()

    assert hear(spotter, score(LOW, 1.0, Intent.START)) == []
    assert hear(spotter, score(HIGH, 1.1, Intent.START)) == [("confirmed", 1.1)]


def test_a_score_that_is_not_a_number_is_nothing() -> None:
    assert hear(Spotter(), score(float("nan"), 1.0)) == []


def test_reset_forgets_the_first_suspicion() -> None:
    spotter = Spotter()
    hear(spotter, score(LOW, 1.0))
    spotter.reset()

    assert levels(hear(spotter, score(LOW, 2.5))) == ["suspect"]


CLUES = st.lists(
    st.tuples(
        st.sampled_from(["alarm", "words", "second"]),
        st.sampled_from(list(ClueKind)),
        st.sampled_from([Intent.STOP, Intent.DIZZY, Intent.PAUSE, Intent.START]),
        st.floats(0, 1),
        st.floats(0.02, 3.0),
    ),
    max_size=40,
)


@given(CLUES)
def test_whatever_is_heard_a_verdict_has_its_clue_and_nothing_confirmed_goes_unsaid(
    drawn: list[tuple[EarName, ClueKind, Intent, float, float]],
) -> None:
    spotter, at = Spotter(), 0.0
    for ear, kind, intent, value, later in drawn:
        at += later
        clue = Clue(ear, kind, intent, value, at, "x")
        verdicts: list[Verdict] = spotter.hear(clue)
        assert all((v.ear, v.intent, v.at) == (ear, intent, at) for v in verdicts)
        assert len(verdicts) <= 2
        if kind is ClueKind.SCORE and value < BARS[ear].low:
            assert verdicts == []
