"""Why a row of native-speed.md falls short: its cause, and what was tried. Written by hand after a measurement.

A row that falls short and isn't here is in the table of causes with nothing beside it.
"""

_FLOOR = "the floor: the better peer is nearer to it than the factor that is asked for leaves room"

#: Row -> cause, what was tried.
CAUSES: dict[str, tuple[str, str]] = {
    "sigmoid-4000000-f8": (
        _FLOOR,
        "results in memory that is kept, written past the caches; memory asked for before it is read (0.82 of the time): "
        "below what is called the floor. torch.compile takes from 10.8 to 24.4 ms from run to run",
    ),
    "sigmoid-4000000-f4": (
        _FLOOR,
        "results in memory that is kept, written past the caches; memory asked for before it is read: no gain here. About what "
        "is called the floor",
    ),
    "layer-norm-f4": (
        "PyTorch's own function for it takes from 2.6 to 3.8 ms from run to run, this from 1.22 to 1.32 ms: 0.455 to 0.523 of "
        "the better peer; twice as fast as PyTorch is 1.2 of the floor",
        "rows divided without dividing, sums before the divisions, the next row asked for ahead, stores past the caches: "
        "1.64 ms before",
    ),
}
