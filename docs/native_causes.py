"""Why a row of native-speed.md falls short: its cause, and what was tried. Written by hand after a measurement.

A row that falls short and isn't here is in the table of causes with nothing beside it.
"""

_FLOOR = "the floor: the better peer is nearer to it than the factor that is asked for leaves room"

#: Row -> cause, what was tried.
CAUSES: dict[str, tuple[str, str]] = {
    "sigmoid-4000000-f8": (
        _FLOOR,
        "results in memory that is kept, written past the caches: about what is called the floor",
    ),
    "sigmoid-4000000-f4": (
        _FLOOR,
        "results in memory that is kept, written past the caches: about what is called the floor",
    ),
    "layer-norm-f4": (
        "arithmetic, 0.6 of the 0.8 ns an entry and thread: half of it are three divisions of rows by one number, exact to the "
        "last bit. PyTorch has a function of its own, which takes from 2.6 to 3.8 ms from run to run",
        "rows divided without dividing; stores past the caches; threads that stay: 1.9 ms before",
    ),
    "mixture": (
        "products, at the rate of large ones, are 0.6 of the time; 13 MB between the two halves go through memory, "
        "since each point needs all components in between",
        "products and loops in turns, a component at a time: 21 ms before; differences made again in the second half",
    ),
}
