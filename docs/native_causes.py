"""Why a row of native-speed.md falls short: its cause, and what was tried. Written by hand after a measurement.

A row that falls short and isn't here is in the table of causes with nothing beside it.
"""

_FLOOR = "the floor: the better peer is nearer to it than the factor that is asked for leaves room"

#: Row -> cause, what was tried.
CAUSES: dict[str, tuple[str, str]] = {
    "sigmoid-100000-f8": (_FLOOR, "two threads: 0.18 ms at best, where one takes 0.22; making a thread costs 10 us"),
    "sigmoid-100000-f4": (_FLOOR, "two threads, which gain a tenth"),
    "sigmoid-4000000-f8": (_FLOOR, "two threads"),
    "sigmoid-4000000-f4": (_FLOOR, "two threads; the floor is reached"),
    "cross-entropy-f4": (
        "three passes over each row, in the cache: the greatest, the exponentials and their sum, the derivative",
        "the scatter of the labels inside the row's loop: 27 ms before, one nest without temporaries now",
    ),
    "layer-norm-f8": (
        "five passes over each row, in the cache; and the 32 MB of the result come from the "
        "system anew at every call (to fill such an array takes 6 ms, one that is there 1.3)",
        "rows kept in a room of one row each; two threads",
    ),
    "layer-norm-f4": (
        "five passes over each row, in the cache, and the derivatives of gain and bias added up row by row",
        "rows kept in a room of one row each; two threads, which halve the time",
    ),
    "network-1024": (
        "0.84 of the time are the bare products; around them the loops read and write 1 MB for each layer, and nothing is "
        "fused into a product",
        "NumPy's OpenBLAS and SciPy's, which are alike",
    ),
    "kmeans": (
        "OpenBLAS takes 2.2 of the 3.9 ms, for two products with a side of 32; torch.compile has all in 3.1",
        "differences of all points and centres, as loops without products: 13.8 ms on one thread",
    ),
    "mixture": (
        "three batches of 25 products, one after another, each on OpenBLAS' two threads, and nests that hand on 13 MB each",
        "two threads in the nests; the batch over threads with one BLAS thread each was not tried",
    ),
    "embedding-f8": (
        "52 MB of zeros are made before rows are added to them; and 102 MB of results come from the system "
        "anew at every call",
        "gather and scatter as loops over rows; np.add.at took 119 ms",
    ),
    "compile-network": ("recording takes some 17 ms, LLVM most of the rest", "-O2 in place of -O3, which halved it"),
}
