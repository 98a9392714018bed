"""`dout demo`: a graph that is seen, a gradient that is checked, and a network that learns to read digits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from .check import check
from .layers import Relu
from .nn import Affine, SoftmaxWithLoss
from .see import see
from .transforms import value_and_grad

EPOCHS = 20
BATCH = 32
STEP = 0.1
MOMENTUM = 0.9


def price(apple: Any, apple_num: Any, orange: Any, orange_num: Any, tax: Any) -> Any:
    """What apples and oranges cost, with tax."""
    apples = apple * apple_num
    oranges = orange * orange_num
    return (apples + oranges) * tax


@dataclass
class Net:
    """Two layers that take an image, of shape (..., 64), to a score for each of ten digits."""

    affine1: Affine
    affine2: Affine

    def scores(self, x: Any) -> Any:
        """Of shape (..., 10)."""
        return self.affine2(Relu()(self.affine1(x)))

    def parameters(self) -> list[Any]:
        """The arrays that training changes; of a derivative, which is a Net too, their derivatives."""
        return [self.affine1.W, self.affine1.b, self.affine2.W, self.affine2.b]


def loss(net: Net, x: Any, t: Any) -> Any:
    """How surprised the net is by the digits t of the images x."""
    return SoftmaxWithLoss()(net.scores(x), t)


def new_net(rng: np.random.Generator) -> Net:
    """A net with random weights, of a size that keeps the signal's size through Relu (He et al., 2015)."""

    def affine(inputs: int, outputs: int) -> Affine:
        return Affine(rng.normal(0, np.sqrt(2 / inputs), (inputs, outputs)), np.zeros(outputs))

    return Net(affine(64, 50), affine(50, 10))


def train(net: Net, x: Any, t: Any, rng: np.random.Generator, after_epoch: Callable[[float], None]) -> None:
    """Minibatch gradient descent with momentum; the net is changed in place."""
    velocities = [np.zeros_like(p) for p in net.parameters()]
    value_and_slope = value_and_grad(loss)
    for _ in range(EPOCHS):
        values = []
        for batch in np.array_split(rng.permutation(len(x)), len(x) // BATCH):
            value, slope = value_and_slope(net, x[batch], t[batch])
            values.append(value)
            for velocity, parameter, d in zip(velocities, net.parameters(), slope.parameters(), strict=True):
                velocity *= MOMENTUM
                velocity -= STEP * d
                parameter += velocity
        after_epoch(float(np.mean(values)))


def accuracy(net: Net, x: Any, t: Any) -> float:
    """The share of images whose highest score is that of their digit."""
    return float(np.mean(np.argmax(net.scores(x), axis=-1) == t))


def digits() -> tuple[Any, Any]:
    """scikit-learn's handwritten digits: images of shape (1797, 64) with values 0 to 1, and class numbers.

    Raises:
        click.ClickException: if scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise click.ClickException(
            'the digits come with scikit-learn, which is not installed: pip install "dout[demo]"'
        ) from None
    images, t = load_digits(return_X_y=True)
    return images / 16, t


def run() -> float:
    """Show it all on standard output, and give the accuracy on the held-back images.

    Raises:
        click.ClickException: if scikit-learn is not installed, or a derivative is wrong.
    """
    console = Console()

    def say(text: str = "") -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    say("1. See. Two apples at 100 and three oranges at 150, with 10% tax; value forward, <- derivative back:\n")
    say(see(price, 100, 2, 150, 3, 1.1).text())

    x, t = digits()
    rng = np.random.default_rng(0)
    order = rng.permutation(len(x))
    held, rest = np.split(order, [len(x) // 5])
    net = new_net(rng)
    say("\n2. Check. A network for handwritten digits, Affine 64-50, Relu, Affine 50-10, SoftmaxWithLoss. Are its")
    say("   derivatives right? Backpropagation (computed) against differences (numerical), on 5 images:\n")
    report = check(loss, net, x[rest[:5]], t[rest[:5]])
    say(str(report))
    if not report:
        raise click.ClickException("these derivatives are wrong, so training is called off; please report this")

    say(f"\n3. Train, on {len(rest):,} images of 8 x 8 pixels; {len(held)} others are held back.\n")
    start = time.perf_counter()
    columns = TextColumn("   epoch"), MofNCompleteColumn(), BarColumn(), TextColumn("loss {task.fields[loss]:.4f}")
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("training", total=EPOCHS, loss=np.nan)
        train(net, x[rest], t[rest], rng, lambda value: progress.update(task, advance=1, loss=value))
    seconds = time.perf_counter() - start
    share = accuracy(net, x[held], t[held])
    say(f"   {share:.1%} of the held-back images are read right, after {seconds:.1f} s of training.")

    say("\nNext, with a function or a layer of your own in a file:\n")
    say("   dout see shop.py:price apple=100 number=2 tax=1.1")
    say("   dout check shop.py:price apple=100 number=2 tax=1.1")
    return share
