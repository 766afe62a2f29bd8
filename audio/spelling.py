"""Spells phrases in a transcriber's tokens, and reads tokens as text; pure.

It must never spell otherwise than the model learned to: one word has one spelling, which is found
by joining pieces in the order of their rank.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

BEGIN, END = 1, 2
"""The tokens before the first word and after the last."""
_FIRST_BYTE: Final = 3
_FIRST_PIECE: Final = _FIRST_BYTE + 256
"""Before it come three marks and all single bytes, which spell what no piece can."""
_SPACE: Final = "▁"
_ENDS: Final = (".", ",", "!", "?", "...")

Path = tuple[int, ...]


class Tokens:
    """The model's pieces of words."""

    def __init__(self, data: bytes) -> None:
        """From tokenizer.bin: each piece behind its length, of one byte or, from 128 on, two."""
        self._pieces: list[bytes] = []
        at = 0
        while at < len(data):
            length, at = data[at], at + 1
            if length >= 128:
                length, at = length - 128 + 128 * data[at], at + 1
            self._pieces.append(data[at : at + length])
            at += length
        self._numbers = {
            piece.decode(errors="replace"): number
            for number, piece in enumerate(self._pieces)
            if number >= _FIRST_PIECE
        }
        self._spelt: dict[str, Path] = {}
        self.ends = (END, *(self._numbers[mark] for mark in _ENDS))
        """What may follow a phrase that nothing else follows."""

    def text(self, tokens: Iterable[int]) -> str:
        """What the tokens say."""
        said = b"".join(self._pieces[token] for token in tokens)
        return said.decode(errors="replace").replace(_SPACE, " ").strip()

    def spell(self, text: str) -> Path:
        """The tokens of a text; what was spelt once is known."""
        if text not in self._spelt:
            self._spelt[text] = self._joined(text)
        return self._spelt[text]

    def _joined(self, text: str) -> Path:
        """Of two neighbours that make a piece, the commonest piece first; a letter that no piece
        holds is spelt by its bytes."""
        pieces = list(_SPACE + text.replace(" ", _SPACE))
        while True:
            joined = [self._numbers.get(a + b) for a, b in pairwise(pieces)]
            ranks = [(number, at) for at, number in enumerate(joined) if number is not None]
            if not ranks:
                return tuple(token for piece in pieces for token in self._tokens(piece))
            _, at = min(ranks)
            pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]

    def _tokens(self, piece: str) -> list[int]:
        known = self._numbers.get(piece)
        return [_FIRST_BYTE + byte for byte in piece.encode()] if known is None else [known]


class Spelling:
    """Phrases, each with all its spellings, as the ways from token to token that lead to one."""

    def __init__(self, tokens: Tokens, phrases: Sequence[Iterable[str]]) -> None:
        """For each phrase the ways to write it, as "Seven", "seven" and "7"."""
        self.count = len(phrases)
        self.ends = list(tokens.ends)
        self.leads_to: dict[Path, int] = {}
        """The phrase that is complete at the end of a way."""
        self.onward: dict[Path, list[int]] = {}
        """The tokens by which a way goes on."""
        for number, wordings in enumerate(phrases):
            for wording in wordings:
                self._add(tokens.spell(wording), number)

    def _add(self, spelt: Path, number: int) -> None:
        self.leads_to.setdefault(spelt, number)
        for at, token in enumerate(spelt):
            onward = self.onward.setdefault(spelt[:at], [])
            if token not in onward:
                onward.append(token)
