"""Runs a plan step by step, each nest by its own native function: so that fusion and emission are tested alone."""

from __future__ import annotations

import ctypes
from dataclasses import replace

import numpy as np

from dout.passes.nests import planned
from dout.passes.plan import Call, Group, Nest, Product
from dout.passes.verifying import verify
from dout.run.native import text as ir
from dout.run.native.emit import Emission
from dout.run.native.engine import Code
from dout.run.native.scalars import KINDS, kind

#: Plans with larger buffers aren't followed entry by entry.
LARGEST = 1000


def run(program, inputs, products=True):
    """The results of a program, or None if a check broke; and its plan."""
    plan = planned(program, kind, KINDS, products)
    plan.steps = [inner for step in plan.steps for inner in (step.steps if isinstance(step, Group) else [step])]
    if all(np.prod(b.shape) <= LARGEST for b in plan.buffers.values()):
        verify(plan)
    module = ir.Module("program")
    slots = {b: k for k, b in enumerate(plan.buffers)}
    for n, step in enumerate(plan.steps):
        if isinstance(step, Nest):
            Emission(plan, step, slots, module, f"step{n}")
    code = Code(str(module))
    found = {i: given(value, inputs) for i, value in enumerate(plan.program.values) if value.op is None}
    memory = {}
    for b, buffer in plan.buffers.items():
        if found.get(b) is not None:
            memory[b] = np.ascontiguousarray(found[b], buffer.dtype).reshape(buffer.shape)
        else:
            memory[b] = np.full(buffer.shape, 77, buffer.dtype)
    table = (ctypes.c_void_p * max(len(slots), 1))(*[memory[b].ctypes.data for b in plan.buffers])
    for n, step in enumerate(plan.steps):
        if isinstance(step, Call):
            value = plan.program.values[step.value]
            args = [memory[a] if a in memory else found[a] for a in value.args]
            args = [a if plan.program.values[v].shape or plan.program.values[v].array else scalar(a)
                    for a, v in zip(args, value.args, strict=True)]  # fmt: skip
            found[step.value] = value.op.forward(*args, **value.params)
            if step.value in memory:
                memory[step.value][...] = found[step.value]
        elif isinstance(step, Nest):
            signature = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
            function = signature(code.address(f"step{n}"))
            middle = step.extent // 2 if step.parallel else step.extent
            for begin, end in ((middle, step.extent), (0, middle)) if step.parallel else ((0, step.extent),):
                if begin < end and function(ctypes.addressof(table), begin, end):
                    return None, plan
        else:
            assert isinstance(step, Product)
            if step.pieces:
                each = -(-step.k // step.pieces)
                for n in range(step.pieces):
                    memory[step.parts][n] = product(part(step, n * each, min(step.k, (n + 1) * each)), memory)
            else:
                memory[step.value][...] = product(step, memory)
    values = plan.program.values
    results = [memory[i] if i in memory else np.asarray(found[i]) for i in program.outputs]
    return [r if values[i].array else r[()] for r, i in zip(results, program.outputs, strict=True)], plan


def scalar(x):
    return x[()] if isinstance(x, np.ndarray) and not x.ndim else x


def given(value, inputs):
    return inputs[value.input] if value.input is not None else value.constant


def part(step, begin, end):
    """A product that adds up over some of its entries only."""
    a = replace(step.a, offset=step.a.offset + begin * step.a.strides[-1])
    b = replace(step.b, offset=step.b.offset + begin * step.b.strides[-2])
    return replace(step, a=a, b=b, k=end - begin)


def product(step, memory):
    def matrices(r, shape):
        flat = memory[r.value].reshape(-1)[r.offset :]
        strides = [s * flat.itemsize for s in r.strides]
        return np.lib.stride_tricks.as_strided(flat, (*step.batch, *shape), strides)

    out = np.matmul(matrices(step.a, (step.m, step.k)), matrices(step.b, (step.k, step.n)))
    return out.reshape(memory[step.value].shape)
