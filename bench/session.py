"""Prints what a decision costs, how long a rehearsal takes and how much memory the program needs.

Times are of this machine, at this moment; the README's figures come from such a run.
"""

import resource
import statistics
import subprocess
import sys
import time

from assistant.build import make_rehearsal
from assistant.messages import Tick
from assistant.settings import load
from assistant.state import State

ROUNDS = 2000
REHEARSALS = 20


def main() -> None:
    """Print one line a figure."""
    settings = load(personal=False)
    rehearsal = make_rehearsal(settings)
    rehearsal.begin("neck-massager")
    rehearsal.run_until(State.DOING)
    costs = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        rehearsal.session.handle(Tick(), rehearsal.now)
        costs.append(time.perf_counter() - began)
    print(f"one decision, median of {ROUNDS}: {statistics.median(costs) * 1e6:.0f} us")
    times = []
    for _ in range(REHEARSALS):
        rehearsal = make_rehearsal(settings)
        began = time.perf_counter()
        rehearsal.begin("neck-massager")
        rehearsal.run_to_the_end()
        times.append(time.perf_counter() - began)
    minutes = rehearsal.now / 60
    best = min(times) * 1000
    print(f"a session of {minutes:.0f} minutes rehearsed as text: {best:.0f} ms at best")
    mine = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory of the deciding side: {mine:.0f} MB")
    print(f"unknot --help: {_seconds('--help'):.2f} s")


def _seconds(*arguments: str) -> float:
    """Wall time of a command, the best of three."""
    command = [sys.executable, "-m", "assistant", *arguments]
    times = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    return min(times)


if __name__ == "__main__":
    main()
