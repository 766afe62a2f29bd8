"""Proves the recogniser's word list: safety words always and often, every phrase still possible."""

import tomllib
from importlib.resources import files
from itertools import pairwise

from intents.intent import SAFETY, Intent
from intents.phrasebook import Phrasebook
from intents.vocabulary import grammar, missing

BOOK = Phrasebook(tomllib.loads(files("config").joinpath("phrases.toml").read_text("utf-8")))
GRAMMAR = grammar(BOOK)


def pairs(phrases: tuple[str, ...]) -> set[tuple[str, str]]:
    return {pair for phrase in phrases for pair in pairwise(("", *phrase.split(), ""))}


def test_every_phrase_can_be_put_together_from_the_list() -> None:
    assert pairs(BOOK.phrases()) <= pairs(GRAMMAR)


def test_a_phrase_that_brings_no_new_pair_of_words_is_left_out() -> None:
    known: set[tuple[str, str]] = set()
    for phrase in (p for p in BOOK.phrases() if p in GRAMMAR):
        assert phrase in BOOK.sensitivity or not pairs((phrase,)) <= known
        known |= pairs((phrase,))


def test_every_word_of_a_gap_phrase_is_listed() -> None:
    listed = {word for phrase in GRAMMAR for word in phrase.split()}
    assert BOOK.pieces()
    assert listed >= set(BOOK.words())


def test_phrases_are_listed_as_often_as_their_sensitivity_says() -> None:
    for phrase, times in BOOK.sensitivity.items():
        assert GRAMMAR.count(phrase) == times
    assert GRAMMAR.count("stop") == max(BOOK.sensitivity.values())


def test_safety_phrases_are_there_whatever_is_expected() -> None:
    for intents in (set(), {Intent.YES, Intent.NO}):
        assert pairs(BOOK.phrases(SAFETY)) <= pairs(grammar(BOOK, intents))


def test_what_is_not_expected_is_left_out() -> None:
    listed = grammar(BOOK, {Intent.YES})
    assert "yes" in listed
    assert "forget my settings" not in listed


def test_decoys_mean_nothing_and_are_listed_once() -> None:
    assert len(BOOK.decoys) >= 300
    for decoy in BOOK.decoys:
        assert BOOK.match(decoy) is None
        assert GRAMMAR.count(decoy) == 1


def test_the_sound_alikes_of_safety_words_are_decoys() -> None:
    assert {"top", "shop", "step", "drop", "busy", "tickling", "number"} <= set(BOOK.decoys)


def test_everything_else_has_its_own_entry() -> None:
    assert GRAMMAR.count("[unk]") == BOOK.unknown["[unk]"] > 1


def test_listed_words_are_small_letters_without_punctuation() -> None:
    allowed = set("abcdefghijklmnopqrstuvwxyz' ")
    listed = [p for p in GRAMMAR if p not in BOOK.unknown]
    assert [p for p in listed if not p.strip() or set(p) - allowed] == []


def test_what_a_model_cannot_hear_is_left_out_and_nothing_else_suffers() -> None:
    def known(word: str) -> bool:
        return word not in {"unknot", "breathe", "[unk]"}

    listed = grammar(BOOK, known=known)
    words = {word for phrase in listed for word in phrase.split()}
    assert words == {w for p in GRAMMAR for w in p.split() if known(w)}
    possible = tuple(p for p in BOOK.phrases() if all(map(known, p.split())))
    assert pairs(possible) <= pairs(listed)


def test_words_that_a_model_lacks_are_told_once_and_in_order() -> None:
    known = {"please", "the", "stop"}
    lacking = missing(["please unknot", "stop the massage", "unknot"], known.__contains__)
    assert lacking == ("unknot", "massage")
    assert missing(BOOK.words(), lambda _: True) == ()
