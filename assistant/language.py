"""Where the words of a language are: English in config/ itself, any other in a folder of its own.

It must never mix two languages: what a folder lacks is missing, and is not taken from English.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ENGLISH = "en"
SETTINGS, SOURCES = "settings.toml", "sources.toml"
_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*")
"""A language is called as "de" or "pt-BR"; longer names are those of other folders."""


@dataclass(frozen=True)
class Folders:
    """The folders that one reading looks into."""

    program: Path
    """The config/ that comes with the program, or one named by hand."""
    own: Path | None
    """The person's; None where it does not count."""
    language: str = ENGLISH

    @property
    def words(self) -> tuple[Path, ...]:
        """Where phrases, prompts, advice and answers are; the person's own before the program's."""
        if self.language == ENGLISH:
            return (self.program,)
        if not _TAG.fullmatch(self.language):
            return ()
        named = (root / self.language for root in reversed(self._roots))
        return tuple(folder for folder in named if folder.is_dir())

    def file(self, name: str) -> Path:
        """The file of this name; where there is none, where it ought to be."""
        places = [folder / name for folder in self.words] or [self.program / self.language / name]
        return next((path for path in places if path.exists()), places[-1])

    def routines(self) -> list[Path]:
        """Every routine's file, the person's own last."""
        english = self.language == ENGLISH
        roots = (root if english else root / self.language for root in self._roots)
        return [path for root in roots for path in sorted((root / "routines").glob("*.toml"))]

    def settings(self) -> list[Path]:
        """Every settings file, a language's own right after the one that it stands beside."""
        found = [self.program / SETTINGS]
        for root in self._roots:
            beside = [] if self.language == ENGLISH else [root / self.language / SETTINGS]
            found += [path for path in (root / SETTINGS, *beside) if path.exists()]
        return list(dict.fromkeys(found))

    def sources(self) -> list[Path]:
        """The sources of the program, and the person's own."""
        own = (root / SOURCES for root in self._roots[1:])
        return [self.program / SOURCES, *(path for path in own if path.exists())]

    def known(self) -> tuple[str, ...]:
        """Every language that there is."""
        found = {path.parent.name for root in self._roots for path in root.glob("*/phrases.toml")}
        return tuple(sorted({ENGLISH, *found}))

    @property
    def _roots(self) -> tuple[Path, ...]:
        return (self.program,) if self.own is None else (self.program, self.own)
