"""The virtual room: the whole program with a scripted person, an echo and noise, in virtual time.

Time here is carried by the samples; nothing in this package may sleep or read a clock.
"""
