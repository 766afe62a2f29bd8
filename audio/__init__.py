"""Hears and speaks; a program of its own (python -m audio). It must never import assistant."""

import os

# Before numpy is loaded: its threads spin while they wait, and cost more than all our sums.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
