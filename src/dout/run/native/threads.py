"""Steps in pieces, over threads.

A step that can be cut is a function of a range of iterations. Threads are made for one step and end with it: there is no pool
to shut down, and nothing that a fork could break. Making and joining one costs about 20 us, so only steps of some work are cut.
Each thread takes the next iterations from a counter that they share, until none are left: a thread that is held up
by other programs gets less to do. Which thread did what makes no difference to any number.
"""

from __future__ import annotations

import ctypes
import functools
import os
from typing import Any

from . import text as ir
from .library import set_threads

#: A step is cut if it is estimated to take so many nanoseconds on one thread.
WORTH = 150_000.0
#: And so many in a program that multiplies matrices by BLAS, whose threads wait busily for some 30 ms, on the cores that others
#: would need. Measured on two cores: loops of 0.1 to 5 ms take longer in pieces, those of 10 ms a tenth less.
BESIDE_BLAS = 10_000_000.0
#: So many turns for each thread, so that all end at about the same time.
TURNS = 4
MOST = 64
_P, _LONG, _INT = ir.PointerType(), ir.IntType(64), ir.IntType(32)


def cores() -> int:
    """How many cores this process may use, but 64 at most."""
    try:
        found = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        found = os.cpu_count() or 1
    return min(found, MOST)


#: How many threads native code uses; it reads this word at each call.
_COUNT = ctypes.c_int64(cores())


def get_num_threads() -> int:
    """How many threads native code uses at most.

    Returns:
        what `set_num_threads` was given last; at first, how many cores this process may use, but 64 at most.

    Example:
        >>> import dout
        >>> dout.get_num_threads() >= 1
        True
    """
    return _COUNT.value


def set_num_threads(n: int) -> None:
    """Let native code use so many threads at most.

    What loops of `dout.jit` compute doesn't depend on it. NumPy's OpenBLAS, which multiplies matrices, is given as many
    threads: so it holds for `np.matmul`, too.

    Args:
        n: from 1 to 64.

    Raises:
        TypeError: if it is no int.
        ValueError: if it is out of range.

    Example:
        >>> import dout
        >>> before = dout.get_num_threads()
        >>> dout.set_num_threads(1)
        >>> dout.get_num_threads()
        1
        >>> dout.set_num_threads(before)
    """
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"set_num_threads: expected an int, got {n!r}")
    if not 1 <= n <= MOST:
        raise ValueError(f"set_num_threads: expected 1 to {MOST}, got {n}")
    _COUNT.value = n
    set_threads(n)


@functools.cache
def available() -> bool:
    """Whether there are threads as POSIX has them."""
    try:
        here = ctypes.CDLL(None)
        return hasattr(here, "pthread_create") and hasattr(here, "pthread_join")
    except (OSError, TypeError):  # Windows
        return False


def split(module: ir.Module, numbered: bool = False) -> ir.Function:
    """Emits what runs a step over threads: it is given the step, its table and the extent.

    It gives the greatest of what the pieces gave. With `numbered`, the step is told the number of its thread, which is less
    than that of the cores; more threads than cores then don't run.
    """
    name = "dout.split.numbered" if numbered else "dout.split"
    if name in module.globals:
        made: ir.Function = module.globals[name]
        return made
    worker = _worker(module, numbered)
    function = ir.Function(module, ir.FunctionType(_INT, [_P, _P, _LONG]), name)
    function.attributes.add("noinline")
    step, table, extent = function.args
    emitting = _Emitting(module, function)
    b = emitting.b
    job = b.alloca(_JOB, align=8)
    threads = b.alloca(_LONG, MOST)
    count = b.load(ir.Constant(_LONG, ctypes.addressof(_COUNT)).inttoptr(_P), typ=_LONG)
    count = b.select(b.icmp_signed("<", extent, count), extent, count)
    if numbered:
        most = ir.Constant(_LONG, cores())
        count = b.select(b.icmp_signed("<", most, count), most, count)
    turn = b.sdiv(extent, b.mul(count, ir.Constant(_LONG, TURNS)))
    one, zero = ir.Constant(_LONG, 1), ir.Constant(_LONG, 0)
    turn = b.select(b.icmp_signed("<", turn, one), one, turn)
    for k, value in enumerate([step, table, extent, turn, zero, zero, zero]):
        b.store(value, emitting.at(job, k))
    create = emitting.extern("pthread_create", _INT, [_P, _P, _P, _P])
    join = emitting.extern("pthread_join", _INT, [_LONG, _P])
    null = ir.Constant(_P, None)

    def start(k: Any) -> Any:
        return b.call(create, [emitting.at(threads, k), null, worker, job])

    running = emitting.counted(one, count, start)
    b.call(worker, [job])  # this thread works too, and if no other could be made, does it all
    emitting.counted(one, running, lambda k: b.call(join, [b.load(emitting.at(threads, k), typ=_LONG), null]))
    b.ret(b.trunc(b.load(emitting.at(job, 5), typ=_LONG), _INT))
    return function


#: What threads share: the step, its table, the extent, how many iterations a turn has, the next one, the worst status, and
#: how many threads have begun.
_JOB = ir.ArrayType(_LONG, 7)


def _worker(module: ir.Module, numbered: bool) -> ir.Function:
    """What a thread does: turn after turn."""
    name = "dout.worker.numbered" if numbered else "dout.worker"
    function = ir.Function(module, ir.FunctionType(_P, [_P]), name)
    function.linkage = "internal"
    emitting = _Emitting(module, function)
    b, job = emitting.b, function.args[0]
    step, table = (b.load(emitting.at(job, k), typ=_P) for k in (0, 1))
    extent, turn = (b.load(emitting.at(job, k), typ=_LONG) for k in (2, 3))
    number = [b.atomic_rmw("add", emitting.at(job, 6), ir.Constant(_LONG, 1), "monotonic")] if numbered else []
    kind = ir.FunctionType(_INT, [_P, _LONG, _LONG, *[_LONG for _ in number]])
    again, work, done = (function.append_basic_block(n) for n in ("again", "work", "done"))
    b.branch(again)
    b.position_at_end(again)
    begin = b.atomic_rmw("add", emitting.at(job, 4), turn, "monotonic")
    b.cbranch(b.icmp_signed("<", begin, extent), work, done)
    b.position_at_end(work)
    end = b.add(begin, turn)
    end = b.select(b.icmp_signed("<", end, extent), end, extent)
    status = b.call(step, [table, begin, end, *number], fnty=kind)
    b.atomic_rmw("max", emitting.at(job, 5), b.zext(status, _LONG), "monotonic")
    b.branch(again)
    b.position_at_end(done)
    b.ret(ir.Constant(_P, None))
    return function


class _Emitting:
    """A few words that both functions need."""

    def __init__(self, module: ir.Module, function: ir.Function) -> None:
        self.module = module
        self.function = function
        self.b = ir.IRBuilder(function.append_basic_block("entry"))

    def at(self, base: Any, k: Any) -> Any:
        """The k-th word from there."""
        place = k if isinstance(k, ir.Value) else ir.Constant(_LONG, k)
        return self.b.gep(base, [place], source_etype=_LONG)

    def extern(self, name: str, result: Any, args: list[Any]) -> Any:
        return self.module.globals.get(name) or ir.Function(self.module, ir.FunctionType(result, args), name)

    def counted(self, start: Any, stop: Any, body: Any) -> Any:
        """`for k in range(start, stop)`, until the body gives something other than 0; how far it came."""
        b = self.b
        before = b.block
        test, work, onwards, end = (self.function.append_basic_block(n) for n in ("test", "work", "onwards", "end"))
        b.branch(test)
        b.position_at_end(test)
        k = b.phi(_LONG)
        k.add_incoming(start, before)
        b.cbranch(b.icmp_signed("<", k, stop), work, end)
        b.position_at_end(work)
        b.cbranch(b.icmp_unsigned("==", body(k), ir.Constant(_INT, 0)), onwards, end)
        b.position_at_end(onwards)
        k.add_incoming(b.add(k, ir.Constant(_LONG, 1)), b.block)
        b.branch(test)
        b.position_at_end(end)
        return k
