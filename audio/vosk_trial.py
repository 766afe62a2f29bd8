"""Tries a model folder in a process of its own: `python -m audio.vosk_trial FOLDER`.

It must never be run inside another program: a short graph file makes Vosk segfault, not fail.
"""

import json
import subprocess
import sys
from pathlib import Path

SECONDS = 60.0
"""Loading takes 1 to 3 s on a laptop, more from a slow card; longer is hanging."""


def trial(folder: Path) -> str:
    """Load the model and let it hear a second, in a child; what went wrong, or nothing."""
    command = [sys.executable, "-m", "audio.vosk_trial", str(folder)]
    try:
        child = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, errors="replace"
        )
    except subprocess.TimeoutExpired:
        return f"Vosk did not load it in {SECONDS:.0f} s"
    if child.returncode == 0:
        return ""
    told = [line for line in child.stderr.splitlines() if line.startswith("ERROR")]
    reason = told[-1].partition(") ")[2].strip() if told else ""
    return reason or f"Vosk breaks on it (exit code {child.returncode})"


def main(folder: str) -> None:
    """Everything that a session does with a model, once."""
    import vosk

    vosk.SetLogLevel(-1)
    recogniser = vosk.KaldiRecognizer(vosk.Model(folder), 16_000, json.dumps(["one", "[unk]"]))
    recogniser.AcceptWaveform(bytes(32_000))
    recogniser.FinalResult()


if __name__ == "__main__":
    main(sys.argv[1])
