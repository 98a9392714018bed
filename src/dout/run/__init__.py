"""Running programs: with NumPy (`interpret`), and as native code (`native`)."""
