"""A damped oscillation fitted to noisy measurements: SciPy's minimize, with its jac from dout.grad.

The model is plain NumPy, and SciPy calls it with plain arrays. Without a jac SciPy takes differences, which costs one more
evaluation of the loss for each parameter at each step, and is less exact.
"""

import numpy as np
from scipy.optimize import minimize

import dout

TRUE = np.array([2.0, 0.3, 3.0, 0.5])  # amplitude, damping, frequency, phase


def oscillation(parameters, time):
    amplitude, damping, frequency, phase = parameters
    return amplitude * np.exp(-damping * time) * np.cos(frequency * time + phase)


def main() -> None:
    rng = np.random.default_rng(0)
    time = np.linspace(0, 10, 400)
    measured = oscillation(TRUE, time) + rng.normal(0, 0.05, time.size)

    def loss(parameters):
        return np.mean((oscillation(parameters, time) - measured) ** 2)

    start = np.array([1.0, 0.1, 2.8, 0.0])
    exact = minimize(loss, start, jac=dout.grad(loss), method="BFGS")
    differences = minimize(loss, start, method="BFGS")

    print("true ", *(f"{p:.3f}" for p in TRUE))
    print("found", *(f"{p:.3f}" for p in exact.x))
    print(f"with dout.grad: {exact.nfev} evaluations of the loss and {exact.njev} of its derivative")
    print(f"with differences: {differences.nfev} evaluations of the loss")


if __name__ == "__main__":
    main()
