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
