"""Apples, oranges and tax, wired by hand from four layers."""

from dout import AddLayer, MulLayer


def main() -> None:
    apple, apple_num, orange, orange_num, tax = 100, 2, 150, 3, 1.1

    mul_apple = MulLayer()
    mul_orange = MulLayer()
    add_fruit = AddLayer()
    mul_tax = MulLayer()

    apple_price = mul_apple.forward(apple, apple_num)
    orange_price = mul_orange.forward(orange, orange_num)
    fruit_price = add_fruit.forward(apple_price, orange_price)
    price = mul_tax.forward(fruit_price, tax)
    print(price)

    dprice = 1
    dfruit_price, dtax = mul_tax.backward(dprice)
    dapple_price, dorange_price = add_fruit.backward(dfruit_price)
    dorange, dorange_num = mul_orange.backward(dorange_price)
    dapple, dapple_num = mul_apple.backward(dapple_price)
    print(dapple, dapple_num, dorange, dorange_num, dtax)


if __name__ == "__main__":
    main()
