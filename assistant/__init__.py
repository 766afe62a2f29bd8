"""Decides and conducts: session, massager, command line. Never imported by audio or intents."""

import os

# Before numpy is loaded: its threads spin while they wait, and cost more than all our sums.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
