"""Tells a session in the terminal as it goes: who said what, what was heard, what was done.

Takes event lines and prints; it must never leave out a word that was misheard.
"""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from assistant.room.expectations import Log, off_after
from assistant.room.picture import decisive_word

_STYLES = {
    "person": "bold",
    "heard": "cyan",
    "unknot": "blue",
    "massager": "green",
    "state": "dim",
    "fault": "bold red",
    "end": "bold",
}


class Narrator:
    """Prints one line for each event that a listener would notice."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._word: Mapping[str, Any] | None = None
        self._level = 0

    def tell(self, event: Mapping[str, Any]) -> None:
        """Print one event line, or nothing where it says nothing new."""
        match event["kind"]:
            case "person":
                self._word = event
                self._print(event, "person", f"“{event['text']}”")
            case "heard":
                self._print(event, "heard", _heard(event))
            case "say":
                self._print(event, "unknot", event["text"])
            case "hush":
                self._print(event, "unknot", "(falls silent)")
            case "state":
                self._print(event, "state", str(event["to"]).replace("_", " "))
            case "hold":
                self._print(event, "state", f"a hold of {event['seconds']:g} s")
            case "massager":
                self._massager(event)
            case "fault":
                self._print(event, "fault", str(event["what"]).replace("_", " "))
            case "end":
                self._print(event, "end", f"the session is over: {event['why']}")
            case _:
                pass

    def _massager(self, event: Mapping[str, Any]) -> None:
        """Tell a change of the massager; a lease that is only renewed is not one."""
        level = event["level"] if event["on"] else 0
        if level == self._level:
            return
        self._level = level
        if level:
            self._print(event, "massager", f"on, level {level} ({event['why']})")
        else:
            self._print(event, "massager", f"off ({event['why']}{self._since_word(event)})")

    def _since_word(self, event: Mapping[str, Any]) -> str:
        if self._word is None:
            return ""
        seconds = event["at"] - self._word["end"]
        if seconds > 5.0:
            return ""
        side = "before the end of" if seconds < 0 else "after"
        return f", {abs(seconds):.2f} s {side} “{self._word['text']}”"

    def _print(self, event: Mapping[str, Any], who: str, text: str) -> None:
        minutes, seconds = divmod(event["at"], 60.0)
        line = Text(f"{int(minutes):2d}:{seconds:04.1f}  ", style="dim")
        line.append(f"{who:<9} ", style=_STYLES[who])
        line.append(text, style=_STYLES[who] if who != "unknot" else "")
        self._console.print(line, soft_wrap=True)


def _heard(event: Mapping[str, Any]) -> str:
    what = event["intent"] or "something else"
    said = f" “{event['text']}”" if event["text"] and event["text"] != event["intent"] else ""
    return f"{event['level']}: {what}{said} ({event['ear']} ear)"


def conclusion(log: Log) -> str:
    """How long after the word the massager was off, in one sentence."""
    word = decisive_word(log)
    if word is None:
        on = any(moment.on for moment in log.device)
        return "No word switched the massager off." if on else "The massager was never on."
    seconds = off_after(log, word) or 0.0
    side = "before the word was over" if seconds < 0 else "after the word"
    return f"“{word['text']}”: the massager was off {abs(seconds):.2f} s {side}."
