"""What each ear costs, measured in a process of its own: `python bench/hearing_costs.py [EAR]`.

EAR is one of nothing, canceller, speaking (the canceller while our own voice sounds), alarm, peer,
words, everything, barge-in (everything, while our own voice sounds and a person says other words);
without it, each is started in turn. It must never measure two ears in one process: the memory of
one would be that of both.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

SECONDS = 30.0
OTHER_WORDS_BLOCKS = 150
"""Our voice says what the person said three seconds before."""
CLIPS = Path(__file__).resolve().parents[1] / "tests" / "clips"


def main(arguments: Sequence[str]) -> int:
    """One ear here, or all of them in children."""
    if arguments:
        measure(arguments[0])
    else:
        print("what each ear costs, in a process of its own, on people's words in a quiet room:")
        for part in PARTS:
            began = time.time()
            command = [sys.executable, __file__, part]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            told = json.loads(done.stdout) if done.returncode == 0 else None
            print(f"  {part:10s} {_text(told, began) if told else 'not here'}", flush=True)
    return 0


def _text(told: dict[str, float], began: float) -> str:
    return (
        f"{told['share']:.4f} of a core, {told['rss_mb']:.0f} MB, "
        f"listens {told['ready'] - began:.2f} s after it was started"
    )


def measure(part: str) -> None:
    """Load one ear, give it half a minute, print one JSON line."""
    # Before numpy: it keeps numpy to one thread, as in a session.
    import audio  # noqa: F401

    hear = PARTS[part]()
    ready = time.time()
    from audio.sound import BLOCK, RATE

    blocks = _blocks()
    began = time.process_time()
    for block in blocks:
        hear(block)
    share = (time.process_time() - began) / (len(blocks) * BLOCK / RATE)
    # Not ru_maxrss: that of a child begins with what its parent held.
    status = Path("/proc/self/status").read_text()
    memory = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"share": share, "rss_mb": memory, "ready": ready}))


def _blocks() -> list:
    import numpy as np

    from audio.sound import RATE, blocks, read

    quiet = np.random.default_rng(0).integers(-20, 21, RATE).astype(np.int16)
    words = [part for clip in sorted(CLIPS.glob("person*")) for part in (quiet, read(clip))]
    return list(blocks(np.concatenate(words)[: round(SECONDS * RATE)]))


def _nothing() -> Callable[[object], object]:
    """Python and what every part needs."""
    import audio.pipeline  # noqa: F401

    return id


def _canceller() -> Callable:
    hear, silence = _cleaning(), _silence()
    return lambda block: hear(block, silence)


def _speaking() -> Callable:
    hear = _cleaning()
    return lambda block: hear(block, block)


def _cleaning() -> Callable:
    from audio.echo import EchoCanceller

    return EchoCanceller().clean


def _silence():
    import numpy as np

    from audio.sound import BLOCK

    return np.zeros(BLOCK, np.int16)


def _alarm() -> Callable:
    from audio.alarm_ear import AlarmEar

    return AlarmEar().hear


def _peer() -> Callable:
    from hearing_ears import PEER

    from audio.second_ear import SecondEar

    return SecondEar(PEER).hear


def _words() -> Callable:
    ears = _open("WORDS")
    return ears.words.hear


def _everything() -> Callable:
    hear, silence = _hearing(), _silence()
    return lambda block: hear(block, silence)


def _barge_in() -> Callable:
    hear = _hearing()
    said = deque([_silence()] * OTHER_WORDS_BLOCKS, maxlen=OTHER_WORDS_BLOCKS)

    def over(block: object) -> object:
        played = said[0]
        said.append(block)
        return hear(block, played)

    return over


def _hearing() -> Callable:
    from assistant.settings import load
    from audio.echo import EchoCanceller
    from audio.pipeline import Pipeline

    return Pipeline(_open("ALL"), EchoCanceller(), load(personal=False).phrasebook).hear


def _open(listening: str):
    from assistant.settings import load
    from audio.engine import Engine, Listening, open_ears
    from audio.models import Places

    # No model but the one that $UNKNOT_MODEL names, and a copy of it that is not kept.
    places = Places(Path(tempfile.mkdtemp(prefix="unknot-bench-")))
    return open_ears(Listening[listening], Engine.AUTO, places, load(personal=False).phrasebook)


PARTS = {
    "nothing": _nothing,
    "canceller": _canceller,
    "speaking": _speaking,
    "alarm": _alarm,
    "peer": _peer,
    "words": _words,
    "everything": _everything,
    "barge-in": _barge_in,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
