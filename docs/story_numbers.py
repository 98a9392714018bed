"""The story's first part, on numbers: from one multiplication to layers, right and wrong."""

# ruff: noqa: RUF001 - Chinese punctuation

from __future__ import annotations

from story import Code, Words

NUMBERS = [
    Words(
        en="""
# Backpropagation, seen

English · [中文](backprop.zh-CN.ipynb)

From one multiplication to a network that reads handwritten digits. `dout` makes each picture from the code above it:

- A solid arrow carries a **value** forward. It is written above the arrow.
- A dashed arrow carries a **derivative** back. It is written below the arrow.

Here the pictures stand still. Run the cells in JupyterLab, and there is a line above each picture. It opens a page
where you go through the picture step by step, and move its inputs with sliders. In a clone of this repository:

```sh
pip install -e ".[demo]" jupyterlab
jupyter lab examples/backprop.ipynb
```
""",
        zh="""
# 看得见的反向传播

[English](backprop.ipynb) · 中文

从一次乘法讲起，一直讲到能识别手写数字的网络。每张图都由 `dout` 根据它上面的代码画成：

- 实线箭头正向传递**值**，写在箭头上方。
- 虚线箭头反向传递**导数**，写在箭头下方。

这里看到的图是静止的。在 JupyterLab 中运行各个单元格后，每张图的上方会多出一行字，点开就是一个页面：
可以一步一步地看，也可以拖动滑块改变输入。在本仓库的克隆中：

```sh
pip install -e ".[demo]" jupyterlab
jupyter lab examples/backprop.zh-CN.ipynb
```
""",
    ),
    Code(
        """
import os

import numpy as np

import dout

os.environ["DOUT_LANG"] = "{lang}"
"""
    ),
    Words(en="## One multiplication", zh="## 一次乘法"),
    Code(
        """
def multiply(x, y):
    z = x * y
    return z


dout.see(multiply, 10.0, 5.0)
""",
        picture=True,
    ),
    Words(
        en="""
Forward: 10 × 5 = 50.

Back: the derivative says how much z grows for each 1 that an input grows. Add 1 to x, and z grows by 5, which is y. Add
1 to y, and z grows by 10, which is x. A multiplication sends back what came to it, times *the other input*: the inputs
are **flipped**.

What came to it here is the 1 at the right, where the way back starts.
""",
        zh="""
正向：10 × 5 = 50。

反向：导数表示某个输入每增加 1，z 增加多少。x 加 1，z 增加 5，正好是 y；y 加 1，z 增加 10，正好是 x。
乘法把上游传来的导数乘以**另一个输入**，再往回传：两个输入互换位置，也就是乘以**翻转值**。

这里上游传来的是最右边的 1，反向传播就从它开始。
""",
    ),
    Words(en="## One addition", zh="## 一次加法"),
    Code(
        """
def add(x, y):
    z = x + y
    return z


dout.see(add, 10.0, 5.0)
""",
        picture=True,
    ),
    Words(
        en="Add 1 to either input, and z grows by 1. An addition sends back what came to it, **unchanged**.",
        zh="哪个输入加 1，z 都增加 1。加法把上游传来的导数**原样**传回。",
    ),
    Words(
        en="## Two apples and tax\n\nAn apple costs 100. We buy two, and pay 10% tax.",
        zh="## 两个苹果和消费税\n\n一个苹果 100 元，买两个，消费税 10%。",
    ),
    Code(
        """
def price(apple, number, tax):
    apples = apple * number
    price = apples * tax
    return price


dout.see(price, 100, 2, 1.1)
""",
        picture=True,
    ),
    Words(
        en="""
Read the dashed arrows from right to left. The second multiplication sends back 1 × 1.1 and 1 × 200. The first one gets
the 1.1, and sends back 1.1 × 2 = 2.2 and 1.1 × 100 = 110.

So if an apple costs 1 more, we pay 2.2 more. If we buy one more, we pay 110 more.
""",
        zh="""
从右往左看虚线箭头。第二个乘法传回 1 × 1.1 和 1 × 200；第一个乘法收到其中的 1.1，传回 1.1 × 2 = 2.2 和 1.1 × 100 = 110。

也就是说，苹果每个贵 1 元，总价就多 2.2 元；多买一个，总价就多 110 元。
""",
    ),
    Words(en="## Apples and oranges", zh="## 苹果和橘子"),
    Code(
        """
def price(apple, apple_number, orange, orange_number, tax):
    apples = apple * apple_number
    oranges = orange * orange_number
    fruit = apples + oranges
    price = fruit * tax
    return price


dout.see(price, 100, 2, 150, 3, 1.1)
""",
        picture=True,
    ),
    Words(
        en="The addition hands its 1.1 to both sides. `dout.grad` gives the derivatives without the picture:",
        zh="加法把 1.1 同时传给两边。如果只要导数、不要图，用 `dout.grad`：",
    ),
    Code("dout.grad(price, argnums=(0, 1, 2, 3, 4))(100.0, 2.0, 150.0, 3.0, 1.1)"),
    Words(en="## One value, used twice", zh="## 用了两次的值"),
    Code(
        """
def square(x):
    y = x * x
    return y


dout.see(square, 3.0)
""",
        picture=True,
    ),
    Words(
        en="""
Two arrows leave x, because x goes into the multiplication twice. Where derivatives meet, they are **added**:
3 + 3 = 6, which is 2x.
""",
        zh="""
x 两次进入乘法，所以有两条箭头从 x 出发。几个导数汇合时要**相加**：3 + 3 = 6，也就是 2x。
""",
    ),
    Words(en="## A chain", zh="## 链式法则"),
    Code(
        """
def chain(x):
    a = 3 * x
    b = a + 1
    y = b**2
    return y


picture = dout.see(chain, 2.0)
picture
""",
        picture=True,
    ),
    Words(
        en="""
Each operation knows only its own derivative, the local one. What comes to it from the right is the derivative from
upstream. It sends back **upstream × local**. That is the chain rule, and backpropagation is nothing else. In steps:
""",
        zh="""
每个运算只需要知道自己的导数，即局部导数。从右边传来的是上游导数，往回传的是**上游导数 × 局部导数**。
这就是链式法则，反向传播不过如此。一步一步写出来：
""",
    ),
    Code("print(picture.text(steps=True))"),
    Words(
        en="""
## Layers, by hand

A layer knows two things: forward and backward. On the way forward it remembers what it will need on the way back.
""",
        zh="""
## 手写的层

一个层只需要知道两件事：forward 和 backward。正向传播时，它记住反向传播要用到的东西。
""",
    ),
    Code(
        """
class Multiply:
    def forward(self, x, y):
        self.x = x
        self.y = y
        return x * y

    def backward(self, dout):
        return dout * self.y, dout * self.x


fruit_layer, tax_layer = Multiply(), Multiply()
fruit = fruit_layer.forward(100, 2)
print(tax_layer.forward(fruit, 1.1))

dfruit, dtax = tax_layer.backward(1)
dapple, dnumber = fruit_layer.backward(dfruit)
print(dapple, dnumber, dtax)
"""
    ),
    Words(
        en="""
We called backward in the opposite order of forward. If the layers are called instead, they find that order themselves:
""",
        zh="""
backward 的调用顺序与 forward 相反，这里是我们自己安排的。如果把层当作函数来调用，顺序就不用自己管了：
""",
    ),
    Code(
        """
def price(apple, number, tax):
    multiply = dout.layer(Multiply())
    return multiply(multiply(apple, number), tax)


dout.see(price, 100, 2, 1.1)
""",
        picture=True,
    ),
    Words(
        en="""
The derivatives in this picture come from the `backward` above. One object is used twice here, and each call remembers its
own inputs.
""",
        zh="""
这张图里的导数，就是用上面那个 `backward` 算出来的。这里同一个对象用了两次，每次调用各记各的输入。
""",
    ),
    Words(
        en="## Relu\n\nRelu lets what is above 0 pass, and makes 0 of the rest.",
        zh="## Relu\n\n大于 0 的值，Relu 原样放行；其余的变成 0。",
    ),
    Code(
        """
def relu(x):
    y = dout.Relu()(x)
    return y


dout.see(relu, 2.5)
""",
        picture=True,
    ),
    Code("dout.see(relu, -1.5)", picture=True),
    Words(
        en="On the way back it does the same: open where x was above 0, shut elsewhere.",
        zh="反向传播时也一样：x 大于 0，导数原样通过；否则导数为 0。",
    ),
    Words(
        en="## Sigmoid, opened and closed\n\ny = 1 / (1 + exp(−x)) is four operations:",
        zh="## 打开和合上的 Sigmoid\n\ny = 1 / (1 + exp(−x)) 由四个运算组成：",
    ),
    Code(
        """
def sigmoid(x):
    return dout.Sigmoid()(x)


picture = dout.see(sigmoid, 0.5)
picture.show(open="all", formulas=True)
""",
        picture=True,
    ),
    Words(
        en="""
Below each derivative stands its formula. There, x and y are what goes into that one operation and what comes out. Closed,
the four are one layer:
""",
        zh="每个导数下方是它的公式，其中的 x 和 y 是这一个运算自己的输入和输出。合上之后，四个运算就是一个层：",
    ),
    Code("picture.show(formulas=True)", picture=True),
    Words(
        en="""
It is the same number by two formulas: y² · exp(−x) = y · (1 − y). The second one needs only the output y, and that is
all that `Sigmoid` remembers.
""",
        zh="""
两个公式，得数相同：y² · exp(−x) = y · (1 − y)。后一个公式只用到输出 y，所以 `Sigmoid` 只需记住 y。
""",
    ),
    Words(
        en="## A wrong layer\n\nThis `backward` has forgotten the factor 1 − y.",
        zh="## 一个写错的层\n\n这个 `backward` 漏掉了因子 1 − y。",
    ),
    Code(
        """
class MySigmoid:
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout):
        return dout * self.out


dout.check(MySigmoid(), np.array([-1.0, 0.5, 2.0]))
"""
    ),
    Words(
        en="""
`dout.check` moves each input by a little, and looks at what becomes of the output. A picture made with `numerical=True`
does the same for each of its arrows:
""",
        zh="""
`dout.check` 把每个输入改动一点点，看输出怎样变化，这就是数值微分。画图时加上 `numerical=True`，图中每条箭头都会这样检查：
""",
    ),
    Code(
        """
def neuron(w, x, b, target):
    s = w * x + b
    y = dout.layer(MySigmoid())(s)
    loss = (y - target) ** 2
    return loss


dout.see(neuron, 1.5, 0.8, -0.4, 1.0, numerical=True)
""",
        picture=True,
    ),
    Words(
        en="""
The layer is marked, and so are the inputs whose derivatives it spoils. What lies to its right is fine.
""",
        zh="""
出错的层标了出来，被它带错的几个输入也标了出来。它右边的导数都没有问题。
""",
    ),
]
