"""Limits of one import file."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What a file may be, and what reading it may cost.  Each is a setting of the installation."""

    file_mib: int = 100
    """Size of the file."""
    unpacked_mib: int = 2048
    """Size of all parts of a workbook that are read, unpacked."""
    ratio: int = 200
    """Size of one unpacked part by its packed size; counted above `FREE_BYTES`."""
    parts: int = 2000
    """Number of parts of a workbook."""
    columns: int = 500
    rows: int = 1_000_000
    cells: int = 20_000_000
    """Rows times columns of one sheet, blank cells between them included: the reader holds them all."""
    cell_characters: int = 32_767
    """Characters of one cell; Excel itself stores no more."""
    text_mib: int = 300
    """Size of what all cells of a sheet say."""
    memory_mib: int = 1536
    """Address space of the process that reads."""
    cpu_seconds: int = 300
    """Processor time of the process that reads."""
    seconds: float = 600.0
    """Time for which the process that reads may keep the caller waiting, all waits together."""


FREE_BYTES = 16 * MIB
"""A part may unpack to so much whatever its packed size: text that repeats packs to a thousandth."""
