"""Why a row of native-speed.md falls short: its cause, and what was tried. Written by hand after a measurement.

A row that falls short and isn't here is in the table of causes with nothing beside it.
"""

#: Row -> cause, what was tried.
CAUSES: dict[str, tuple[str, str]] = {}
