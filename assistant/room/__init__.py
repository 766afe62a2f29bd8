"""The virtual room: the whole program with a scripted person, an echo and noise, in virtual time.

Time here is carried by the samples; nothing in this package may sleep or read a clock.
"""

import os

# The ears multiply small matrices: with more threads OpenBLAS only waits for itself, for twice the
# processor time and more. It counts only before numpy is imported, and child processes inherit it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
