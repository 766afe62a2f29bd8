"""Decides and conducts: the session, the massager, the command line. It must never be imported by audio or intents."""
