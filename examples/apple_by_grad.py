"""The same apples and oranges as plain Python: no layer, and no backward order, by hand."""

import dout


def price(apple, apple_num, orange, orange_num, tax):
    apple_price = apple * apple_num
    orange_price = orange * orange_num
    return (apple_price + orange_price) * tax


def main() -> None:
    print(price(100, 2, 150, 3, 1.1))

    # A derivative needs numbers that can change a little, so floats; the numbers of fruit are no exception.
    slopes = dout.grad(price, argnums=(0, 1, 2, 3, 4))(100.0, 2.0, 150.0, 3.0, 1.1)
    print(*slopes)

    # The graph that was walked, with each edge's value and derivative. Looking takes ints as well.
    print(dout.see(price, 100, 2, 150, 3, 1.1).text())


if __name__ == "__main__":
    main()
