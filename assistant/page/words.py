"""The board in a helper's words: one short text for each place of the page.

Pure. It must never say more than is known: an off is what was told, not what was seen.
"""

from assistant.board import Board, Microphone
from assistant.state import State

S = State
STATES = {
    S.IDLE: "Ready, waiting for a word",
    S.CHOOSING: "Choosing a massage",
    S.SCREENING: "Asking whether massage is safe today",
    S.HEARING_CHECK: "Checking that the word stop is heard",
    S.HANDS_ONLY: "No massager today; offering the hands",
    S.RATING_BEFORE: "Asking how bad it is",
    S.PREPARING: "Getting ready",
    S.WAITING: "Between two massages",
    S.SPEAKING: "Explaining the next part",
    S.DOING: "Massage",
    S.HOLDING: "Holding on one spot",
    S.COUNTING: "Asking for a count",
    S.PAUSED: "Paused",
    S.PAUSED_SORE: "Paused: something was sore",
    S.PAUSED_FAULT: "Paused: something is wrong",
    S.HALTED: "Stopped",
    S.HALTED_ASKING: "Stopped: a warning sign",
    S.HALTED_EMERGENCY: "This can be an emergency. Go and help now.",
    S.HALTED_RESTING: "Stopped: no more massage today",
    S.RATING_AFTER: "Asking how it is now",
    S.CLOSING: "Saying goodbye",
    S.ENDED: "The session is over",
}
MICROPHONES = {
    Microphone.UNKNOWN: "not known yet",
    Microphone.HEARS: "hears",
    Microphone.BEHIND: "hears, but too slowly",
    Microphone.DEAF: "hears nothing",
}
ALARMING = (S.HALTED_ASKING, S.HALTED_EMERGENCY)
LONG_AGO_SECONDS = 90.0


def told(board: Board) -> dict[str, str]:
    """The text of every place of the page, by its id."""
    return {
        "alarm": _alarm(board),
        "state": STATES[State(board.state)],
        "saying": f"“{board.saying}”" if board.saying else "",
        "step": _step(board),
        "left": _left(board),
        "massager": _massager(board),
        "microphone": MICROPHONES[board.microphone],
        "heard": _heard(board),
    }


def _alarm(board: Board) -> str:
    if State(board.state) in ALARMING:
        return f"Please look after the person. The sign of danger: {_plain(board.advice)}."
    if board.fault and not board.ended:
        return f"Something went wrong: {_plain(board.fault)}."
    return ""


def _step(board: Board) -> str:
    if board.step == 0:
        return "none yet"
    return f"{board.step} of {board.steps}: {board.step_name}"


def _left(board: Board) -> str:
    if board.left <= 0.0:
        return "none"
    return f"{_clock(board.step_left)} of this part, {_clock(board.left)} in all"


def _massager(board: Board) -> str:
    at_most = f"at the latest in {board.lease_left:.0f} s"
    if board.on:
        return f"on, level {board.level}; off by itself {at_most}"
    return f"told to be off; off {at_most}" if board.lease_left > 0 else "off"


def _heard(board: Board) -> str:
    if not board.heard:
        return "nothing yet"
    seconds = board.now - board.heard_at
    ago = f"{seconds:.0f} s" if seconds < LONG_AGO_SECONDS else f"{seconds / 60:.0f} min"
    return f"“{board.heard}”, {ago} ago"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _plain(name: str) -> str:
    return name.replace("_", " ")
