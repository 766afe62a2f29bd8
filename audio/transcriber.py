"""Writes down English: Moonshine's tiny model, which the wheel of moonshine-voice carries.

A piece of sound is listened to once; then it can be asked what was said, or how likely each of some
phrases is. It must never run a file that is not the pinned one, never run the package around it,
and never keep sound.
"""

import hashlib
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from audio.embedding import Floats
from audio.errors import NotFit
from audio.sound import RATE, Samples
from audio.spelling import BEGIN, END, Spelling, Tokens
from audio.spelling import Path as Way

PACKAGE: Final = "moonshine_voice"
REMEDY: Final = "pip install --force-reinstall moonshine-voice==0.1.0"
ENCODER, DECODER, TOKENS = "encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"
SHA256: Final = {
    ENCODER: "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    DECODER: "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    TOKENS: "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
}
"""What moonshine-voice 0.1.0 carries (MIT)."""

LOUDNESS: Final = 0.06
"""Root mean square, full scale 1, that the loudest fifth of a second is brought to."""
_LOUD_BLOCKS, _BLOCK = 10, 320
_SOFTEST: Final = 1e-4
BEFORE_SECONDS, AFTER_SECONDS = 0.25, 0.25
"""Silence around a piece of sound: the model was trained on whole recordings."""
TOKENS_A_SECOND, MOST_TOKENS = 6.5, 24
"""More it does not write: faster it repeats itself, as its makers found, and longer, which is some
fifteen words, the other ears would have to wait for it."""
WIDTH, MARGIN = 6, 6.0
"""Ways that are followed at once, and how much less likely than the best they may be. Where this
leaves nothing of a phrase, its log-chance is LEAST."""
LEAST: Final = -15.0

_SETTINGS: Final = {
    # Kernels laid out anew for speed would cost 20 MB more.
    "session.disable_prepacking": "1",
    "session.use_memory_mapped_ort_model": "1",
    "session.use_ort_model_bytes_for_initializers": "1",
}
_ERRORS_ONLY: Final = 3


class TranscriberError(NotFit):
    """The packaged model is missing, or is not the one whose figures the README gives."""


class Transcriber:
    """The model; it keeps nothing between pieces of sound."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` holds the three files; None means the package's. Raises TranscriberError."""
        place = folder or _packaged()
        for name, sha256 in SHA256.items():
            _check(place / name, sha256)
        self._encoder = _session(place / ENCODER)
        self._decoder = _Decoder(_session(place / DECODER))
        self.tokens = Tokens((place / TOKENS).read_bytes())
        """What it spells with."""

    def listen(self, sound: Samples) -> "Page":
        """Listen to some seconds of sound, eight at most, at any loudness."""
        samples = _levelled(sound)[None]
        feed = {"input_values": samples, "attention_mask": np.ones(samples.shape, np.int64)}
        heard = self._encoder.run(None, feed)[0]
        return Page(self._decoder, self.tokens, heard, samples.size / RATE)


class Page:
    """One piece of sound, listened to."""

    def __init__(self, decoder: "_Decoder", tokens: Tokens, heard: Floats, seconds: float) -> None:
        self._decoder, self._tokens, self._heard = decoder, tokens, heard
        self._most = min(round(seconds * TOKENS_A_SECOND), MOST_TOKENS)

    @property
    def text(self) -> str:
        """What was said, with capitals and full stops; empty when nothing was."""
        return self._written[0]

    @property
    def likely(self) -> float:
        """The text's log-chance: noise that it makes words of is unlikely to be just these."""
        return self._written[1]

    def chances(self, spelling: Spelling) -> Floats:
        """Log-chances (phrases,) that each was said, and that nothing followed it at once."""
        found = np.full(spelling.count, LEAST, np.float32)
        chances, past = self._begun
        ways, odds = [Way()], [0.0]
        while ways:
            for number, way in enumerate(ways):
                if (phrase := spelling.leads_to.get(way)) is not None:
                    ends = np.logaddexp.reduce(chances[number, spelling.ends])
                    found[phrase] = np.logaddexp(found[phrase], odds[number] + ends)
            rows, tokens, odds = _likeliest(spelling, ways, odds, chances)
            ways = [(*ways[row], token) for row, token in zip(rows, tokens, strict=True)]
            if ways:
                chances, past = self._decoder.go_on(self._heard, tokens, past, rows)
        return found

    @cached_property
    def _written(self) -> tuple[str, float]:
        chances, past = self._begun
        tokens, likely = list[int](), 0.0
        while len(tokens) < self._most:
            token = int(chances[0].argmax())
            likely += float(chances[0, token])
            if token == END:
                break
            tokens.append(token)
            chances, past = self._decoder.go_on(self._heard, [token], past, [0])
        return self._tokens.text(tokens), likely

    @cached_property
    def _begun(self) -> tuple[Floats, "_Past"]:
        return self._decoder.begin(self._heard)


def _likeliest(
    spelling: Spelling, ways: list[Way], odds: list[float], chances: Floats
) -> tuple[list[int], list[int], list[float]]:
    """Of all steps on from these ways those worth following: from which way, by which token, and
    how likely that makes it."""
    onward = [
        (odds[row] + float(chances[row, token]), row, token)
        for row, way in enumerate(ways)
        for token in spelling.onward.get(way, ())
    ]
    bar = max((step[0] for step in onward), default=0.0) - MARGIN
    kept = sorted((step for step in onward if step[0] >= max(bar, LEAST)), reverse=True)[:WIDTH]
    return [k[1] for k in kept], [k[2] for k in kept], [k[0] for k in kept]


_Past = dict[str, Floats]
"""What the decoder keeps of the sound and of the tokens so far, a row for each way."""


class _Decoder:
    """Tokens and sound to the log-chances of the next token."""

    def __init__(self, session: Any) -> None:
        self._session = session
        shapes = {tensor.name: tensor.shape for tensor in session.get_inputs()}
        self._nothing: _Past = {
            name: np.zeros((1, shape[1], 0, shape[3]), np.float32)
            for name, shape in shapes.items()
            if name.startswith("past")
        }
        self._kept = [name.replace("past_key_values", "present") for name in self._nothing]

    def begin(self, heard: Floats) -> tuple[Floats, _Past]:
        """Log-chances (1, tokens) of the first token."""
        chances, made = self._run(heard, [BEGIN], self._nothing, follows=False)
        return chances, made

    def go_on(
        self, heard: Floats, tokens: list[int], past: _Past, rows: list[int]
    ) -> tuple[Floats, _Past]:
        """Log-chances (n, tokens) after n tokens, which follow on these rows of the past."""
        chosen = {name: values[rows] for name, values in past.items()}
        chances, made = self._run(np.repeat(heard, len(rows), 0), tokens, chosen, follows=True)
        # What it keeps of the sound is made once: later runs give nothing back for it.
        return chances, {n: chosen[n] if ".encoder." in n else made[n] for n in made}

    def _run(
        self, heard: Floats, tokens: list[int], past: _Past, follows: bool
    ) -> tuple[Floats, _Past]:
        feed = {
            "input_ids": np.array(tokens, np.int64)[:, None],
            "encoder_hidden_states": heard,
            "encoder_attention_mask": np.ones(heard.shape[:2], np.int64),
            "use_cache_branch": np.array([follows]),
        }
        logits, *kept = self._session.run(["logits", *self._kept], feed | past)
        values = logits[:, -1] - logits[:, -1].max(-1, keepdims=True)
        chances: Floats = values - np.log(np.exp(values).sum(-1, keepdims=True))
        return chances, dict(zip(past, kept, strict=True))


def _levelled(sound: Samples) -> Floats:
    """Centred, at one loudness, with silence around it."""
    samples = sound.astype(np.float32) / np.float32(32768)
    samples -= samples.mean() if len(samples) else 0
    parts = samples[: len(samples) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    loud = np.sort(np.sqrt(np.square(parts).mean(1)))[-_LOUD_BLOCKS:]
    gain = LOUDNESS / max(float(loud.mean()) if len(loud) else 0.0, _SOFTEST)
    around = round(BEFORE_SECONDS * RATE), round(AFTER_SECONDS * RATE)
    return np.pad(np.clip(samples * np.float32(gain), -1, 1), around)


def _packaged() -> Path:
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise TranscriberError(f"the package {PACKAGE} is missing", REMEDY)
    return Path(found.submodule_search_locations[0]) / "assets" / "tiny-en"


def _check(file: Path, sha256: str) -> None:
    try:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise TranscriberError(f"{file}: {error.strerror}", REMEDY) from error
    if found != sha256:
        raise TranscriberError(f"{file} was altered", REMEDY)


def _session(file: Path) -> Any:
    # Imported only when wanted: it costs memory, and prints when it is loaded.
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(_ERRORS_ONLY)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = _ERRORS_ONLY
    for name, value in _SETTINGS.items():
        options.add_session_config_entry(name, value)
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


@cache
def shipped() -> Transcriber:
    """The one that ships, read once: it keeps nothing between pieces of sound.

    Raises TranscriberError.
    """
    return Transcriber()
