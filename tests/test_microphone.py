"""What the sound card's callbacks bring and take: at any rate, in any portion, without waiting."""

import numpy as np
import pytest

from audio.loudspeaker import Loudspeaker
from audio.microphone import KEPT_BLOCKS, Microphone
from audio.sound import BLOCK, RATE, Samples

RATES = [16_000, 44_100, 48_000]


def hum(seconds: float, rate: int) -> Samples:
    time = np.arange(round(seconds * rate)) / rate
    return (8000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16)


def loudest_hz(sound: Samples, rate: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(sound)))) * rate / len(sound)


def take_all(microphone: Microphone) -> list[Samples]:
    blocks = []
    while (block := microphone.take(0.0)) is not None:
        blocks.append(block)
    return blocks


@pytest.mark.parametrize("rate", RATES)
def test_sound_at_any_rate_arrives_as_blocks_of_ours(rate: int) -> None:
    microphone, sound = Microphone(), hum(1.0, rate)
    receive = microphone.callback(rate)
    for start in range(0, len(sound), rate // 50):
        portion = sound[start : start + rate // 50]
        receive(portion.tobytes(), len(portion), None, None)
    blocks = take_all(microphone)
    assert {len(block) for block in blocks} == {BLOCK}
    assert len(blocks) == pytest.approx(50, abs=2)
    assert loudest_hz(np.concatenate(blocks), RATE) == pytest.approx(440, abs=3)
    assert microphone.blocks == len(blocks)


def test_what_is_not_taken_in_time_is_dropped_oldest_first_and_counted() -> None:
    microphone = Microphone()
    receive = microphone.callback(RATE)
    for number in range(KEPT_BLOCKS + 7):
        receive(np.full(BLOCK, number, np.int16).tobytes(), BLOCK, None, None)
    blocks = take_all(microphone)
    assert microphone.dropped == 7
    assert [int(block[0]) for block in blocks] == list(range(7, KEPT_BLOCKS + 7))


def test_who_is_late_can_begin_anew_with_the_next_block() -> None:
    microphone = Microphone()
    receive = microphone.callback(RATE)
    for number in range(30):
        receive(np.full(BLOCK, number, np.int16).tobytes(), BLOCK, None, None)
    microphone.clear()
    assert microphone.waiting == 0
    receive(np.full(BLOCK, 99, np.int16).tobytes(), BLOCK, None, None)
    assert [int(block[0]) for block in take_all(microphone)] == [99]


def test_what_the_sound_card_lost_is_counted() -> None:
    microphone = Microphone()
    receive = microphone.callback(RATE)
    receive(bytes(2 * BLOCK), BLOCK, None, "input overflow")
    receive(bytes(2 * BLOCK), BLOCK, None, None)
    assert microphone.overflows == 1


@pytest.mark.parametrize("rate", RATES)
def test_the_loudspeaker_gets_our_sound_at_its_rate(rate: int) -> None:
    ours = iter(hum(2.0, RATE).reshape(-1, BLOCK))
    deliver = Loudspeaker(lambda _: next(ours)).callback(rate)
    played = bytearray()
    for _ in range(50):
        data = bytearray(2 * (rate // 50))
        deliver(memoryview(data), rate // 50, None, None)
        played += data
    assert loudest_hz(np.frombuffer(bytes(played), np.int16), rate) == pytest.approx(440, abs=3)


def test_the_canceller_gets_exactly_what_was_handed_over() -> None:
    ours = iter(hum(1.0, RATE).reshape(-1, BLOCK))
    loudspeaker = Loudspeaker(lambda _: next(ours))
    data = bytearray(2 * BLOCK)
    loudspeaker.callback(RATE)(memoryview(data), BLOCK, None, None)
    assert (loudspeaker.played.pop() == np.frombuffer(bytes(data), np.int16)).all()
    assert not loudspeaker.played.pop().any()
