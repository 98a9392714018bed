"""How operations are written in pictures; one that isn't here goes by its name."""

SIGNS = {
    "add": "+",
    "subtract": "-",
    "multiply": "×",
    "divide": "/",
    "power": "**",
    "negative": "-",
    "positive": "+",
    "matmul": "@",
    "remainder": "%",
    "absolute": "abs",
    "getitem": "[ ]",
    "write": "[ ] =",
}

#: How they are written in circles, where there is room for a true minus, a root and a power.
DRAWN = {
    **SIGNS,
    "subtract": "−",
    "negative": "×−1",
    "reciprocal": "1/x",
    "square": "x²",
    "sqrt": "√",
    "cbrt": "∛",
    "absolute": "|x|",
    "transpose": "T",
    "conjugate": "z*",
    "write": "[ ]=",
}
