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
    "cross-entropy-f4": (
        "four passes over each row, in the cache: the greatest; the exponentials and their sum; the derivative and its sum; "
        "and the share of the greatest in it, which is all rounding but not left out. Some 0.4 ns an entry and thread "
        "are arithmetic, and 0.3 the way from and to memory, which overlap little",
        "exponentials within the loop, the labels' derivative as a choice, masks made again, threads that stay: 2.3 ms "
        "before; rows asked for ahead, which gained nothing",
    ),
    "layer-norm-f4": (
        "memory: 50 MB move; PyTorch has a function of its own for it, which takes from 2.9 to 3.8 ms from run to run",
        "rows divided by one number without dividing, stores past the caches",
    ),
    "mixture": (
        "products, at the rate of large ones, are 0.6 of the time; 13 MB between the two halves go through memory, "
        "since each point needs all components in between",
        "products and loops in turns, a component at a time: 21 ms before; differences made again in the second half",
    ),
}
