"""A layer with a mistake: its backward forgets to flip the inputs. `dout.check` finds it, and says so."""

import dout


class Multiply:
    def forward(self, x, y):
        self.x = x
        self.y = y
        return x * y

    def backward(self, dout):
        return dout * self.x, dout * self.y


def main() -> None:
    print(dout.check(Multiply(), 2.0, 5.0))


if __name__ == "__main__":
    main()
