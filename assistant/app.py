"""Builds everything and runs the one loop. It must never decide what a person hears or feels."""

from assistant.conductor import Conductor

__all__ = ["Conductor"]
