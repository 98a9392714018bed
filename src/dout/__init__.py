"""dout: backpropagation that you can see and check, on plain NumPy code."""

from .check import check
from .checkpointing import checkpoint
from .jacobians import hessian, jacobian
from .jit import jit
from .layers import AddLayer, Layer, MulLayer, Relu, Sigmoid
from .run.native.threads import get_num_threads, set_num_threads
from .see import see
from .trace import trace
from .transforms import grad, hvp, jvp, stop_gradient, value_and_grad, vjp
from .variable import Variable
from .vmap import vmap
from .wiring import layer

__version__ = "0.1.0"

__all__ = [
    "AddLayer", "Layer", "MulLayer", "Relu", "Sigmoid", "Variable", "check", "checkpoint", "get_num_threads", "grad",
    "hessian", "hvp", "jacobian", "jit", "jvp", "layer", "see", "set_num_threads", "stop_gradient", "trace",
    "value_and_grad", "vjp", "vmap",
]  # fmt: skip
