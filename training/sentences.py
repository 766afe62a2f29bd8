"""Running speech that holds none of the alarm ear's words: `python -m training.sentences SET OUT`.

`prompts` is everything that the program itself says, in its own voices: what the ears hear from the
loudspeaker for hours. `sentences` is the same and more by other synthetic voices. It must never
keep a sentence in which one of the words is said.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from assistant.settings import load
from audio.voice import Voice
from training.clips import WORD_IN
from training.voices import NEAR, SENTENCES, Spoken, espeak, flite, resampled, write

ENGINES = ("pyttsx3", "hibari")
"""Our own voices."""
OURS, FRAMED = 0.5, 0.4
"""Shares of our own sentences and of near-sounds in FRAMES; the rest is SENTENCES."""
FRAMES = (
    "there is a {} on the table",
    "i saw the {} over there",
    "did you say {} just now",
    "we will {} a little later",
    "it was {} all the time",
    "she put the {} into the {}",
    "the {} and the {} are here",
    "{} is what he told me",
    "that is not the {} i meant",
    "come over and {} with us",
    "i don't think that it's {} at all",
    "and then {} again and again",
)
"""Near-sounds run together with what is before and after them."""


def main() -> int:
    """Speak one set."""
    parser = argparse.ArgumentParser(prog="python -m training.sentences", description=__doc__)
    parser.add_argument("set", choices=("prompts", "sentences"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=10_000, help="speak so many at most")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.set == "prompts":
        spoken = prompts(options.out / "cache")
    else:
        spoken = sentences(np.random.default_rng(options.seed))
    write(islice(spoken, options.count), options.out)
    return 0


def _ours() -> Sequence[str]:
    script = load(personal=False).script
    listed = dict.fromkeys(script.every_sentence())
    return [text for text in listed if not WORD_IN.search(text.lower())]


def prompts(cache: Path) -> Iterator[Spoken]:
    """Each of our sentences by each of our voices, as a session plays it."""
    listed, rate = _ours(), load(personal=False).voice.rate
    for engine in ENGINES:
        voice = Voice(cache, "", rate, engine)
        voice.prepare(listed)
        for text in listed:
            sound = voice.clip(text).astype(np.float32) / np.float32(32768.0)
            yield Spoken(sound, f"own:{engine}", text, "prompt", "")


def sentences(rng: np.random.Generator) -> Iterator[Spoken]:
    """Ours and others, without an end, by espeak-ng and flite in turn."""
    ours, near = np.array(_ours()), np.array(NEAR["stop"].split())
    speakers = (espeak, flite)
    while True:
        draw = rng.random()
        if draw < OURS:
            text = str(rng.choice(ours))
        elif draw < OURS + FRAMED:
            frame = str(rng.choice(np.array(FRAMES)))
            text = frame.format(*map(str, rng.choice(near, frame.count("{}"))))
        else:
            text = str(rng.choice(np.array(SENTENCES)))
        speakers = speakers[::-1]
        voice, sound = resampled(speakers[0](text, rng))
        yield Spoken(sound, voice, text, "sentence", "")


if __name__ == "__main__":
    sys.exit(main())
