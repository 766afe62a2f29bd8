"""The commands of `unknot`, one file a group; a command must never hold logic that is not its own.

Each imports the work it does inside its function, so that `unknot --help`, and above all
`unknot massager off`, do not wait for libraries they do not use.
"""
