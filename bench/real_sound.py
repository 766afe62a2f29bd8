"""Prints how fast real streams are: the figures that the tests on a sound server of their own take.

Usage: python bench/real_sound.py (needs the packages that tests/test_pulse.py names)
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

TESTS = Path(__file__).parent.parent / "tests" / "test_pulse.py"


def main() -> int:
    """Run the tests and print what they measured."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", str(TESTS), f"--junitxml={report}"]
        ran = subprocess.run(
            [*command, "-o", "junit_family=xunit1"], capture_output=True, text=True
        )
        # Written by the line above, not by a stranger.
        found = ElementTree.parse(report).iter("property")  # noqa: S314
        for figure in found:
            print(f"{figure.get('name', '').replace('_', ' ')}: {figure.get('value')} s")
    print(ran.stdout.splitlines()[-1])
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main())
