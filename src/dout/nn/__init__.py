"""Neural networks from layers that know forward and backward: `import dout.nn`."""

from .layers import Affine
from .losses import SoftmaxWithLoss

__all__ = ["Affine", "SoftmaxWithLoss"]
