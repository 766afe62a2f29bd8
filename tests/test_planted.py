"""The proof of the proofs: a plant that nobody catches, or that no longer fits, is told."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PLANT = """
[[plant]]
name = "{name}"
file = "assistant/safety.py"
text = "{text}"
becomes = "{becomes}"
caught_by = ["tests/test_safety.py::test_a_clock_that_goes_back_switches_off"]
"""


def planted(folder: Path, name: str, text: str, becomes: str) -> tuple[int, str]:
    table = folder / "plants.toml"
    table.write_text(PLANT.format(name=name, text=text, becomes=becomes))
    command = [sys.executable, str(HERE / "planted"), "--table", str(table)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "text", "becomes", "code", "told"),
    [
        (
            "caught",
            '\\"clock went back\\" if went_back',
            '\\"deaf\\" if went_back',
            0,
            "1 planted, 1",
        ),
        ("survives", "REST_SECONDS = 300.0", "REST_SECONDS = 301.0", 1, "survived"),
        ("is no proof", "now < self._counted_to", "now <", 1, "not by failing"),
        ("stale", "no such text", "", 1, "stale: stale: its text is 0 times"),
    ],
)
def test_only_a_named_test_that_fails_by_itself_counts(
    tmp_path: Path, name: str, text: str, becomes: str, code: int, told: str
) -> None:
    found, output = planted(tmp_path, name, text, becomes)
    assert (found, told in output) == (code, True), output
