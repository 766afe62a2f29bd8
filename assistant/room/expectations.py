"""Whether what a scenario expects came true, and in words what happened instead.

Reads the log of a session that is over; it never looks at how anything came about.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assistant.room.scenario import Expect
from assistant.room.trigger import matches_id

Event = Mapping[str, Any]


@dataclass(frozen=True)
class DeviceMoment:
    """What the device really did from `at` (session seconds) until the next moment."""

    at: float
    on: bool
    level: int


@dataclass(frozen=True)
class Log:
    """All that happened: event lines in order, and what the device did (empty without one)."""

    events: Sequence[Event]
    device: Sequence[DeviceMoment] = field(default=())

    def of(self, kind: str) -> list[Event]:
        """The events of one kind, in order."""
        return [event for event in self.events if event["kind"] == kind]


@dataclass(frozen=True)
class Verdict:
    """One claim: what was expected, whether it held, and what was seen."""

    claim: str
    held: bool
    seen: str

    def __str__(self) -> str:
        return f"{self.claim}: {self.seen}"


@dataclass(frozen=True)
class _Span:
    """The part of the log that an expectation looks at; `word` is the person's that opens it."""

    start: float
    end: float
    word: Event | None
    missing: str = ""

    def holds(self, event: Event) -> bool:
        return bool(self.start <= event["at"] < self.end)


def judge(expected: Iterable[Expect], log: Log) -> list[Verdict]:
    """Judge every claim of every expectation; claims that name nothing to look after fail."""
    return [verdict for expect in expected for verdict in _judge_one(expect, log)]


def _judge_one(expect: Expect, log: Log) -> list[Verdict]:
    span = _span(expect, log)
    claims = expect.model_dump(exclude={"after", "before"}, exclude_none=True)
    verdicts = []
    for name, value in claims.items():
        claim = f"{name} = {value!r}" + _narrowed(expect)
        held, seen = (False, span.missing) if span.missing else _CLAIMS[name](value, span, log)
        verdicts.append(Verdict(claim, held, seen))
    return verdicts


def _narrowed(expect: Expect) -> str:
    after = "" if expect.after is None else f" after {expect.after!r}"
    return after + ("" if expect.before is None else f" before {expect.before!r}")


def _span(expect: Expect, log: Log) -> _Span:
    """Find the stretch of time between `after` and `before`."""
    words = log.of("person")
    start, end, word = 0.0, float("inf"), words[-1] if words else None
    if isinstance(expect.after, str):
        said = [w for w in words if w["text"] == expect.after]
        if not said:
            return _Span(0.0, 0.0, None, f'the person never said "{expect.after}"')
        word, start = said[-1], said[-1]["at"]
    elif expect.after is not None:
        start = expect.after
    if isinstance(expect.before, str):
        later = [w["at"] for w in words if w["text"] == expect.before and w["at"] > start]
        if not later:
            return _Span(0.0, 0.0, None, f'the person never said "{expect.before}" then')
        end = later[0]
    elif expect.before is not None:
        end = expect.before
    return _Span(start, end, word)


def off_after(log: Log, word: Event) -> float | None:
    """Seconds from the end of a word until the device was off, negative when it was off sooner.

    Counts the first off from the word's beginning on; None when it stayed on, 0.0 when it was off
    as the word began.
    """
    before = [moment for moment in log.device if moment.at <= word["start"]]
    if not before or not before[-1].on:
        return 0.0
    offs = [moment.at for moment in log.device if moment.at > word["start"] and not moment.on]
    return offs[0] - float(word["end"]) if offs else None


def _off_within(limit: float, span: _Span, log: Log) -> tuple[bool, str]:
    if span.word is None:
        return False, "the person never said anything"
    if not any(moment.on for moment in log.device):
        return True, "the massager was never on"
    word, seconds = span.word["text"], off_after(log, span.word)
    if seconds is None:
        return False, f'it was still on at the end, after "{word}"'
    back = [m.at for m in log.device if m.on and span.word["end"] + seconds < m.at < span.end]
    if back and not _undone(log, span.word["end"], back[0]):
        return False, f'it was off {seconds:.2f} s after "{word}" but on again at {back[0]:.2f} s'
    was_off = seconds == 0.0 and not _on_at(log, span.word["start"])
    seen = f'was off before "{word}"' if was_off else f'off {seconds:.2f} s after "{word}"'
    return seconds <= limit, seen


def _on_at(log: Log, at: float) -> bool:
    before = [moment for moment in log.device if moment.at <= at]
    return bool(before) and before[-1].on


def _undone(log: Log, start: float, end: float) -> bool:
    """Whether the person said something more in between, which may have undone the word."""
    return any(start < word["at"] <= end for word in log.of("person"))


def _said(prompt: str, span: _Span, log: Log) -> tuple[bool, str]:
    said = [e for e in log.of("say") if span.holds(e)]
    hits = [e for e in said if matches_id(prompt, e["prompt"])]
    if hits:
        return True, f"said at {hits[0]['at']:.2f} s"
    last = ", ".join(e["prompt"] for e in said[-3:])
    return False, f"never said; the last prompts were {last}" if last else "nothing was said"


def _never_said(prompt: str, span: _Span, log: Log) -> tuple[bool, str]:
    hits = [e for e in log.of("say") if span.holds(e) and matches_id(prompt, e["prompt"])]
    return not hits, f"said at {hits[0]['at']:.2f} s" if hits else "never said"


def _state(name: str, span: _Span, log: Log) -> tuple[bool, str]:
    entered = [e for e in log.of("state") if span.holds(e)]
    hits = [e for e in entered if e["to"] == name or e["to"].startswith(name + ".")]
    if hits:
        return True, f"entered at {hits[0]['at']:.2f} s"
    way = ", ".join(e["to"] for e in entered[-4:])
    return False, f"never entered; the way was ... {way}" if way else "no state was entered"


def _never_state(name: str, span: _Span, log: Log) -> tuple[bool, str]:
    entered, seen = _state(name, span, log)
    return not entered, seen if entered else "never entered"


def _heard(intent: str, span: _Span, log: Log) -> tuple[bool, str]:
    heard = [e for e in log.of("heard") if span.holds(e) and e["level"] in ("confirmed", "final")]
    hits = [e for e in heard if e["intent"] == intent]
    if hits:
        return True, f"heard at {hits[0]['at']:.2f} s"
    last = ", ".join(f'"{e["text"]}"' for e in heard[-3:])
    return False, f"never heard; the last heard were {last}" if last else "nothing was heard"


def _fault(what: str, span: _Span, log: Log) -> tuple[bool, str]:
    faults = [e for e in log.of("fault") if span.holds(e)]
    hits = [e for e in faults if e["what"] == what]
    if hits:
        return True, f"at {hits[0]['at']:.2f} s"
    return False, f"the faults were: {', '.join(e['what'] for e in faults) or 'none'}"


def _on_times(span: _Span, log: Log) -> list[float]:
    """Moments within the span at which the device came on, or its start where it was on then."""
    times = [moment.at for moment in log.device if moment.on and span.start <= moment.at < span.end]
    return [span.start] if _on_at(log, span.start) else times


def _never_on(_: bool, span: _Span, log: Log) -> tuple[bool, str]:
    times = _on_times(span, log)
    return not times, f"on at {times[0]:.2f} s" if times else "it was never on"


def _was_on(_: bool, span: _Span, log: Log) -> tuple[bool, str]:
    never, seen = _never_on(True, span, log)
    return not never, seen


def _ended(why: str, _: _Span, log: Log) -> tuple[bool, str]:
    ends = log.of("end")
    if not ends:
        return False, "the session did not end in its time"
    return ends[-1]["why"] == why, f"ended {ends[-1]['why']} at {ends[-1]['at']:.2f} s"


_CLAIMS: Mapping[str, Callable[[Any, _Span, Log], tuple[bool, str]]] = {
    "massager_off_within": _off_within,
    "said": _said,
    "never_said": _never_said,
    "state": _state,
    "never_state": _never_state,
    "heard": _heard,
    "fault": _fault,
    "massager_never_on": _never_on,
    "massager_was_on": _was_on,
    "ended": _ended,
}
