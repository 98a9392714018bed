"""Two apples and tax, wired by hand: forward through the layers, backward through them in the opposite order."""

from dout import MulLayer


def main() -> None:
    apple, apple_num, tax = 100, 2, 1.1

    mul_apple = MulLayer()
    mul_tax = MulLayer()

    apple_price = mul_apple.forward(apple, apple_num)
    price = mul_tax.forward(apple_price, tax)
    print(price)

    dprice = 1
    dapple_price, dtax = mul_tax.backward(dprice)
    dapple, dapple_num = mul_apple.backward(dapple_price)
    print(dapple, dapple_num, dtax)


if __name__ == "__main__":
    main()
