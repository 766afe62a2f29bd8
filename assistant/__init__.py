"""Decides and conducts: session, massager, command line. Never imported by audio or intents."""
