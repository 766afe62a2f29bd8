"""Gives words one form, however they were typed or heard; it must never guess what they mean."""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
_WRITTEN_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc`", "'"))


def plain(text: str) -> list[str]:
    """Return the words of `text`: small letters and digits, no punctuation, no apostrophes.

    Apostrophes go without a trace ("can't" is "cant"), because people type both; a hyphen parts
    two words. Any text is fine; one without a word gives an empty list.
    """
    return _WORD.findall(_one_form(text).casefold().replace("'", ""))


def written(text: str) -> str:
    """Return `text` as a recogniser lists it: as `plain`, but as it is spelled: "can't", "heiß"."""
    return " ".join(_WRITTEN_WORD.findall(_one_form(text).lower()))


def _one_form(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(_APOSTROPHES)
