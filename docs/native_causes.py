"""Why a row of native-speed.md falls short: its cause, and what was tried. Written by hand after a measurement.

A row that falls short and isn't here is in the table of causes with nothing beside it.
"""

_FLOOR = "the floor: the better peer is nearer to it than the factor that is asked for leaves room"

#: Row -> cause, what was tried.
CAUSES: dict[str, tuple[str, str]] = {
    "sigmoid-100000-f8": (_FLOOR, "two threads: 0.18 ms at best, where one takes 0.22; making a thread costs 10 us"),
    "sigmoid-100000-f4": (_FLOOR, "two threads, which gain a tenth"),
    "sigmoid-4000000-f8": (
        _FLOOR,
        "results in memory that is kept, written past the caches: less than what is called the floor",
    ),
    "sigmoid-4000000-f4": (
        _FLOOR,
        "results in memory that is kept, written past the caches: less than what is called the floor",
    ),
    "cross-entropy-f8": (
        "four passes over each row, in the cache: the greatest; the exponentials and their sum; the derivative and its sum; "
        "and the share of the greatest in it, which is all rounding but not left out",
        "kept memory, stores past the caches, counts half as wide; rows asked for ahead and masks made again, which "
        "gained nothing",
    ),
    "cross-entropy-f4": (
        "as in float64; 0.3 of its 0.76 ns an entry and thread are the exponential",
        "kept memory, stores past the caches, counts half as wide; rows asked for ahead and masks made again, which "
        "gained nothing",
    ),
    "network-1024": (
        "0.85 of the time are the two large products, on OpenBLAS; three products with a side of 10 take 0.2 to 0.3 ms "
        "there, and the loops between read and write 1 MB for each layer",
        "NumPy's OpenBLAS and SciPy's, which are alike; products with a side of 10 in tiles, which by themselves take "
        "0.16 ms and not 0.2",
    ),
    "mixture": (
        "products, at the rate of large ones, are 0.6 of the time; 13 MB between the two halves go through memory, "
        "since each point needs all components in between",
        "products and loops in turns, a component at a time: 21 ms before; differences made again in the second half",
    ),
    "compile-network": ("LLVM takes some 80 of the 100 ms", "-O2 in place of -O3, which halved it"),
}
