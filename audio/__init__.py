"""Hears and speaks; a program of its own (python -m audio). It must never import assistant."""
