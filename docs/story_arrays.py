"""The story's second part, on arrays: from broadcasting to a network that reads digits."""

# ruff: noqa: RUF001 - Chinese punctuation

from __future__ import annotations

from story import Code, Words

ARRAYS = [
    Words(
        en="## Arrays\n\nFour examples at once, one in each row of x:",
        zh="## 数组\n\n一次处理四个样本，x 的每一行是一个：",
    ),
    Code(
        """
rng = np.random.default_rng(0)
x, W, b = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), np.zeros(2)


def affine(x, W, b):
    product = x @ W
    y = product + b
    return y


dout.see(affine, x, W, b)
""",
        picture=True,
    ),
    Words(
        en="""
An arrow has its array's shape, and its smallest, mean and largest number. A derivative always has the shape of its value.
Here y is an array, and the derivatives are those of the sum of its entries: the way back starts with a 1 for each.

b is added to each of the four rows: it is repeated on the way forward, so its four derivatives are summed (Σ) on the way
back. It is fan-out again. And a matrix product flips its inputs, too:
""",
        zh="""
箭头上写着数组的形状，以及最小值、平均值和最大值。导数的形状总是与值的形状相同。
这里 y 是数组，图中的导数是它各元素之和的导数：反向传播从每个元素各一个 1 开始。

b 加到了四行中的每一行：正向时被重复使用（广播），反向时四份导数就要相加（Σ），与前面“用了两次的值”是同一个道理。
矩阵乘法同样要翻转输入：
""",
    ),
    Code(
        """
def total(x, W, b):
    return np.sum(affine(x, W, b))


dx, dW, db = dout.grad(total, argnums=(0, 1, 2))(x, W, b)
came = np.ones((4, 2))
print(np.allclose(dx, came @ W.T), np.allclose(dW, x.T @ came), db)
"""
    ),
    Words(
        en="""
## Softmax, with the loss

Softmax makes probabilities of scores, one for each class. The loss is minus the logarithm of the right class's
probability.
""",
        zh="""
## Softmax 与损失

Softmax 把得分变成概率，每个类别一个。损失是正确类别概率的负对数。
""",
    ),
    Code(
        """
from dout.nn import Affine, SoftmaxWithLoss


def surprise(scores):
    loss = SoftmaxWithLoss()(scores, np.array([0]))
    return loss


scores = np.array([[2.0, 1.0, 0.5]])
dout.see(surprise, scores)
""",
        picture=True,
    ),
    Code(
        """
layer = SoftmaxWithLoss()
layer.forward(scores, np.array([0]))
print(layer.y)
print(dout.grad(surprise)(scores))
"""
    ),
    Words(
        en="""
The derivative is the probabilities, less 1 at the right class. To go against it is to raise the right score and to lower
the others.
""",
        zh="""
导数就是这些概率，只在正确类别处减去 1。逆着导数的方向走，正确类别的得分升高，其余的降低。
""",
    ),
    Words(
        en="""
## A network that reads digits

scikit-learn has 1,797 images of handwritten digits, 8 × 8 pixels each. We hold 360 of them back.
""",
        zh="""
## 识别手写数字的网络

scikit-learn 自带 1,797 张手写数字图像，每张 8 × 8 像素。我们留出 360 张用于测试。
""",
    ),
    Code(
        """
from sklearn.datasets import load_digits

images, digits = load_digits(return_X_y=True)
images = images / 16
held, rest = np.split(rng.permutation(len(images)), [360])

for row in images[held[0]].reshape(8, 8):
    print("".join(" .:*#"[round(4 * pixel)] * 2 for pixel in row))
"""
    ),
    Code(
        """
from dataclasses import dataclass


@dataclass
class Net:
    first: Affine
    last: Affine


def hidden(net, x):
    return dout.Relu()(net.first(x))


def loss(net, x, t):
    scores = net.last(hidden(net, x))
    return SoftmaxWithLoss()(scores, t)


net = Net(
    Affine(rng.normal(0, np.sqrt(2 / 64), (64, 50)), np.zeros(50)),
    Affine(rng.normal(0, np.sqrt(2 / 50), (50, 10)), np.zeros(10)),
)
dout.see(loss, net, images[rest[:32]], digits[rest[:32]]).show(open="none")
""",
        picture=True,
    ),
    Words(
        en="""
The function `hidden` is folded into one box; in the page above the picture it can be opened. The warning tells of units
of its Relu that are off for all 32 images, and so learn nothing from them.

Before we train: are the derivatives right?
""",
        zh="""
函数 `hidden` 折叠成了一个方框，在图上方的页面里可以打开。警告说的是：Relu 中有几个单元对这 32 张图像全都关闭，
因此从这些图像中什么也学不到。

训练之前先问一句：导数对吗？
""",
    ),
    Code("dout.check(loss, net, images[rest[:5]], digits[rest[:5]])"),
    Words(
        en="They are. Each step of the training goes a little against the derivative:",
        zh="没有问题。训练的每一步，都逆着导数的方向走一小步：",
    ),
    Code(
        """
def read(images):
    return np.argmax(net.last(hidden(net, images)), axis=-1)


print(f"{np.mean(read(images[held]) == digits[held]):.1%}")
slope_of = dout.grad(loss)
for _ in range(20):
    for batch in np.array_split(rng.permutation(rest), 45):
        slope = slope_of(net, images[batch], digits[batch])
        for layer, d in ((net.first, slope.first), (net.last, slope.last)):
            layer.W -= 0.3 * d.W
            layer.b -= 0.3 * d.b
print(f"{np.mean(read(images[held]) == digits[held]):.1%}")
"""
    ),
    Words(
        en="""
Those are the shares of the held-back images that it reads right, before and after. And the image from above?
""",
        zh="""
这是训练前后，留出的图像中识别正确的比例。前面那张图呢？
""",
    ),
    Code("print(read(images[held[0]]), digits[held[0]])"),
    Words(
        en="""
## Where to go next

- Write a function of your own in place of one of these, and look at it.
- `dout see shop.py:price apple=100 number=2 tax=1.1 --open` does so from the command line: [seeing](../docs/seeing.md).
- Write a layer of your own, and [check](../docs/checking.md) it: [layers](../docs/layers.md).
- What NumPy code can be differentiated: [NumPy](../docs/numpy.md). Derivatives of derivatives, Jacobians and more:
  [transforms](../docs/transforms.md).
""",
        zh="""
## 接下来

以下页面为英文。

- 把上面某个函数换成你自己的，看看它的图。
- 在命令行里也可以看：`dout see shop.py:price apple=100 number=2 tax=1.1 --open`，见 [seeing](../docs/seeing.md)。
- 写一个自己的层（[layers](../docs/layers.md)），再检查它（[checking](../docs/checking.md)）。
- 哪些 NumPy 代码可以求导，见 [NumPy](../docs/numpy.md)；高阶导数、雅可比矩阵等，见 [transforms](../docs/transforms.md)。
""",
    ),
]
