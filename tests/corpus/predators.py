"""Foxes and rabbits by Euler's method, collected in lists."""


def program(birth, eaten, death, growth):
    rabbits, foxes = [2.0], [1.0]
    for _ in range(25):
        r, f = rabbits[-1], foxes[-1]
        rabbits.append(r + 0.05 * (birth * r - eaten * r * f))
        foxes.append(f + 0.05 * (growth * r * f - death * f))
    return max(rabbits) * 0.1 + sum(foxes) / len(foxes)


ARGS = (1.1, 0.5, 0.6, 0.3)
