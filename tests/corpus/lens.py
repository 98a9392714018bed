"""How sharply a lens of two spherical faces focuses parallel rays, by Snell's law."""

import numpy as np

HEIGHTS = np.linspace(0.1, 0.8, 6)


def refract(height, angle, radius, before, after):
    normal = np.arcsin(height / radius)
    return np.arcsin(before / after * np.sin(angle + normal)) - normal


def program(front, back, thickness, glass):
    inside = refract(HEIGHTS, np.zeros(6), front, 1.0, glass)
    height = HEIGHTS + thickness * np.tan(inside)
    outside = refract(height, inside, -back, glass, 1.0)
    focus = -height / np.tan(outside)
    return np.var(focus) + 0.1 * np.mean(focus)


ARGS = (3.0, 4.0, 0.3, 1.5)
