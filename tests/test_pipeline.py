"""Blocks in, what was heard out; and a voice that gives way. Ears here are scripted or real."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from assistant.settings import Settings
from audio.alarm_ear import AlarmEar
from audio.courtesy import (
    LONGEST_PAUSE_SECONDS,
    LOWER_DB,
    MOST_PAUSES,
    PAUSES_WITHIN_SECONDS,
    RESUME_SECONDS,
)
from audio.echo import Cleaned, EchoCanceller
from audio.errors import UnknotError
from audio.headset import HEALTH_BLOCKS, Headset
from audio.judge import Judge
from audio.messages import (
    Ear,
    EnrolCommand,
    ExpectCommand,
    Fault,
    FromAudio,
    Health,
    Heard,
    HushCommand,
    Level,
    Recovered,
    SayBegan,
    SayEnded,
    SpeakCommand,
    ToneCommand,
    VolumeCommand,
)
from audio.microphone_watch import NOTICED_BLOCKS, MicrophoneWatch
from audio.pipeline import LEARNING_BLOCKS, Ears, Pipeline
from audio.recogniser import Reading, RecogniserFailed
from audio.sound import BLOCK, RATE, Samples, blocks, read, to_int16
from audio.speaker import Player
from intents.intent import Intent
from intents.phrasebook import Phrasebook
from intents.spotter import Clue, ClueKind

CLIPS = Path(__file__).parent / "clips"
SILENCE = np.zeros(BLOCK, np.int16)
LOUD = np.full(BLOCK, 5000, np.int16)
BLOCK_SECONDS = BLOCK / RATE


@dataclass
class ScriptedWords:
    """A word ear that reads what it was told, block by block; an exception is raised."""

    script: list[Reading | Exception | None] = field(default_factory=list)
    engine: str = "scripted"
    model: str = "none"
    practice: bool = False
    expected: frozenset[Intent] = frozenset()
    heard: list[Samples] = field(default_factory=list)

    def expect(self, intents: frozenset[Intent]) -> None:
        self.expected = intents

    def hear(self, block: Samples) -> list[Reading]:
        assert len(block) == BLOCK
        self.heard.append(block)
        now = self.script.pop(0) if self.script else None
        if isinstance(now, Exception):
            raise now
        return [now] if now else []

    def reset(self) -> None:
        self.script.clear()


@dataclass
class ScriptedAlarm:
    """An alarm ear that gives the clues it was told, block by block."""

    script: list[tuple[Intent, float] | Exception | None] = field(default_factory=list)
    enrolling: bool = False
    heard: list[Samples] = field(default_factory=list)

    def hear(self, block: Samples) -> list[Clue]:
        assert len(block) == BLOCK
        self.heard.append(block)
        now = self.script.pop(0) if self.script else None
        if isinstance(now, Exception):
            raise now
        at = len(self.heard) * BLOCK_SECONDS
        return [Clue("alarm", ClueKind.SCORE, now[0], now[1], at, now[0].value)] if now else []

    def enrol(self, on: bool) -> None:
        self.enrolling = on

    def reset(self) -> None:
        self.script.clear()


@pytest.fixture
def book(settings: Settings) -> Phrasebook:
    return settings.phrasebook


def final(text: str) -> Reading:
    return Reading(text, final=True)


def partial(text: str) -> Reading:
    return Reading(text, final=False)


def listen(pipeline: Pipeline, count: int, block: Samples = SILENCE) -> list[Heard]:
    return [heard for _ in range(count) for heard in pipeline.hear(block, SILENCE)]


def told(heard: Sequence[Heard]) -> list[tuple[str, str | None, str]]:
    """Level, intent and ear of each."""
    return [(h.level.value, h.intent.value if h.intent else None, h.ear.value) for h in heard]


def words_pipeline(book: Phrasebook, *script: Reading | None, practice: bool = False) -> Pipeline:
    words = ScriptedWords(list(script), practice=practice)
    return Pipeline(Ears(None, words), EchoCanceller(), book)


def test_a_finished_command_is_heard_with_its_number(book: Phrasebook) -> None:
    (heard,) = listen(words_pipeline(book, final("seven")), 1)
    assert heard == Heard(Level.FINAL, Intent.NUMBER, "seven", Ear.WORDS, BLOCK_SECONDS, value=7)


@dataclass
class TwoSounds:
    """A canceller that gives the words silence and every other ear a loud block."""

    settled: bool = True

    def clean(self, mic: Samples, played: Samples) -> Cleaned:
        return Cleaned(sound=LOUD, words=SILENCE)

    def reset(self) -> None:
        return


def test_the_words_are_read_from_the_sound_for_words_and_all_else_from_the_other(
    book: Phrasebook,
) -> None:
    words, alarm, second = ScriptedWords(), ScriptedAlarm(), ScriptedAlarm()
    pipeline = Pipeline(Ears(alarm, words, second=second), TwoSounds(), book)
    heard = listen(pipeline, 5)
    assert told(heard) == [("voice", None, "words")]
    assert not np.any(words.heard)
    assert np.array_equal(alarm.heard, [LOUD] * 5)
    assert np.array_equal(second.heard, [LOUD] * 5)


def test_an_unfinished_command_is_not_heard(book: Phrasebook) -> None:
    assert listen(words_pipeline(book, partial("next"), partial("next")), 2) == []


def test_talk_is_told_without_a_meaning(book: Phrasebook) -> None:
    heard = listen(words_pipeline(book, final("the weather")), 1)
    assert told(heard) == [("final", None, "words")]


def test_a_question_that_no_phrase_knows_is_heard_as_a_question(book: Phrasebook) -> None:
    heard = listen(words_pipeline(book, final("is the massager [unk]")), 1)
    assert [(h.intent, h.topic) for h in heard] == [(Intent.QUESTION, "unknown")]


def test_a_safety_word_in_a_partial_is_suspected_at_once_and_sure_when_it_stands(
    book: Phrasebook,
) -> None:
    pipeline = words_pipeline(book, *[partial("please stop")] * 20)
    heard = listen(pipeline, 20)
    assert told(heard) == [("suspect", "stop", "words"), ("confirmed", "stop", "words")]
    assert heard[0].at == pytest.approx(BLOCK_SECONDS)
    assert heard[1].at - heard[0].at == pytest.approx(0.32, abs=BLOCK_SECONDS)


def test_a_partial_that_loses_the_word_starts_its_time_anew(book: Phrasebook) -> None:
    script = [*[partial("stop")] * 10, partial("top"), *[partial("stop")] * 10]
    heard = listen(words_pipeline(book, *script), 21)
    assert ("suspect", "stop", "words") in told(heard)
    assert ("confirmed", "stop", "words") not in told(heard)


def test_a_safety_word_in_a_final_is_sure(book: Phrasebook) -> None:
    heard = listen(words_pipeline(book, final("i feel dizzy")), 1)
    assert told(heard)[-1] == ("confirmed", "dizzy", "words")
    assert heard[-1].topic == "dizzy"


def test_only_expected_commands_are_heeded_but_every_safety_word(book: Phrasebook) -> None:
    pipeline = words_pipeline(book, final("next"), final("yes"), final("stop"))
    pipeline.expect(frozenset({Intent.YES}))
    heard = told(listen(pipeline, 3))
    assert ("final", "yes", "words") in heard
    assert ("confirmed", "stop", "words") in heard
    assert "next" not in [intent for _, intent, _ in heard]


def test_nothing_expected_means_everything(book: Phrasebook) -> None:
    pipeline = words_pipeline(book, final("next"))
    pipeline.expect(frozenset())
    assert told(listen(pipeline, 1)) == [("final", "next", "words")]


def test_our_own_sentence_is_no_command_while_the_canceller_learns(book: Phrasebook) -> None:
    pipeline = words_pipeline(book, final("next"))
    pipeline.saying(["Now comes the next part."])
    assert listen(pipeline, 1) == []


def test_our_own_sentence_never_hides_a_safety_word(book: Phrasebook) -> None:
    pipeline = words_pipeline(book, final("stop"))
    pipeline.saying(["Say stop once."])
    assert ("confirmed", "stop", "words") in told(listen(pipeline, 1))


def test_a_person_may_say_our_words_once_the_canceller_is_settled(book: Phrasebook) -> None:
    script = [*[None] * 60, final("next")]
    pipeline = words_pipeline(book, *script)
    pipeline.saying(["Now comes the next part."])
    heard = [h for _ in range(61) for h in pipeline.hear(LOUD, LOUD)]
    assert ("final", "next", "words") in told(heard)


@pytest.mark.parametrize(
    ("text", "blocks", "heeded"),
    [("finish", 30, False), ("finish", 0, True), ("stop", 30, True), ("i feel dizzy", 30, True)],
    ids=["a command", "a command of any age", "a safety word", "a safety phrase"],
)
def test_our_own_voice_that_dies_away_is_no_command_and_hides_no_safety_word(
    book: Phrasebook, text: str, blocks: int, heeded: bool
) -> None:
    silence = [None] * 29
    words = ScriptedWords([*[None] * 80, *silence, Reading(text, final=True, blocks=blocks)])
    pipeline = Pipeline(Ears(None, words), TwoSounds(settled=True), book)
    heard = [h for _ in range(80) for h in pipeline.hear(LOUD, LOUD)]
    heard += listen(pipeline, 30)
    assert any(h.level in (Level.FINAL, Level.CONFIRMED) for h in heard) is heeded


def both(book: Phrasebook, alarm: ScriptedAlarm, words: ScriptedWords) -> Pipeline:
    return Pipeline(Ears(alarm, words), EchoCanceller(), book)


def test_two_ears_that_hear_one_stop_tell_it_once(book: Phrasebook) -> None:
    alarm = ScriptedAlarm([(Intent.STOP, 0.95)])
    words = ScriptedWords([*[None] * 25, final("stop")])
    heard = listen(both(book, alarm, words), 30)
    assert told(heard) == [("suspect", "stop", "alarm"), ("confirmed", "stop", "alarm")]


def test_a_second_stop_two_seconds_later_is_told_again(book: Phrasebook) -> None:
    alarm = ScriptedAlarm([(Intent.STOP, 0.95)])
    words = ScriptedWords([*[None] * 100, final("stop")])
    assert ("confirmed", "stop", "words") in told(listen(both(book, alarm, words), 101))


def test_another_safety_word_after_a_stop_is_told(book: Phrasebook) -> None:
    alarm = ScriptedAlarm([(Intent.STOP, 0.95)])
    words = ScriptedWords([*[None] * 25, final("i feel dizzy")])
    assert ("confirmed", "dizzy", "words") in told(listen(both(book, alarm, words), 30))


def test_a_short_word_of_a_poor_ear_alone_is_a_suspicion(book: Phrasebook) -> None:
    heard = listen(words_pipeline(book, final("stop"), practice=True), 1)
    assert told(heard) == [("suspect", "stop", "words")]


def test_a_short_word_in_a_long_sentence_of_a_poor_ear_is_a_suspicion_too(
    book: Phrasebook,
) -> None:
    talk = "enough has been told of what they did that night"
    assert told(listen(words_pipeline(book, final(talk), practice=True), 1)) == [
        ("suspect", "stop", "words")
    ]
    surely = told(listen(words_pipeline(book, final(talk)), 1))
    assert ("confirmed", "stop", "words") in surely


def test_a_short_word_of_a_poor_ear_makes_the_other_ears_suspicion_sure(book: Phrasebook) -> None:
    alarm = ScriptedAlarm([(Intent.STOP, 0.6)])
    words = ScriptedWords([*[None] * 20, final("hot")], practice=True)
    heard = told(listen(both(book, alarm, words), 21))
    assert heard[0] == ("suspect", "stop", "alarm")
    assert heard[-1] == ("confirmed", "stop", "words")
    assert "device" not in [intent for _, intent, _ in heard]


@pytest.mark.parametrize("text", ["knot", ""])
def test_what_may_have_been_the_suspected_word_makes_it_sure(book: Phrasebook, text: str) -> None:
    """However the poor ear reads it: "stop" must not become "knot", and start a hold."""
    alarm = ScriptedAlarm([(Intent.STOP, 0.6)])
    words = ScriptedWords([*[None] * 20, Reading(text, True, perhaps="stop")], practice=True)
    heard = told(listen(both(book, alarm, words), 21))
    assert heard[-1] == ("confirmed", "stop", "words")
    assert "hold" not in [intent for _, intent, _ in heard]


def test_what_may_have_been_a_word_that_nobody_suspects_is_read_as_it_is(book: Phrasebook) -> None:
    alarm = ScriptedAlarm([(Intent.DIZZY, 0.6)])
    words = ScriptedWords([*[None] * 20, Reading("knot", True, perhaps="stop")], practice=True)
    heard = told(listen(both(book, alarm, words), 21))
    assert heard[-1] == ("final", "hold", "words")


@pytest.mark.parametrize("perhaps", ["", "off"])
def test_two_words_of_a_poor_ear_say_more_than_one_suspected_sound(
    book: Phrasebook, perhaps: str
) -> None:
    alarm = ScriptedAlarm([(Intent.STOP, 0.6)])
    words = ScriptedWords([*[None] * 20, Reading("too hot", True, perhaps)], practice=True)
    heard = told(listen(both(book, alarm, words), 21))
    assert heard[-1][1:] == ("device", "words")


def test_a_long_phrase_of_a_poor_ear_is_sure(book: Phrasebook) -> None:
    heard = listen(words_pipeline(book, final("i can't breathe"), practice=True), 1)
    assert ("confirmed", "emergency", "words") in told(heard)


@pytest.mark.parametrize("error", [RecogniserFailed("broken"), RuntimeError("unforeseen")])
def test_a_broken_word_ear_is_told_once_and_the_other_one_goes_on(
    book: Phrasebook, error: Exception
) -> None:
    alarm = ScriptedAlarm([None, (Intent.STOP, 0.95)])
    words = ScriptedWords([error, final("next")])
    pipeline = both(book, alarm, words)
    heard = told(listen(pipeline, 2))
    assert heard[-1] == ("confirmed", "stop", "alarm")
    assert [fault.what for fault in pipeline.take_faults()] == ["recogniser_failed"]
    assert pipeline.take_faults() == []
    assert not pipeline.ears_answer


def test_a_broken_alarm_ear_is_told_and_words_go_on(book: Phrasebook) -> None:
    alarm = ScriptedAlarm([RuntimeError("out of memory")])
    pipeline = both(book, alarm, ScriptedWords([final("next")]))
    assert told(listen(pipeline, 1)) == [("final", "next", "words")]
    assert [fault.what for fault in pipeline.take_faults()] == ["alarm_ear_failed"]
    assert not pipeline.ears_answer


def test_somebody_who_talks_is_told_once(book: Phrasebook) -> None:
    pipeline = Pipeline(Ears(None, None), EchoCanceller(), book)
    sound = np.concatenate([np.zeros(RATE, np.int16), read(CLIPS / "person1_stop.flac")])
    heard = [h for block in blocks(sound) for h in pipeline.hear(block, SILENCE)]
    assert told(heard) == [("voice", None, "words")]
    assert pipeline.practice


def test_our_own_first_words_are_not_somebody(book: Phrasebook) -> None:
    pipeline = Pipeline(Ears(None, None), EchoCanceller(), book)
    own = read(CLIPS / "person3_yes.flac")
    heard = [h for block in blocks(own) for h in pipeline.hear(block, block)]
    assert heard == []


@pytest.mark.parametrize(
    ("settled", "played", "told_anything"),
    [(False, LOUD, False), (False, SILENCE, True), (True, LOUD, True)],
    ids=["our own voice, unknown room", "nobody but a person", "our own voice, known room"],
)
def test_a_mere_suspicion_in_our_own_first_words_is_kept_for_the_second(
    book: Phrasebook, settled: bool, played: Samples, told_anything: bool
) -> None:
    alarm = ScriptedAlarm([None] * LEARNING_BLOCKS + [(Intent.STOP, 0.8)])
    pipeline = Pipeline(Ears(alarm, None), TwoSounds(settled), book)
    suspected = [h for _ in range(LEARNING_BLOCKS + 1) for h in pipeline.hear(LOUD, played)]
    assert (("suspect", "stop", "alarm") in told(suspected)) is told_anything
    alarm.script += [None] * 50 + [(Intent.STOP, 0.8)]
    again = [h for _ in range(51) for h in pipeline.hear(LOUD, played)]
    assert ("confirmed", "stop", "alarm") in told(again)


@pytest.mark.parametrize(("blocks_after", "told_anything"), [(40, False), (60, True)])
def test_a_mere_suspicion_within_a_second_after_our_first_words_is_kept_too(
    book: Phrasebook, blocks_after: int, told_anything: bool
) -> None:
    """The echo lingers, and the ears take their time."""
    alarm = ScriptedAlarm([None] * blocks_after + [(Intent.STOP, 0.8)])
    pipeline = Pipeline(Ears(alarm, None), TwoSounds(settled=True), book)
    pipeline.hear(LOUD, LOUD)
    suspected = [h for _ in range(blocks_after) for h in pipeline.hear(LOUD, SILENCE)]
    assert (("suspect", "stop", "alarm") in told(suspected)) is told_anything


def test_a_mere_suspicion_of_the_word_ear_in_our_own_first_words_is_kept_too(
    book: Phrasebook,
) -> None:
    """It reads "I'm scared" where the canceller leaves something of our first sentence."""
    words = ScriptedWords([final("enough")], practice=True)
    pipeline = Pipeline(Ears(None, words), TwoSounds(settled=False), book)
    assert told(pipeline.hear(LOUD, LOUD)) == []
    words.script += [*[None] * 60, final("enough")]
    again = [heard for _ in range(61) for heard in pipeline.hear(LOUD, LOUD)]
    assert ("confirmed", "stop", "words") in told(again)


def test_a_mere_suspicion_after_a_gap_is_told_also_over_our_own_voice(book: Phrasebook) -> None:
    """A massager may run by then."""
    alarm, canceller = ScriptedAlarm(), TwoSounds()
    pipeline = Pipeline(Ears(alarm, None), canceller, book)
    listen(pipeline, LEARNING_BLOCKS)
    pipeline.reset()
    canceller.settled = False
    alarm.script.append((Intent.STOP, 0.6))
    assert ("suspect", "stop", "alarm") in told(pipeline.hear(LOUD, LOUD))


def test_a_sure_stop_is_told_from_the_first_block_on_whoever_talks(book: Phrasebook) -> None:
    pipeline = Pipeline(
        Ears(ScriptedAlarm([(Intent.STOP, 0.95)]), None), TwoSounds(settled=False), book
    )
    assert ("confirmed", "stop", "alarm") in told(pipeline.hear(LOUD, LOUD))


def test_time_is_counted_in_samples(book: Phrasebook) -> None:
    pipeline = Pipeline(Ears(None, None), EchoCanceller(), book)
    listen(pipeline, 50)
    assert pipeline.samples == RATE
    assert pipeline.at == pytest.approx(1.0)


@pytest.mark.parametrize("person", ["person1", "person2", "person3"])
def test_a_real_stop_is_sure_with_the_real_ears_soon_after_its_end(
    book: Phrasebook, person: str
) -> None:
    pipeline = Pipeline(Ears(AlarmEar(), None), EchoCanceller(), book)
    word = read(CLIPS / f"{person}_stop.flac")
    loud = np.flatnonzero(np.abs(word) > 1500)
    sound = np.concatenate([np.zeros(RATE, np.int16), word, np.zeros(RATE, np.int16)])
    heard = [h for block in blocks(sound) for h in pipeline.hear(block, SILENCE)]
    sure = [h for h in heard if h.level is Level.CONFIRMED]
    assert [h.intent for h in sure] == [Intent.STOP]
    assert sure[0].at - 1.0 - loud[-1] / RATE < 0.5


# The headset


@dataclass
class SpokenClips:
    """Half a second of sound for every sentence; a broken voice for the sentence that names it."""

    def clip(self, sentence: str) -> Samples:
        if sentence == "broken":
            raise UnknotError("espeak is gone", "install it")
        return np.full(RATE // 2, 3000, np.int16)


@dataclass
class Scene:
    """A headset and what it told, in a room without an echo."""

    headset: Headset
    words: ScriptedWords
    alarm: ScriptedAlarm
    told: list[FromAudio] = field(default_factory=list)
    played: list[Samples] = field(default_factory=list)

    def run(self, seconds: float, mic: Samples | None = None) -> None:
        """Let time pass, with quiet noise or `mic` at the microphone."""
        rng = np.random.default_rng(0)
        for _ in range(round(seconds / BLOCK_SECONDS)):
            self.played.append(self.headset.fill(BLOCK))
            noise = to_int16((rng.standard_normal(BLOCK) * 1e-4).astype(np.float32))
            self.told += self.headset.hear(noise if mic is None else mic, SILENCE)

    def speak(self, *sentences: str, prompt: str = "prompt") -> None:
        self.headset.do(SpeakCommand(prompt, sentences, 0.1))

    def of(self, kind: type) -> list:
        return [message for message in self.told if isinstance(message, kind)]

    @property
    def sounds(self) -> bool:
        return bool(self.played[-1].any())


@pytest.fixture
def scene(book: Phrasebook) -> Scene:
    words, alarm = ScriptedWords(), ScriptedAlarm()
    pipeline = Pipeline(Ears(alarm, words), EchoCanceller(), book)
    return Scene(Headset(pipeline, Player(), SpokenClips()), words, alarm)


def talker() -> Samples:
    """Noise as loud as a voice."""
    rng = np.random.default_rng(5)
    return to_int16((rng.standard_normal(BLOCK) * 0.2).astype(np.float32))


def test_a_prompt_is_spoken_to_its_end(scene: Scene) -> None:
    scene.speak("one", "two")
    scene.run(2.0)
    assert [m.prompt for m in scene.of(SayBegan)] == ["prompt"]
    (ended,) = scene.of(SayEnded)
    assert ended == SayEnded("prompt", ended.at, cut=False)
    assert ended.at == pytest.approx(1.1, abs=0.1)


def test_a_voice_pauses_the_prompt_at_once_and_silence_resumes_it(scene: Scene) -> None:
    scene.speak("one")
    scene.run(0.2)
    scene.run(0.1, mic=talker())
    scene.run(0.1)
    assert not scene.sounds
    scene.run(RESUME_SECONDS - 0.3)
    assert not scene.sounds
    scene.run(0.4)
    assert scene.sounds
    scene.run(1.0)
    assert [m.cut for m in scene.of(SayEnded)] == [False]


def test_a_suspected_stop_pauses_the_prompt_before_the_session_knows(scene: Scene) -> None:
    scene.speak("one")
    scene.run(0.2)
    scene.alarm.script = [(Intent.STOP, 0.6)]
    scene.run(0.06)
    assert not scene.sounds
    assert [h.level for h in scene.of(Heard)] == [Level.SUSPECT]


def test_a_hush_is_silence_and_nothing_is_resumed(scene: Scene) -> None:
    scene.speak("one")
    scene.run(0.2)
    scene.run(0.1, mic=talker())
    scene.headset.do(HushCommand())
    scene.run(3.0)
    assert not scene.sounds
    assert [m.cut for m in scene.of(SayEnded)] == [True]


def test_somebody_who_talks_on_does_not_silence_the_prompt_for_ever(scene: Scene) -> None:
    scene.speak("one")
    scene.run(0.2)
    scene.run(LONGEST_PAUSE_SECONDS + 1.0, mic=talker())
    assert [m.cut for m in scene.of(SayEnded)] == [False]


def test_after_three_pauses_for_nothing_the_voice_goes_on_softer(scene: Scene) -> None:
    for _ in range(MOST_PAUSES):
        scene.speak("one")
        scene.run(0.3)
        loud = int(np.abs(scene.played[-1]).max())
        scene.run(0.1, mic=talker())
        scene.run(RESUME_SECONDS + 0.5)
    scene.speak("one")
    scene.run(0.2)
    scene.run(0.2, mic=talker())
    assert scene.sounds
    softer = int(np.abs(scene.played[-1]).max())
    assert 20 * np.log10(softer / loud) == pytest.approx(LOWER_DB, abs=0.5)
    scene.alarm.script = [(Intent.STOP, 0.6)]
    scene.run(0.06)
    assert not scene.sounds


def test_after_half_a_quiet_minute_it_gives_way_to_voices_again(scene: Scene) -> None:
    for _ in range(MOST_PAUSES):
        scene.speak("one")
        scene.run(0.2)
        scene.run(0.1, mic=talker())
        scene.run(RESUME_SECONDS + 0.5)
    scene.run(PAUSES_WITHIN_SECONDS)
    scene.speak("one")
    scene.run(0.2)
    scene.run(0.14, mic=talker())
    assert not scene.sounds


def test_a_broken_voice_is_a_fault_and_not_the_end(scene: Scene) -> None:
    scene.speak("one", "broken")
    scene.run(0.2)
    assert [fault.what for fault in scene.of(Fault)] == ["voice_failed"]
    assert scene.of(SayBegan) == []
    scene.speak("one")
    scene.run(0.2)
    assert scene.sounds


def test_the_heartbeat_comes_four_times_a_second_and_says_who_listens(scene: Scene) -> None:
    scene.run(2.0)
    beats = scene.of(Health)
    assert [b.samples for b in beats] == [
        n * HEALTH_BLOCKS * BLOCK for n in range(1, len(beats) + 1)
    ]
    assert HEALTH_BLOCKS * BLOCK_SECONDS <= 0.25
    assert all(beat.ears_answer and not beat.practice for beat in beats)
    assert scene.headset.ready.engine == "scripted"


def test_a_broken_ear_shows_in_the_heartbeat(scene: Scene) -> None:
    scene.words.script = [RecogniserFailed("broken")]
    scene.run(0.5)
    assert [fault.what for fault in scene.of(Fault)] == ["recogniser_failed"]
    assert not any(beat.ears_answer for beat in scene.of(Health))


def test_perfect_silence_is_a_muted_microphone_within_three_seconds(scene: Scene) -> None:
    scene.run(1.8, mic=SILENCE)
    assert scene.of(Fault) == []
    scene.run(0.5, mic=SILENCE)
    assert [fault.what for fault in scene.of(Fault)] == ["microphone_muted"]
    scene.run(0.1)
    assert scene.of(Recovered) == [Recovered("microphone_muted")]


def test_a_stuck_microphone_is_muted_too() -> None:
    watch = MicrophoneWatch()
    stuck = np.full(BLOCK, 7, np.int16)
    seen = [fault for _ in range(NOTICED_BLOCKS + 1) for fault in watch.look(stuck)]
    assert [fault.what for fault in seen] == ["microphone_muted"]


def test_commands_reach_whom_they_are_for(scene: Scene) -> None:
    scene.headset.do(ExpectCommand(frozenset({Intent.YES})))
    assert scene.words.expected == {Intent.YES}
    scene.headset.do(EnrolCommand(on=True))
    assert scene.alarm.enrolling
    scene.headset.do(ToneCommand("tick"))
    scene.run(0.1)
    assert any(block.any() for block in scene.played)


def test_the_volume_command_makes_the_voice_softer(scene: Scene) -> None:
    scene.headset.do(VolumeCommand(-12.0))
    scene.speak("one")
    scene.run(0.2)
    assert int(np.abs(scene.played[-1]).max()) == pytest.approx(3000 * 10 ** (-12 / 20), rel=0.02)


def test_words_that_grow_worse_within_one_utterance_are_told_as_the_worse(
    settings: Settings,
) -> None:
    judge = Judge(settings.phrasebook, practice=False)
    told = [
        (one.level, one.topic)
        for at, text in ((0.0, "it hurts"), (0.5, "it hurts"), (1.0, "it hurts it really hurts"))
        for one in judge.read(Reading(text, final=False), at, settled=True)
    ]
    assert (Level.CONFIRMED, "sore") in told
    assert told[-1] == (Level.CONFIRMED, "sharp_pain")
