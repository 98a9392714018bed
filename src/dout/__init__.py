"""dout: backpropagation that you can see, check and run at machine speed, on plain NumPy code."""

from .transforms import grad, hessian, hvp, jacobian, jvp, stop_gradient, value_and_grad, vjp
from .variable import Variable

__version__ = "0.1.0"
