"""Prints how many words of people the word ears get right, and what every part of hearing costs.

Usage: `python bench/hearing_words.py [--every N]`. Each word is said in its surroundings, cleaned
and cut as in a session; the whole word ear and its network alone read the same utterances with the
same choice. A person's words are read by the members that never met that person. It needs
the development recordings beside the repository (../shared/audio), and must never be run as a
test: its figures depend on the machine and on the recordings.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import audio  # noqa: E402, F401, I001 - before numpy: it keeps numpy to one thread, as in a session
import numpy as np  # noqa: E402

from assistant.settings import load  # noqa: E402
from audio.echo import EchoCanceller, Talk  # noqa: E402
from audio.engine import Engine, Listening, open_ears  # noqa: E402
from audio.messages import Heard, Level  # noqa: E402
from audio.models import Places  # noqa: E402
from audio.pipeline import Ears, Pipeline  # noqa: E402
from audio.recogniser import Recogniser  # noqa: E402
from audio.sound import BLOCK, RATE, Samples, blocks, to_int16  # noqa: E402
from audio.words_ear import WRITTEN_WEIGHT, EmbeddedRecogniser  # noqa: E402
from audio.words_network import WordsNetwork  # noqa: E402
from audio.words_network import load as load_weights  # noqa: E402
from intents.intent import SAFETY, Intent  # noqa: E402
from intents.phrasebook import Phrasebook  # noqa: E402
from training import clips, trials, words_judge  # noqa: E402
from training.words_clips import read_words  # noqa: E402
from training.words_judge import CONDITIONS, DIGITS, THIRTEEN, Trial  # noqa: E402

RECORDINGS = ROOT.parent / "shared" / "audio"
SAME = frozenset({Intent.HELP, Intent.REPEAT})
"""What makes sense after every question."""
QUESTIONS = {
    "yes or no": (frozenset({Intent.YES, Intent.NO, Intent.UNSURE}) | SAME, ("yes", "no", "stop")),
    "zero to ten": (frozenset({Intent.NUMBER}) | SAME, (*DIGITS, "stop")),
    "nothing asked": (frozenset[Intent](), THIRTEEN),
}
NUMBERS = (*DIGITS, "ten")


def main() -> int:
    """Print everything."""
    parser = argparse.ArgumentParser(prog="bench/hearing_words.py", description=__doc__)
    parser.add_argument("--every", type=int, default=8, help="only each n-th clip of a word")
    parser.add_argument("--talk", type=int, default=8, help="only each n-th piece of talk")
    options = parser.parse_args()
    if not RECORDINGS.is_dir():
        print(f"{RECORDINGS}: no recordings there; nothing to measure")
        return 0
    bank, book = clips.read([RECORDINGS]), load().phrasebook
    words = read_words([RECORDINGS], [])
    for word, listed in words.real.items():
        words.real[word] = listed[:: options.every] if word in THIRTEEN else []
    networks = [WordsNetwork(load_weights(None), fold) for fold in range(clips.FOLDS)]
    ears = [EmbeddedRecogniser(book, network) for network in networks]
    for condition in CONDITIONS:
        _choices(condition, list(words_judge.make(bank, words, (condition,))), networks, ears)
    talk = [t for t in trials.talk(bank) if not t.kind.startswith("isolated word")]
    talk = talk[:: options.talk]
    for question, (expected, wanted) in QUESTIONS.items():
        hearers = [_Fresh(ear, expected, book) for ear in ears]
        _answers(question, hearers, bank, words.real, wanted)
        _talk(question, hearers, talk)
    _costs(bank)
    return 0


def _choices(
    condition: str,
    listed: list[Trial],
    networks: Sequence[WordsNetwork],
    ears: Sequence[EmbeddedRecogniser],
) -> None:
    """Network and transcriber, apart and together, on the same utterances with the same choice."""
    held = [None if t.held is None else t.cuts[t.held] for t in listed]
    seen = [None if h is None else networks[t.fold](h) for t, h in zip(listed, held, strict=True)]
    read = [None if h is None else ears[t.fold].spelt(h) for t, h in zip(listed, held, strict=True)]
    both = [
        None if s is None or r is None else s + WRITTEN_WEIGHT * r
        for s, r in zip(seen, read, strict=True)
    ]
    for name, judged in (("network", seen), ("transcriber", read), ("both", both)):
        print(f"{name:11s} {words_judge.row(condition, listed, judged)}", flush=True)


class _Fresh:
    """A fresh pipeline for each recording: the word ear alone, as in a session."""

    def __init__(self, ear: Recogniser, expected: frozenset[Intent], book: Phrasebook) -> None:
        self._ear, self._expected, self._book = ear, expected, book

    def hear(self, sound: Samples) -> list[Heard]:
        """Everything heard in one recording."""
        pipeline = Pipeline(Ears(None, self._ear), EchoCanceller(), self._book)
        pipeline.reset()
        pipeline.expect(self._expected)
        silence = np.zeros(BLOCK, np.int16)
        return [heard for block in blocks(sound) for heard in pipeline.hear(block, silence)]


def _answers(
    title: str,
    hearers: Sequence[_Fresh],
    bank: clips.Bank,
    words: dict[str, list[clips.Clip]],
    wanted: tuple[str, ...],
) -> None:
    """Words right, and wrong ones acted on."""
    for condition in ("clean", "far"):
        rng = np.random.default_rng(7)
        right = wrong = count = 0
        for word in wanted:
            for clip in words[word]:
                around = trials.surroundings(bank, clip.fold)
                sound, _ = trials.stream(clip.sound, condition, around, rng)
                got = _decided(hearers[clip.fold].hear(sound))
                count, right, wrong = count + 1, right + (word in got), wrong + bool(got - {word})
        shares = f"{100 * right / count:.1f} % right, {100 * wrong / count:.1f} % wrong"
        print(f"{title}, {condition}: {shares} of {count}", flush=True)


def _decided(heard: list[Heard]) -> set[str]:
    """The words that would have been acted on; a suspicion pauses everything."""
    return {
        NUMBERS[h.value] if h.intent is Intent.NUMBER and h.value is not None else h.intent.value
        for h in heard
        if h.intent
    }


def _talk(title: str, hearers: Sequence[_Fresh], listed: list[trials.Talk]) -> None:
    """What talk that is not meant for us is taken for, an hour."""
    finals = suspicions = halts = 0
    for item in listed:
        heard = [h for h in hearers[item.fold].hear(item.sound) if h.intent]
        finals += sum(h.level is Level.FINAL for h in heard)
        suspicions += sum(h.level is Level.SUSPECT for h in heard)
        halts += sum(h.level is Level.CONFIRMED and h.intent in SAFETY for h in heard)
    hours = sum(len(item.sound) for item in listed) / RATE / 3600
    each = (finals, suspicions, halts)
    told = "finals {:.0f}, suspicions {:.0f}, halts {:.0f}".format(*(n / hours for n in each))
    print(f"  {title}, talk of {60 * hours:.0f} min, an hour: {told}", flush=True)


def _costs(bank: clips.Bank) -> None:
    """CPU seconds a second of audio, part by part."""
    quiet = to_int16(np.random.default_rng(0).standard_normal(30 * RATE).astype(np.float32) * 1e-3)
    words = [item.sound for item in trials.talk(bank) if len(item.sound) < 3 * RATE][:40]
    for name, sound in (("people saying words", np.concatenate(words)), ("a quiet room", quiet)):
        for part, cost in _parts(sound):
            print(f"cost, {name}: {part} {cost:.4f} s of CPU a second", flush=True)


def _parts(sound: Samples) -> Iterator[tuple[str, float]]:
    canceller, talk = EchoCanceller(), Talk()
    book = load().phrasebook
    places = Places(Path(tempfile.mkdtemp(prefix="unknot-bench-")))
    ears = open_ears(Listening.ALL, Engine.EMBEDDED, places, book)
    silence = np.zeros(BLOCK, np.int16)
    whole = Pipeline(ears, EchoCanceller(), book)
    whole.expect(frozenset({Intent.YES, Intent.NO}))
    hearers = {
        "canceller": lambda block: canceller.clean(block, silence),
        "somebody talks": talk.hear,
        "alarm ear": ears.alarm.hear if ears.alarm else (lambda _: []),
        "word ear": ears.words.hear if ears.words else (lambda _: []),
        "everything": lambda block: whole.hear(block, silence),
    }
    for part, hear in hearers.items():
        began = time.process_time()
        for block in blocks(sound):
            hear(block)
        yield part, (time.process_time() - began) / (len(sound) / RATE)


if __name__ == "__main__":
    sys.exit(main())
