"""Prints how often our own voice is taken for a person, and how well "stop" is heard over it.

    python bench/own_voice.py [FOLDER] [--minutes 60] [--music-minutes 20] [--every 4]
                              [--voice-engine NAME] [--tell]

All prompts are spoken through the canceller, ears and courtesy of a live session, in six rooms,
from 20 dB softer to 6 dB louder at the microphone than a person; then with music too. FOLDER holds
manifest.csv and recordings (default: ../shared/audio beside the project). It must never know more
than a session would: what counts is what the session is told.
"""

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from hearing_figures import Recall

from assistant.hearing import load_ears
from assistant.paths import voice_folder
from assistant.room.acoustics import Microphone, Noise, echo_path, person_path
from assistant.room.sound import BLOCK, RATE, Samples, Utterance, read_sound, utterance
from assistant.settings import Settings, load
from audio.alarm_ear import AlarmEar
from audio.echo import EchoCanceller
from audio.headset import Headset
from audio.messages import FromAudio, Heard, Level, SayEnded, SpeakCommand
from audio.pipeline import Ears, Pipeline
from audio.sound import Samples as Pcm
from audio.speaker import Player
from audio.voice import Voice
from intents.intent import SAFETY, Intent
from intents.spotter import BARS

SHARED = Path(__file__).resolve().parents[2] / "shared" / "audio"
LEVELS_DB = (-20, -12, -6, 0, 6)
"""The loudspeaker against the person, at the microphone."""
ROOMS = (
    "basement_workshop",
    "empty_bedroom",
    "room_sb1",
    "room_sb4",
    "seminar_room_clap",
    "seminar_room_left_ear",
)
SENTENCES = 4
"""Sentences in one prompt here: about as many as the longest of the script."""
ALONE_SECONDS = 3.0
"""Our voice alone before the person's word: the canceller has learned the room."""
AGAIN_SECONDS = 1.2
"""From the end of the first word to the beginning of the second."""
AFTER_SECONDS = 1.5
MUSIC_BELOW_DB = 20.0
"""So much softer than a person is the music beside our prompts."""
QUIET = np.zeros(BLOCK, np.float32)
HALTING = frozenset({Intent.STOP, Intent.DIZZY, Intent.TINGLING})
"""What the alarm ear hears and halts for."""


class Deaf(Pipeline):
    """A pipeline that tells of no mere voice, so that no prompt gives way to one."""

    def hear(self, mic: Pcm, played: Pcm) -> list[Heard]:
        """Take one block; everything but "somebody talks"."""
        return [heard for heard in super().hear(mic, played) if heard.level is not Level.VOICE]


class Place:
    """One room with our loudspeaker, a headset from a fresh state, and prompts without an end."""

    def __init__(
        self,
        ears: Ears,
        settings: Settings,
        voice: Voice,
        room: Samples,
        echo_db: float,
        gives_way: bool,
        beside: Noise | None = None,
    ) -> None:
        pipeline = (Pipeline if gives_way else Deaf)(ears, EchoCanceller(), settings.phrasebook)
        pipeline.reset()
        self._headset = Headset(pipeline, Player(), voice)
        self._echo, self._person = echo_path(room, echo_db), person_path(room)
        self._microphone, self._beside = Microphone(np.random.default_rng(7)), beside
        self.seconds = 0.0

    def say(self, sentences: Sequence[str]) -> None:
        """Begin a prompt."""
        self._headset.do(SpeakCommand("prompt", tuple(sentences)))

    def block(self, person: Samples = QUIET) -> list[FromAudio]:
        """20 ms of this room, the person saying `person`."""
        played = self._headset.fill(BLOCK)
        echo = self._echo.block(played.astype(np.float32) / np.float32(32768.0))
        noise = self._beside.block() if self._beside else QUIET
        mic = self._microphone.block(echo, self._person.block(person), noise)
        self.seconds += BLOCK / RATE
        return self._headset.hear(mic, played)


def kind(heard: Heard) -> str:
    """What the session would take this for."""
    if heard.level is Level.FINAL:
        return "command" if heard.intent else ""
    return (
        heard.level.value if heard.intent in (*SAFETY, None) else f"{heard.level.value} (no halt)"
    )


def alone(
    place: Place, prompts: Iterator[Sequence[str]], seconds: float
) -> list[tuple[str, Heard]]:
    """Nobody but us: all that was heard, with the sentences it was heard in."""
    told: list[tuple[str, Heard]] = []
    while place.seconds < seconds:
        sentences = next(prompts)
        place.say(sentences)
        messages: list[FromAudio] = []
        while not any(isinstance(message, SayEnded) for message in messages):
            messages = place.block()
            told += [(" ".join(sentences), m) for m in messages if isinstance(m, Heard)]
    return told


@dataclass(frozen=True)
class Over:
    """What became of a "stop" over our voice."""

    suspect: bool
    confirmed: bool
    confirmed_in_two: bool


def said_over(place: Place, prompts: Iterator[Sequence[str]], word: Utterance) -> Over:
    """A person says it while we talk, and again."""
    place.say([sentence for _ in range(3) for sentence in next(prompts)])
    lead, gap = round(ALONE_SECONDS * RATE), round(AGAIN_SECONDS * RATE)
    second = lead + word.end + gap
    sound = np.zeros(second + len(word.sound) + round(AFTER_SECONDS * RATE), np.float32)
    for at in (lead, second):
        sound[at : at + len(word.sound)] += word.sound
    sound = np.pad(sound, (0, -len(sound) % BLOCK))
    heard = [
        m
        for block in sound.reshape(-1, BLOCK)
        for m in place.block(block)
        if isinstance(m, Heard) and m.intent in SAFETY and m.at > ALONE_SECONDS
    ]
    once = {m.level for m in heard if m.at < second / RATE}
    twice = any(m.level is Level.CONFIRMED for m in heard)
    return Over(bool(once), Level.CONFIRMED in once, twice)


@dataclass(frozen=True)
class Bench:
    """What all measurements need."""

    settings: Settings
    voice: Voice
    ears: Ears
    rooms: dict[str, Samples]
    words: list[Utterance]
    music: dict[str, Samples]
    tell: bool
    """Print each self-trigger but mere voices with the sentences it came from."""

    def prompts(self, start: int = 0) -> Iterator[Sequence[str]]:
        """Every sentence there is, a few at a time, over and over."""
        sentences = list(dict.fromkeys(self.settings.script.every_sentence()))
        groups = [sentences[i : i + SENTENCES] for i in range(0, len(sentences), SENTENCES)]
        return cycle([*groups[start:], *groups[:start]])

    def like_a_word(self) -> None:
        """Sentences that the alarm ear, with no room and no canceller between, is sure to be a
        word that halts: those to be worded otherwise."""
        print("Sentences of ours that the alarm ear takes for a word that halts, and for which:")
        ear, quiet = AlarmEar(), np.zeros(RATE // 2, np.int16)
        for sentence in dict.fromkeys(self.settings.script.every_sentence()):
            ear.reset()
            sound = np.concatenate([quiet, self.voice.clip(sentence), quiet])
            sure = {
                clue.text
                for at in range(0, len(sound), RATE)
                for clue in ear.hear(sound[at : at + RATE])
                if clue.intent in HALTING and clue.score >= BARS["alarm"].high
            }
            if sure:
                print(f"    {', '.join(sorted(sure))}: {sentence}", flush=True)

    def self_triggers(self, minutes: float) -> None:
        """An hour of prompts with nobody there; one line for each of them that was heard."""
        print(f"Self-triggers in {minutes:.0f} minutes of our own prompts, nobody there:")
        prompts = self.prompts()
        total: Counter[str] = Counter()
        seconds = 0.0
        for level in LEVELS_DB:
            counts: Counter[str] = Counter()
            for name, room in self.rooms.items():
                place = Place(self.ears, self.settings, self.voice, room, level, gives_way=True)
                share = minutes * 60 / len(self.rooms) / len(LEVELS_DB)
                counts += self._told(place, prompts, share, name)
                seconds += place.seconds
            print(f"  {level:+4d} dB: {_counted(counts)}", flush=True)
            total += counts
        print(f"  in {seconds / 3600:.2f} hours: {_counted(total)}")

    def beside_music(self, minutes: float) -> None:
        """The same with music, which is no voice of ours to be taken away; in one room a piece."""
        if not self.music:
            print("\nThe same with music: skipped, the manifest knows none")
            return
        print(
            f"\nThe same in {minutes:.0f} minutes with music,"
            f" {MUSIC_BELOW_DB:.0f} dB softer than a person:"
        )
        prompts = self.prompts()
        total: Counter[str] = Counter()
        for (piece, sound), (name, room) in zip(self.music.items(), cycle(self.rooms.items())):
            for level in LEVELS_DB:
                music = Noise(sound, MUSIC_BELOW_DB, np.random.default_rng(7))
                place = Place(self.ears, self.settings, self.voice, room, level, True, beside=music)
                share = minutes * 60 / len(self.music) / len(LEVELS_DB)
                total += self._told(place, prompts, share, f"{name} with {piece}")
        print(f"  {_counted(total)}", flush=True)

    def _told(
        self, place: Place, prompts: Iterator[Sequence[str]], seconds: float, where: str
    ) -> Counter[str]:
        counts: Counter[str] = Counter()
        for text, heard in alone(place, prompts, seconds):
            if what := kind(heard):
                counts[what] += 1
                if self.tell and heard.level is not Level.VOICE:
                    print(
                        f"    {what} {heard.text!r} by {heard.ear.value} in {where}"
                        f" at {heard.at:.1f} s: {text}"
                    )
        return counts

    def over_it(self) -> None:
        """People's "stop" over our prompts, by level and by room."""
        print(
            "\n'Stop' over our prompts: recall % of suspected, confirmed, confirmed when said twice"
        )
        by_room: dict[tuple[str, bool], list[Over]] = {}
        for level in LEVELS_DB:
            for gives_way in (True, False):
                made = []
                for number, word in enumerate(self.words):
                    name = list(self.rooms)[number % len(self.rooms)]
                    room = self.rooms[name]
                    place = Place(self.ears, self.settings, self.voice, room, level, gives_way)
                    over = said_over(place, self.prompts(7 * number), word)
                    made.append(over)
                    by_room.setdefault((name, gives_way), []).append(over)
                print(f"  {level:+4d} dB, {_manner(gives_way)}: {_recalled(made)}", flush=True)
        for (name, gives_way), made in sorted(by_room.items(), key=lambda item: not item[0][1]):
            print(f"  {name}, {_manner(gives_way)}, all levels: {_recalled(made)}")


def _manner(gives_way: bool) -> str:
    return "pausing for any voice" if gives_way else "talking on            "


def _counted(counts: Counter[str]) -> str:
    kinds = ("voice", "suspect", "confirmed", "command")
    others = [name for name in counts if name not in kinds]
    return ", ".join(f"{name} {counts[name]}" for name in (*kinds, *others))


def _recalled(made: Sequence[Over]) -> str:
    """Three shares of the same words, each with its 95 % interval."""
    names = ("suspect", "confirmed", "confirmed_in_two")
    hits = [sum(getattr(over, name) for over in made) for name in names]
    return "  ".join(Recall(count, len(made)).share() for count in hits) + f"  of {len(made)}"


def manifest(folder: Path) -> list[dict[str, str]]:
    """Its rows, one a recording."""
    with (folder / "manifest.csv").open(newline="") as rows:
        return list(csv.DictReader(rows))


def stops(folder: Path) -> list[Utterance]:
    """Every "stop" that the manifest is sure of, at the level of a person."""
    said = [r for r in manifest(folder) if r["kind"] == "positive" and r["note"] != "unconfirmed"]
    sure = [r for r in said if r["text"] == Intent.STOP.value]
    return [utterance(row["text"], read_sound(folder / row["file"])) for row in sure]


def music(folder: Path) -> dict[str, Samples]:
    """Every piece that the manifest knows, by its file's name."""
    rows = [r for r in manifest(folder) if r["kind"] == "noise" and "music" in r["text"]]
    files = [Path(row["file"]) for row in rows]
    return {file.stem: read_sound(folder / file) for file in files}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=SHARED)
    parser.add_argument("--minutes", type=float, default=60.0, help="of prompts with nobody there")
    parser.add_argument("--music-minutes", type=float, default=20.0, help="the same, with music")
    parser.add_argument("--every", type=int, default=4, help="use each n-th recorded stop only")
    parser.add_argument("--voice-engine", help="instead of the one that is set")
    parser.add_argument("--tell", action="store_true", help="name each but mere voices")
    options = parser.parse_args()
    if not (options.folder / "manifest.csv").exists():
        print(f"own voice: skipped, {options.folder}/manifest.csv is missing")
        return 0
    settings = load(personal=False)
    said = settings.voice
    voice = Voice(voice_folder(), said.name, said.rate, options.voice_engine or said.engine)
    voice.prepare(settings.script.every_sentence())
    rooms = {name: read_sound(options.folder / "rir" / f"{name}.flac") for name in ROOMS}
    words = stops(options.folder)[:: options.every]
    bench = Bench(
        settings, voice, load_ears(settings), rooms, words, music(options.folder), options.tell
    )
    bench.like_a_word()
    bench.self_triggers(options.minutes)
    bench.beside_music(options.music_minutes)
    bench.over_it()
    return 0


if __name__ == "__main__":
    sys.exit(main())
