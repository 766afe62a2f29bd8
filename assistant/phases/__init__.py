"""The conduct of a session, one file for each part of it; none may move the session itself."""
