"""The helper's page: watch a session from a phone, and STOP it.

It must never start or raise anything: its one request that changes something is the halt.
"""
