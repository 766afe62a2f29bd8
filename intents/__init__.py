"""Understands words. Pure: no clock, no file, no thread, no sound card."""
