"""Any recording comes in as 16 kHz mono, and what is none is refused in one line."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from audio.sound import BLOCK, RATE, BadSound, Samples, blocks, level_db, read, to_int16, write


def tone(rate: int = RATE, seconds: float = 0.5) -> np.ndarray:
    """A hum of 440 Hz, a quarter of full scale."""
    return 0.25 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)


def loudest_hz(sound: Samples) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(sound))) * RATE / len(sound))


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_every_depth_and_rate_is_read_as_the_same_sound(
    tmp_path: Path, subtype: str, rate: int
) -> None:
    file = tmp_path / "hum.wav"
    soundfile.write(file, tone(rate), rate, subtype=subtype)
    sound = read(file)
    assert sound.dtype == np.int16
    assert len(sound) == pytest.approx(RATE / 2, abs=2)
    assert loudest_hz(sound) == pytest.approx(440, abs=2)
    assert level_db(sound) == pytest.approx(-15.05, abs=0.2)


def test_channels_are_averaged(tmp_path: Path) -> None:
    file = tmp_path / "stereo.flac"
    soundfile.write(file, np.stack([tone(), np.zeros(len(tone()))], axis=1), RATE)
    assert level_db(read(file)) == pytest.approx(level_db(to_int16(tone())) - 6.02, abs=0.1)


def test_sixteen_bits_come_back_bit_for_bit(tmp_path: Path) -> None:
    file = tmp_path / "all.wav"
    sound = np.array([-32768, -1, 0, 1, 32767], np.int16)
    write(file, sound)
    assert np.array_equal(read(file), sound)


def test_what_is_louder_than_full_scale_is_clipped() -> None:
    assert to_int16(np.array([2.0, -2.0], np.float32)).tolist() == [32767, -32768]


def empty(folder: Path) -> Path:
    (folder / "empty.wav").write_bytes(b"")
    return folder / "empty.wav"


def no_samples(folder: Path) -> Path:
    soundfile.write(folder / "nothing.wav", np.zeros(0), RATE)
    return folder / "nothing.wav"


def text(folder: Path) -> Path:
    (folder / "letter.wav").write_text("Dear Sir, this is not music.")
    return folder / "letter.wav"


def a_folder(folder: Path) -> Path:
    return folder


def missing(folder: Path) -> Path:
    return folder / "gone.wav"


def not_numbers(folder: Path) -> Path:
    sound = np.full(100, np.nan, np.float32)
    soundfile.write(folder / "broken.wav", sound, RATE, subtype="FLOAT")
    return folder / "broken.wav"


@pytest.mark.parametrize("make", [empty, no_samples, text, a_folder, missing, not_numbers])
def test_what_is_no_recording_is_refused_in_one_line_that_names_it(tmp_path: Path, make) -> None:
    file = make(tmp_path)
    with pytest.raises(BadSound) as error:
        read(file)
    assert str(file) in str(error.value)
    assert error.value.remedy in str(error.value)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 1


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSound, match=r"no-such-folder"):
        write(tmp_path / "no-such-folder" / "out.wav", np.zeros(10, np.int16))


@given(st.integers(0, 2000))
def test_blocks_hold_every_sample_once_and_then_silence(count: int) -> None:
    sound = np.arange(1, count + 1, dtype=np.int16)
    cut = list(blocks(sound))
    assert all(len(block) == BLOCK for block in cut)
    joined = np.concatenate([*cut, np.zeros(0, np.int16)])
    assert np.array_equal(joined[:count], sound)
    assert not joined[count:].any()


def test_digital_silence_has_the_lowest_level() -> None:
    assert level_db(np.zeros(BLOCK, np.int16)) == pytest.approx(-100.0)
    assert level_db(np.zeros(0, np.int16)) == -100.0
