"""What goes wrong outside of this program."""

from __future__ import annotations


class LaboratoryError(Exception):
    """A file, a process or a scheduler is not as it has to be; the message says how, and what to do."""


EXPECTED = (LaboratoryError, ValueError, OSError, EOFError, OverflowError, MemoryError)
"""What users, files, networks and machines bring about. A command tells each of them as one line; all others are faults
of this program, which tracebacks are for."""
