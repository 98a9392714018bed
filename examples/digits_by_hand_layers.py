"""Handwritten digits with layers called by hand: forward through the list, backward through it reversed.

Each layer leaves the derivatives of its own parameters with itself, in dW and db. `dout demo` trains the same network
with dout.value_and_grad instead.
"""

import numpy as np
from sklearn.datasets import load_digits

from dout import Relu
from dout.nn import Affine, SoftmaxWithLoss


def main() -> None:
    rng = np.random.default_rng(0)
    images, digits = load_digits(return_X_y=True)
    images = images / 16
    held, rest = np.split(rng.permutation(len(images)), [len(images) // 5])

    layers = [
        Affine(rng.normal(0, np.sqrt(2 / 64), (64, 50)), np.zeros(50)),
        Relu(),
        Affine(rng.normal(0, np.sqrt(2 / 50), (50, 10)), np.zeros(10)),
    ]
    last = SoftmaxWithLoss()

    def scores(x):
        for layer in layers:
            x = layer.forward(x)
        return x

    for _ in range(40):
        for batch in np.array_split(rng.permutation(rest), len(rest) // 32):
            last.forward(scores(images[batch]), digits[batch])
            dout, _ = last.backward(1)
            for layer in reversed(layers):
                dout = layer.backward(dout)
            for layer in (layers[0], layers[2]):
                layer.W -= 0.3 * layer.dW
                layer.b -= 0.3 * layer.db

    right = np.mean(np.argmax(scores(images[held]), axis=-1) == digits[held])
    print(f"{right:.1%} of {len(held)} held-back images are read right")


if __name__ == "__main__":
    main()
