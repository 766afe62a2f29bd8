"""The sound that bench/hearing.py gives to the ears, cleaned as in a live session.

It must never hold a clip twice, nor leave a canceller's state from one stream to the next.
"""

from pathlib import Path

import numpy as np

from audio.echo import EchoCanceller
from audio.sound import BLOCK, RATE, Samples
from training import clips, trials

CONDITIONS = tuple(trials.CONDITIONS)
OWN_VOICE = "own voice"
ALONE_SECONDS = 2
"""Our prompts alone, before the word over them."""

Stream = tuple[float, list[Samples]]
"""The end of the word in seconds, and the cleaned blocks."""


def cleaned(sound: Samples, played: Samples | None = None) -> list[Samples]:
    """Through the canceller; as blocks."""
    canceller = EchoCanceller()
    whole = np.concatenate([sound, np.zeros(-len(sound) % BLOCK, np.int16)]).reshape(-1, BLOCK)
    silent = np.zeros(BLOCK, np.int16)
    if played is None:
        return [canceller.clean(block, silent).sound for block in whole]
    beside = np.resize(played, whole.size).reshape(-1, BLOCK)
    return [canceller.clean(block, ref).sound for block, ref in zip(whole, beside, strict=True)]


class Streams:
    """One folder of recordings, with the synthetic voices that training kept out."""

    def __init__(self, folder: Path, voices: list[Path], every: int) -> None:
        self.bank = clips.read([folder])
        self._spoken = joined(clips.read(voices), self.bank)
        self.every = every
        """Only each n-th clip is used."""

    def word(self, word: str, condition: str, times: int = 1) -> list[Stream]:
        """Every clip of the word in its surroundings, said so often 0.8 s apart."""
        bank = self.bank if word == "stop" else self._spoken
        listed = trials.trials(bank, word, condition, apart=False, every=self.every, times=times)
        return [(trial.end / RATE, cleaned(trial.sound)) for trial in listed]

    def at_level(self, level_db: float) -> list[Stream]:
        """Every second clip of a clean "stop", so loud at the microphone (dB full scale)."""
        listed = trials.trials(self.bank, "stop", "clean", apart=False, every=2 * self.every)
        gain = 10 ** (level_db / 20) / trials.LEVEL
        loud = [np.clip(trial.sound * gain, -32767, 32767).astype(np.int16) for trial in listed]
        ends = [trial.end / RATE for trial in listed]
        return [(end, cleaned(sound)) for end, sound in zip(ends, loud, strict=True)]

    def over_own_voice(self) -> list[Stream]:
        """The word over prompts as loud as itself, after two seconds of prompts alone."""
        rng = np.random.default_rng(5)
        prompts = [clip for clip in self.bank.talk if clip.source == "telephone prompts"]
        rooms = [room for room in self.bank.rooms if clips.is_small(room)]
        made = []
        for clip in self.bank.words["stop"][:: self.every] if prompts else []:
            word, end = trials.stream(clip.sound, "clean", {}, rng)
            parts = [prompts[int(i)].sound for i in rng.integers(0, len(prompts), 4)]
            whole = np.resize(np.concatenate(parts), len(word) + ALONE_SECONDS * RATE)
            played = (whole / np.abs(whole).max() * 16000).astype(np.int16)
            room = rooms[int(rng.integers(len(rooms)))].sound
            echo = trials.convolved(played, room / np.abs(room).max())[: len(played)]
            echo *= trials.LEVEL * 32767 / np.sqrt(np.mean(echo**2))
            heard = echo + np.concatenate([np.zeros(ALONE_SECONDS * RATE), word])
            pcm = np.clip(heard, -32767, 32767).astype(np.int16)
            made.append((ALONE_SECONDS + end / RATE, cleaned(pcm, played)))
        return made

    def without_words(self) -> dict[str, list[Samples]]:
        """Talk, noise and music in which nobody says any of the words, by kind; not cleaned."""
        alone = trials.surroundings_alone(self.bank)[:: self.every]
        talk = [item.sound for item in trials.talk(self.bank)[:: self.every]]
        return {
            "talk": talk,
            "noise": [item.sound for item in alone if item.kind == "noise"],
            "music": [item.sound for item in alone if item.kind == "music"],
        }


def joined(spoken: clips.Bank, around: clips.Bank) -> clips.Bank:
    """The words of one bank in the surroundings of the other."""
    return clips.Bank(
        words=spoken.words,
        talk=around.talk,
        noise=around.noise,
        music=around.music,
        rooms=around.rooms,
    )
