"""Understands words. Pure: nothing here may know a clock, a file, a thread or a sound card."""
