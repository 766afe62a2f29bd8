"""The audio process: what it tells, how it ends, what is made of one that dies, hangs or floods."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from listener import Listener

from assistant.ear import COMMAND, DIED, GAVE_UP, HANGS, Patience
from audio.errors import AudioMissing
from audio.messages import (
    ExpectCommand,
    Fault,
    FromAudio,
    Health,
    HushCommand,
    Ready,
    Recovered,
    SpeakCommand,
    ToneCommand,
)
from audio.sound import write
from audio.soundcard import portaudio
from audio.wire import encode, from_audio
from intents.intent import Intent

HASTE = Patience(
    start=20.0, silence=0.4, back_off=(0.01,), restarts=3, lines_a_second=300, unread_bytes=50_000
)
READY = encode(Ready("test", "test")).strip()
HEALTH = encode(Health(0.0, 0.0, -60.0, 0)).strip()
ECHO = f"""
import json, sys
print({READY!r}, flush=True)
for line in sys.stdin:
    print(json.dumps({{"kind": "fault", "what": "told", "detail": line.strip()}}), flush=True)
"""


def program(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", text)


def run_to_the_end(command: tuple[str, ...], patience: Patience = HASTE) -> Listener:
    listener = Listener(command, patience)
    asyncio.run(asyncio.wait_for(listener.process.listen(), 60.0))
    return listener


def test_a_process_that_dies_is_a_fault_each_time_and_after_too_many_the_last() -> None:
    listener = run_to_the_end(program(f"print({READY!r}, flush=True); import os; os._exit(9)"))
    assert listener.faults() == [DIED, DIED, DIED, GAVE_UP]
    assert listener.told[1] == Fault(DIED, "it ended with 9")
    assert isinstance(listener.process.failure, AudioMissing)


def test_a_process_that_comes_back_is_told_as_recovered_when_it_is_ready_again() -> None:
    listener = run_to_the_end(program(f"print({READY!r}, flush=True); 1 / 0"))
    kinds = [type(message) for message in listener.told]
    assert kinds[:5] == [Ready, Fault, Recovered, Ready, Fault]
    assert listener.told[2] == Recovered(DIED)
    assert "ZeroDivisionError" in str(listener.told[1])


def test_a_process_that_falls_silent_is_killed_and_named() -> None:
    hangs = program(f"print({HEALTH!r}, flush=True); import signal; signal.pause()")
    assert run_to_the_end(hangs).faults() == [HANGS, HANGS, HANGS, GAVE_UP]


def test_garbage_is_counted_ignored_and_is_no_sign_of_life() -> None:
    garbage = f"""
import sys
print({READY!r}); print("garbage"); print('{{"kind": "heard"'); print("x" * 200_000)
print({HEALTH!r}, flush=True)
import select
while True:
    select.select([], [], [], 0.05); print("garbage", flush=True)
"""
    listener = run_to_the_end(program(garbage))
    assert listener.faults() == [HANGS, HANGS, HANGS, GAVE_UP]
    assert listener.process.garbage > 9
    assert sum(isinstance(message, Health) for message in listener.told) == 3


def test_a_flood_is_cut_off() -> None:
    flood = program(f"while True: print({HEALTH!r}, flush=True)")
    listener = run_to_the_end(flood)
    assert listener.faults()[-1] == GAVE_UP
    assert len(listener.told) <= 3 * HASTE.lines_a_second + 4


def test_a_process_that_cannot_begin_is_not_started_again() -> None:
    missing = program("import sys; print('unknot: PortAudio is missing', file=sys.stderr); exit(5)")
    listener = run_to_the_end(missing)
    assert listener.told == [Fault(GAVE_UP, "unknot: PortAudio is missing")]
    assert listener.process.failure is not None
    assert listener.process.failure.exit_code == 5


def test_a_program_that_does_not_exist_is_a_fault_and_no_exception() -> None:
    assert run_to_the_end(("/no/such/program",)).faults() == [DIED, DIED, DIED, GAVE_UP]


def test_commands_given_before_it_runs_arrive_once_and_a_hushed_one_never() -> None:
    async def check() -> list[str]:
        listener = Listener(program(ECHO), HASTE)
        listener.process.send(SpeakCommand("old", ("Old.",)))
        listener.process.send(HushCommand())
        listener.process.send(SpeakCommand("new", ("New.",)))
        async with listener.listening():
            await listener.until(lambda message: isinstance(message, Ready))
            listener.process.send(ToneCommand("tick"))
            await listener.until(lambda message: "tick" in str(message))
        return [message.detail for message in listener.told if isinstance(message, Fault)]

    new, tick = asyncio.run(check())
    assert json.loads(new)["prompt"] == "new"
    assert json.loads(tick)["name"] == "tick"


def test_a_new_process_is_told_again_what_answers_make_sense() -> None:
    async def check() -> list[FromAudio]:
        listener = Listener(program(ECHO + "    exit(1)"), HASTE)
        listener.process.send(ExpectCommand(frozenset({Intent.YES})))
        async with listener.listening() as task:
            await task
        return listener.told

    told = [m for m in asyncio.run(check()) if isinstance(m, Fault) and m.what == "told"]
    assert [json.loads(fault.detail)["intents"] for fault in told] == [["yes"]] * 3


def test_commands_that_nobody_reads_never_make_the_session_wait() -> None:
    deaf = f"""
import select
while True: print({HEALTH!r}, flush=True); select.select([], [], [], 0.05)
"""

    async def check() -> list[str]:
        listener = Listener(program(deaf), HASTE)
        async with listener.listening():
            await listener.until(lambda message: isinstance(message, Health))
            for _ in range(5000):
                listener.process.send(ToneCommand("tick"))
            await listener.until(lambda message: isinstance(message, Fault))
        return listener.faults()

    assert asyncio.run(check())[0] == DIED


# The program itself


def needs_portaudio() -> None:
    try:
        portaudio()
    except AudioMissing as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine with PortAudio and without any sound device or server."""
    needs_portaudio()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/none")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_without_devices_it_beats_tells_the_fault_and_ends_with_its_input(nowhere: Path) -> None:
    async def check() -> Listener:
        arguments = ["--live", "--microphone=no such microphone", f"--cache={nowhere}"]
        listener = Listener((*COMMAND, *arguments), Patience())
        async with listener.listening():
            await listener.until(lambda m: isinstance(m, Fault) and m.what == "microphone_lost")
            listener.process.send(ToneCommand("tick"))
        return listener

    listener = asyncio.run(check())
    beats = [message.block_age for message in listener.told if isinstance(message, Health)]
    assert beats == sorted(beats)
    assert beats[-1] > 5.0
    assert len(beats) >= 20
    assert "no such microphone" in str(listener.told)
    assert HANGS not in listener.faults()


def test_it_ends_when_whoever_started_it_is_killed(nowhere: Path) -> None:
    command = [*COMMAND, "--live", "--microphone=none of these", f"--cache={nowhere}"]
    script = f"""
import subprocess, sys
child = subprocess.Popen({command!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""
    with subprocess.Popen(program(script), stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        ended = os.pidfd_open(pid)
        parent.send_signal(signal.SIGKILL)
        assert select.select([ended], [], [], 10.0)[0]
        os.close(ended)


def test_nothing_but_messages_is_on_its_stdout(nowhere: Path) -> None:
    orders = '{"do": "speak", "prompt": "x", "sentences": ["Hello."]}\ngarbage\n\xff\n'
    ran = subprocess.run(
        [*COMMAND, "--live", "--microphone=none of these", f"--cache={nowhere}"],
        input=orders,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    messages = [from_audio(line) for line in ran.stdout.splitlines()]
    assert all(isinstance(message, Health | Fault) for message in messages)
    assert "no command" in ran.stderr


def test_a_recording_is_heard_and_printed(tmp_path: Path) -> None:
    wav = tmp_path / "noise.wav"
    noise = np.random.default_rng(1).normal(0, 3000, 16_000)
    write(wav, np.concatenate([np.zeros(16_000), noise]).astype(np.int16))
    command = [*COMMAND, "--wav", str(wav), "--engine", "embedded"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    assert events[0]["level"] == "voice"
    assert events[0]["at"] == pytest.approx(1.06, abs=0.06)


@pytest.mark.parametrize("arguments", [[], ["--live", "--wav", "x.wav"], ["--rate", "fast"]])
def test_a_wrong_command_line_ends_with_two(arguments: list[str]) -> None:
    ran = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr


def test_a_missing_recording_is_named_in_one_line() -> None:
    ran = subprocess.run([*COMMAND, "--wav", "no.wav"], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == "unknot: no.wav: no such file (check the path)"
