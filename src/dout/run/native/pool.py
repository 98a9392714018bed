"""Threads that wait for steps to be run in pieces.

A thread is made when it is first needed, and stays: after a step it looks for the next for 0.1 ms, then it sleeps. (One that is
made anew for each step mostly begins on the processor that is at work already. Measured on two cores: 0.2 ms of work
then take 0.21 ms on two threads, and 0.11 with threads that stay.) Each takes the next iterations from a counter that all
share, until none are left: a thread that is held up by other programs gets less to do. One that hasn't woken up when all is
done isn't waited for.

Threads serve one step at a time. Where a second thread of Python's has one meanwhile, it runs that by itself. Whoever is forked
has no threads, and begins anew.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
from collections.abc import Callable
from typing import Any

from . import text as ir
from .counting import between
from .engine import Code, define

#: So many turns for each thread, so that all end at about the same time.
TURNS = 4
#: So often a thread looks whether there is more to do before it sleeps: some 0.1 ms, a few times what waking it takes.
BUSILY = 1_000
_PAUSES = {"x86_64": "llvm.x86.sse2.pause", "amd64": "llvm.x86.sse2.pause"}
#: How functions that run a step over threads are called; the second tells the step the number of its thread.
NAMES = ("dout.split", "dout.split.numbered")
_P, _LONG, _INT, _BYTE = ir.PointerType(), ir.IntType(64), ir.IntType(32), ir.IntType(8)
_VOID = ir.VoidType()
#: What of POSIX's is called.
USED = (
    "pthread_create", "pthread_detach", "pthread_mutex_init", "pthread_mutex_lock", "pthread_mutex_unlock",
    "pthread_cond_init", "pthread_cond_wait", "pthread_cond_signal", "pthread_cond_broadcast",
)  # fmt: skip
#: What is shared: a mutex, two conditions, and words: whether the threads are taken, how many there are, how many more may
#: join in the step that is being run, how many have and aren't done, and where the job is.
_ROOM = 128  # more than a mutex or a condition takes anywhere
_MUTEX, _MORE, _DONE, _WORDS = 0, _ROOM, 2 * _ROOM, 3 * _ROOM
_TAKEN, _MADE, _OPEN, _RUNNING, _JOB_AT = range(5)
#: A job: the step, its table, the extent, how many iterations a turn has, the next one, the worst status, how many threads have
#: begun, and the function that they run.
_STEP, _TABLE, _EXTENT, _TURN, _NEXT, _STATUS, _BEGUN, _WORKER = range(8)
_JOB = ir.ArrayType(_LONG, 8)


class Pool:
    """The threads of this process. What they stand in is never let go.

    Attributes:
        addresses: where the functions are that run a step, by name: `int split(step, table, extent)` gives the greatest of
            what the pieces gave.
    """

    def __init__(self, count: int, cores: int) -> None:
        self.state = state = (ctypes.c_int64 * ((_WORDS + 128) // 8))()
        self.code = code = Code(module_text(ctypes.addressof(state), count, cores), quick=True)
        self.addresses = {name: code.address(name) for name in NAMES}
        self._reset = ctypes.CFUNCTYPE(None)(code.address("dout.pool.reset"))
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))
        self.reset()
        for name, address in self.addresses.items():
            define(name, address)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.reset)

    def reset(self) -> None:
        """Begin without threads."""
        ctypes.memset(self.state, 0, ctypes.sizeof(self.state))
        self._reset()


@functools.cache
def pool(count: int, cores: int) -> Pool:
    """The one of this process.

    Args:
        count: where the word is that says how many threads may work.
        cores: what that is at most for steps that are told the number of their thread.
    """
    return Pool(count, cores)


def module_text(state: int, count: int, cores: int) -> str:
    """The text of all functions."""
    module = ir.Module("pool")
    reset = _Emitting(module, "dout.pool.reset", _VOID, [], state)
    reset.call("pthread_mutex_init", reset.room(_MUTEX), _null())
    for condition in (_MORE, _DONE):
        reset.call("pthread_cond_init", reset.room(condition), _null())
    reset.b.ret_void()
    helper = _helper(module, state)
    for name, numbered in zip(NAMES, (False, True), strict=True):
        worker = _worker(module, numbered)
        _split(module, name, worker, helper, state, count, cores if numbered else 0)
    return str(module)


def _null() -> Any:
    return ir.Constant(_P, None)


def _long(n: int) -> Any:
    return ir.Constant(_LONG, n)


class _Emitting:
    """A function, and a few words to write it with."""

    def __init__(self, module: ir.Module, name: str, result: Any, takes: list[Any], state: int = 0) -> None:
        self.module, self.state = module, state
        self.function = ir.Function(module, ir.FunctionType(result, takes), name)
        self.b = ir.IRBuilder(self.function.append_basic_block("entry"))

    def room(self, offset: int) -> Any:
        """A place in what is shared."""
        return _long(self.state + offset).inttoptr(_P)

    def shared(self, k: int) -> Any:
        """A word of what is shared."""
        return self.room(_WORDS + 8 * k)

    def word(self, place: Any) -> Any:
        """What a word says now."""
        return self.b.load(place, typ=_LONG, volatile=True)

    def change(self, k: int, by: int) -> None:
        """Add to a shared word."""
        self.b.store(self.b.add(self.word(self.shared(k)), _long(by)), self.shared(k))

    def at(self, base: Any, k: int) -> Any:
        """The k-th word from there."""
        return self.b.gep(base, [_long(k)], source_etype=_LONG)

    def call(self, name: str, *args: Any) -> Any:
        """A function of POSIX's, of pointers."""
        kind = ir.FunctionType(_INT, [_P] * len(args))
        return self.b.call(self.module.globals.get(name) or ir.Function(self.module, kind, name), list(args))

    def lock(self) -> None:
        """Nobody else changes what is shared."""
        self.call("pthread_mutex_lock", self.room(_MUTEX))

    def unlock(self) -> None:
        """Others may."""
        self.call("pthread_mutex_unlock", self.room(_MUTEX))

    def wait(self, condition: int, is_it: Callable[[], Any]) -> None:
        """Until it is so, with what is shared locked before and after: busily for a while, then asleep."""
        b = self.b
        turn = b.alloca(_LONG)
        b.store(_long(0), turn)

        def look() -> None:
            if pause := _PAUSES.get(platform.machine().lower()):
                b.call(self.module.declare_intrinsic(pause, (), ir.FunctionType(_VOID, [])), [])
            b.store(b.add(self.word(turn), _long(1)), turn)

        def sleep() -> None:
            self.call("pthread_cond_wait", self.room(condition), self.room(_MUTEX))

        self.unlock()
        self.again(lambda: b.and_(b.not_(is_it()), b.icmp_signed("<", self.word(turn), _long(BUSILY))), look)
        self.lock()
        self.again(lambda: b.not_(is_it()), sleep)

    def when(self, condition: Any, body: Callable[[], Any]) -> None:
        """`if condition: body()`."""
        then, after = self.function.append_basic_block("then"), self.function.append_basic_block("after")
        self.b.cbranch(condition, then, after)
        self.b.position_at_end(then)
        body()
        self.b.branch(after)
        self.b.position_at_end(after)

    def again(self, condition: Callable[[], Any], body: Callable[[], None]) -> None:
        """`while condition(): body()`."""
        test, work, end = (self.function.append_basic_block(n) for n in ("test", "work", "end"))
        self.b.branch(test)
        self.b.position_at_end(test)
        self.b.cbranch(condition(), work, end)
        self.b.position_at_end(work)
        body()
        self.b.branch(test)
        self.b.position_at_end(end)


def _worker(module: ir.Module, numbered: bool) -> ir.Function:
    """`worker(job)`: turn after turn, until none are left."""
    e = _Emitting(module, "dout.pool.numbered" if numbered else "dout.pool.worker", _VOID, [_P])
    b, job = e.b, e.function.args[0]
    step, table = (b.load(e.at(job, k), typ=_P) for k in (_STEP, _TABLE))
    extent, turn = e.word(e.at(job, _EXTENT)), e.word(e.at(job, _TURN))
    number = [b.atomic_rmw("add", e.at(job, _BEGUN), _long(1), "monotonic")] if numbered else []
    kind = ir.FunctionType(_INT, [_P, _LONG, _LONG, *[_LONG for _ in number]])
    place = b.alloca(_LONG)

    def is_more() -> Any:
        b.store(b.atomic_rmw("add", e.at(job, _NEXT), turn, "monotonic"), place)
        return b.icmp_signed("<", e.word(place), extent)

    def work() -> None:
        begin = e.word(place)
        end = b.add(begin, turn)
        end = b.select(b.icmp_signed("<", end, extent), end, extent)
        status = b.call(step, [table, begin, end, *number], fnty=kind)
        b.atomic_rmw("max", e.at(job, _STATUS), b.zext(status, _LONG), "monotonic")

    e.again(is_more, work)
    b.ret_void()
    return e.function


def _helper(module: ir.Module, state: int) -> ir.Function:
    """`helper(nothing)`: what a thread does all its life."""
    e = _Emitting(module, "dout.pool.helper", _P, [_P], state)
    b = e.b
    e.lock()

    def serve() -> None:
        e.wait(_MORE, lambda: b.icmp_signed(">", e.word(e.shared(_OPEN)), _long(0)))
        e.change(_OPEN, -1)
        e.change(_RUNNING, 1)
        job = b.load(e.shared(_JOB_AT), typ=_P)
        e.unlock()
        b.call(b.load(e.at(job, _WORKER), typ=_P), [job], fnty=ir.FunctionType(_VOID, [_P]))
        e.lock()
        e.change(_RUNNING, -1)
        last = b.icmp_signed("==", e.word(e.shared(_RUNNING)), _long(0))
        e.when(last, lambda: e.call("pthread_cond_signal", e.room(_DONE)))

    e.again(lambda: ir.Constant(ir.IntType(1), 1), serve)
    b.ret(_null())
    return e.function


def _split(
    module: ir.Module, name: str, worker: ir.Function, helper: ir.Function, state: int, count: int, cores: int
) -> None:
    """`int name(step, table, extent)`: runs a step over threads, this one among them."""
    e = _Emitting(module, name, _INT, [_P, _P, _LONG], state)
    b = e.b
    step, table, extent = e.function.args
    job, thread = b.alloca(_JOB, align=8), b.alloca(_LONG)
    many = e.word(_long(count).inttoptr(_P))
    many = b.select(b.icmp_signed("<", extent, many), extent, many)
    if cores:
        many = b.select(b.icmp_signed("<", _long(cores), many), _long(cores), many)
    turn = b.sdiv(extent, b.mul(many, _long(TURNS)))
    turn = b.select(b.icmp_signed("<", turn, _long(1)), _long(1), turn)
    for k, value in enumerate([step, table, extent, turn, _long(0), _long(0), _long(0), worker]):
        b.store(value, e.at(job, k))
    shared, alone, done = (e.function.append_basic_block(n) for n in ("shared", "alone", "done"))
    asked = e.function.append_basic_block("asked")
    b.cbranch(b.icmp_signed(">", many, _long(1)), asked, alone)
    b.position_at_end(asked)
    before = b.atomic_rmw("xchg", e.shared(_TAKEN), _long(1), "acquire")
    b.cbranch(b.icmp_unsigned("==", before, _long(0)), shared, alone)
    b.position_at_end(shared)
    helpers = b.sub(many, _long(1))

    def made() -> None:
        e.call("pthread_detach", b.load(thread, typ=_P))
        e.change(_MADE, 1)

    with between(b, e.word(e.shared(_MADE)), helpers):
        failed = e.call("pthread_create", thread, _null(), helper, _null())
        e.when(b.icmp_unsigned("==", failed, ir.Constant(_INT, 0)), made)  # if none can be made, the others do it all
    e.lock()
    b.store(job, e.shared(_JOB_AT))
    b.store(helpers, e.shared(_OPEN))
    e.call("pthread_cond_broadcast", e.room(_MORE))
    e.unlock()
    b.call(worker, [job])
    e.lock()
    b.store(_long(0), e.shared(_OPEN))
    e.wait(_DONE, lambda: b.icmp_signed("<=", e.word(e.shared(_RUNNING)), _long(0)))
    e.unlock()
    b.atomic_rmw("xchg", e.shared(_TAKEN), _long(0), "release")
    b.branch(done)
    b.position_at_end(alone)
    b.call(worker, [job])
    b.branch(done)
    b.position_at_end(done)
    b.ret(b.trunc(e.word(e.at(job, _STATUS)), _INT))
