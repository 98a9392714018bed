"""The functions of the memory of large results as LLVM's text; `rooms.py` says what they are for.

What is kept is a table: how many blocks, how many bytes, and where the data of each block begin, the oldest first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import text as ir

#: Results of so many bytes have memory that is kept. From here on the C library gives it back to the system (glibc's
#: thresholds to map and to trim begin here): four results of 160 kB are filled in a quarter of the time if it is kept. For
#: the smallest it costs 0.2 us of 3.3 where the C library happens to keep it.
LARGE = 2**17
#: So much is kept in all, in so many blocks; the oldest go first.
LIMIT, MOST = 2**28, 64
#: A kept block may be larger than what is asked for, by an eighth of that: a power of 2.
SPARE = 8
#: Data begin at multiples of so many bytes; before them lies a head of two words: the capacity, and where the block begins.
#: Native code is no quicker for it; NumPy's own loops over the result are, by up to 12%, than with malloc's 16.
ALIGNMENT, HEAD = 64, 16
_P, _LONG, _INT, _BYTE, _BIT = ir.PointerType(), ir.IntType(64), ir.IntType(32), ir.IntType(8), ir.IntType(1)
_NULL, _NONE, _ONE = ir.Constant(_P, None), ir.Constant(_LONG, 0), ir.Constant(_LONG, 1)
_ARRAY = [_P, _INT, _P, _INT, _P, _P, _INT, _INT, _P]  # what PyArray_New takes


def module_text(state: int, handler: int, default: int, functions: tuple[int, int, int]) -> str:
    """The text of all functions.

    Args:
        state: where the table is.
        handler: where the capsule of the handler is.
        default: where the capsule of NumPy's own handler is.
        functions: of that one, the context, and where malloc and free are.
    """
    module = ir.Module("rooms")
    context, allocate, free = functions
    _fresh(module, context, allocate)
    _give(module, context, free)
    _drop(module, state)
    _take(module, state)
    _release(module, state)
    _malloc(module)
    _free(module, state)
    _calloc(module)
    _realloc(module)
    _large(module, handler, default)
    return str(module)


def _address(where: int) -> Any:
    return ir.Constant(_LONG, where).inttoptr(_P)


class _Emitting:
    """A function, and a few words to write it with."""

    def __init__(self, module: ir.Module, name: str, result: Any, takes: list[Any], state: int = 0) -> None:
        self.module = module
        self.function = ir.Function(module, ir.FunctionType(result, takes), f"rooms.{name}")
        self.args = self.function.args
        self.b = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.count, self.total = _address(state), _address(state + 8)
        self.blocks = _address(state + 16)

    def own(self, name: str, *args: Any) -> Any:
        """Call another of these functions."""
        return self.b.call(self.module.get_global(f"rooms.{name}"), args)

    def extern(self, name: str, result: Any, takes: list[Any], *args: Any) -> Any:
        """Call a function from outside."""
        known = self.module.globals.get(name) or ir.Function(self.module, ir.FunctionType(result, takes), name)
        return self.b.call(known, args)

    def at(self, base: Any, k: Any) -> Any:
        """The k-th word from there."""
        return self.b.gep(base, [k if isinstance(k, ir.Value) else ir.Constant(_LONG, k)], source_etype=_LONG)

    def word(self, place: Any) -> Any:
        """What a word says."""
        return self.b.load(place, typ=_LONG)

    def capacity(self, data: Any) -> Any:
        """How many bytes a block has."""
        return self.word(self.at(data, -2))

    def change(self, place: Any, by: Any) -> None:
        """Add to a word."""
        self.b.store(self.b.add(self.word(place), by), place)

    def is_null(self, pointer: Any) -> Any:
        return self.b.icmp_unsigned("==", pointer, _NULL)

    def fits(self, capacity: Any, size: Any) -> Any:
        """Whether a block is large enough for so many bytes, and not much larger."""
        b = self.b
        enough = b.icmp_unsigned(">=", capacity, size)
        spare = b.icmp_unsigned("<=", b.sub(capacity, size), b.lshr(size, ir.Constant(_LONG, SPARE.bit_length() - 1)))
        return b.and_(enough, spare)

    def returns(self, condition: Any, value: Callable[[], Any]) -> None:
        """`if condition: return value()`."""
        leave, onwards = self.function.append_basic_block("leave"), self.function.append_basic_block("onwards")
        self.b.cbranch(condition, leave, onwards)
        self.b.position_at_end(leave)
        self.ret(value())
        self.b.position_at_end(onwards)

    def ret(self, value: Any) -> None:
        """Return that, or nothing."""
        if value is None or value.type is ir.VoidType():
            self.b.ret_void()
        else:
            self.b.ret(value)

    def again(self, condition: Callable[[], Any], body: Callable[[], Any]) -> None:
        """`while condition(): body()`."""
        test, work, end = (self.function.append_basic_block(n) for n in ("test", "work", "end"))
        self.b.branch(test)
        self.b.position_at_end(test)
        self.b.cbranch(condition(), work, end)
        self.b.position_at_end(work)
        body()
        self.b.branch(test)
        self.b.position_at_end(end)


def _fresh(module: ir.Module, context: int, allocate: int) -> None:
    """`fresh(size)`: a block of NumPy's default handler, which knows when to ask the system for huge pages; or null."""
    e = _Emitting(module, "fresh", _P, [_LONG])
    b, (size,) = e.b, e.args
    whole = b.add(size, ir.Constant(_LONG, HEAD + ALIGNMENT))
    block = b.call(_address(allocate), [_address(context), whole], fnty=ir.FunctionType(_P, [_P, _LONG]))
    e.returns(e.is_null(block), lambda: _NULL)
    begin = b.add(b.ptrtoint(block, _LONG), ir.Constant(_LONG, HEAD + ALIGNMENT - 1))
    data = b.inttoptr(b.and_(begin, ir.Constant(_LONG, -ALIGNMENT)), _P)
    b.store(size, e.at(data, -2))
    b.store(block, e.at(data, -1))
    b.ret(data)


def _give(module: ir.Module, context: int, free: int) -> None:
    """`give(data)`: give a block back to NumPy's default handler."""
    e = _Emitting(module, "give", ir.VoidType(), [_P])
    b, (data,) = e.b, e.args
    whole = b.add(e.capacity(data), ir.Constant(_LONG, HEAD + ALIGNMENT))
    block = b.load(e.at(data, -1), typ=_P)
    b.call(_address(free), [_address(context), block, whole], fnty=ir.FunctionType(ir.VoidType(), [_P, _P, _LONG]))
    b.ret_void()


def _drop(module: ir.Module, state: int) -> None:
    """`drop(k)`: strike the k-th block from the table; it is the caller's then."""
    e = _Emitting(module, "drop", _P, [_LONG], state)
    b, (k,) = e.b, e.args
    place = e.at(e.blocks, k)
    data = b.load(place, typ=_P)
    e.change(e.total, b.sub(_NONE, e.capacity(data)))
    e.change(e.count, ir.Constant(_LONG, -1))
    after = b.mul(b.sub(e.word(e.count), k), ir.Constant(_LONG, 8))
    move = module.declare_intrinsic("llvm.memmove.p0.p0.i64", (), ir.FunctionType(ir.VoidType(), [_P, _P, _LONG, _BIT]))
    b.call(move, [place, e.at(place, 1), after, ir.Constant(_BIT, 0)])
    b.ret(data)


def _take(module: ir.Module, state: int) -> None:
    """`take(size)`: the newest block that fits, or null."""
    e = _Emitting(module, "take", _P, [_LONG], state)
    b, (size,) = e.b, e.args
    k = b.alloca(_LONG)
    b.store(e.word(e.count), k)

    def look() -> None:
        e.change(k, ir.Constant(_LONG, -1))
        data = b.load(e.at(e.blocks, e.word(k)), typ=_P)
        e.returns(e.fits(e.capacity(data), size), lambda: e.own("drop", e.word(k)))

    e.again(lambda: b.icmp_signed(">", e.word(k), _NONE), look)
    b.ret(_NULL)


def _release(module: ir.Module, state: int) -> None:
    """`release()`: give all kept blocks back."""
    e = _Emitting(module, "release", ir.VoidType(), [], state)
    e.again(lambda: e.b.icmp_signed(">", e.word(e.count), _NONE), lambda: e.own("give", e.own("drop", _NONE)))
    e.b.ret_void()


def _malloc(module: ir.Module) -> None:
    """`malloc(context, size)`: a kept block or a fresh one. If there is no memory left, what is kept is given back first."""
    e = _Emitting(module, "malloc", _P, [_P, _LONG])
    b, (_, size) = e.b, e.args
    large, small = (e.function.append_basic_block(n) for n in ("large", "small"))
    b.cbranch(b.icmp_unsigned(">=", size, ir.Constant(_LONG, LARGE)), large, small)
    b.position_at_end(large)
    kept = e.own("take", size)
    e.returns(b.not_(e.is_null(kept)), lambda: kept)
    b.branch(small)
    b.position_at_end(small)
    made = e.own("fresh", size)
    e.returns(b.not_(e.is_null(made)), lambda: made)
    e.own("release")
    b.ret(e.own("fresh", size))


def _free(module: ir.Module, state: int) -> None:
    """`free(context, data, size)`: keep a large block, and give back the oldest ones if that is too much."""
    e = _Emitting(module, "free", ir.VoidType(), [_P, _P, _LONG], state)
    b, (_, data, _) = e.b, e.args
    e.returns(e.is_null(data), lambda: None)
    capacity = e.capacity(data)
    small = b.icmp_unsigned("<", capacity, ir.Constant(_LONG, LARGE))
    huge = b.icmp_unsigned(">", capacity, ir.Constant(_LONG, LIMIT))
    e.returns(b.or_(small, huge), lambda: e.own("give", data))
    b.store(data, e.at(e.blocks, e.word(e.count)))  # there is room for one more than are kept
    e.change(e.count, _ONE)
    e.change(e.total, capacity)

    def too_much() -> Any:
        many = b.icmp_signed(">", e.word(e.count), ir.Constant(_LONG, MOST))
        return b.or_(many, b.icmp_signed(">", e.word(e.total), ir.Constant(_LONG, LIMIT)))

    e.again(too_much, lambda: e.own("give", e.own("drop", _NONE)))
    b.ret_void()


def _calloc(module: ir.Module) -> None:
    """`calloc(context, count, size)`: zeros; null if the product is too large."""
    e = _Emitting(module, "calloc", _P, [_P, _LONG, _LONG])
    b, (context, count, size) = e.b, e.args
    whole = b.mul(count, size)
    some = b.select(b.icmp_unsigned("==", size, _NONE), _ONE, size)
    most = b.udiv(ir.Constant(_LONG, 2**63 - 1), some)
    e.returns(b.icmp_unsigned(">", count, most), lambda: _NULL)
    data = e.own("malloc", context, whole)
    e.returns(e.is_null(data), lambda: _NULL)
    fill = module.declare_intrinsic("llvm.memset.p0.i64", (), ir.FunctionType(ir.VoidType(), [_P, _BYTE, _LONG, _BIT]))
    b.call(fill, [data, ir.Constant(_BYTE, 0), whole, ir.Constant(_BIT, 0)])
    b.ret(data)


def _realloc(module: ir.Module) -> None:
    """`realloc(context, data, size)`: the same block if it fits, else another one with as much of it as there is room for."""
    e = _Emitting(module, "realloc", _P, [_P, _P, _LONG])
    b, (context, data, size) = e.b, e.args
    e.returns(e.is_null(data), lambda: e.own("malloc", context, size))
    capacity = e.capacity(data)
    e.returns(e.fits(capacity, size), lambda: data)
    made = e.own("malloc", context, size)
    e.returns(e.is_null(made), lambda: _NULL)
    copy = module.declare_intrinsic("llvm.memcpy.p0.p0.i64", (), ir.FunctionType(ir.VoidType(), [_P, _P, _LONG, _BIT]))
    common = b.select(b.icmp_unsigned("<", capacity, size), capacity, size)
    b.call(copy, [made, data, common, ir.Constant(_BIT, 0)])
    e.own("free", context, data, capacity)
    b.ret(made)


def _large(module: ir.Module, handler: int, default: int) -> None:
    """`large(...)`: what `PyArray_New` gives for these arguments, with the handler set meanwhile.

    A handler that is not NumPy's default is respected. If there is no memory, the plain way is tried too, for its error.
    """
    e = _Emitting(module, "large", _P, _ARRAY)
    b = e.b

    def plain() -> Any:
        return e.extern("PyArray_New", _P, _ARRAY, *e.args)

    def let_go(obj: Any) -> None:
        e.extern("Py_DecRef", ir.VoidType(), [_P], obj)

    def let_go_and(obj: Any, value: Any) -> Any:
        let_go(obj)
        return value

    current = e.extern("PyDataMem_GetHandler", _P, [])
    e.returns(e.is_null(current), lambda: _NULL)
    let_go(current)  # it is only compared
    e.returns(b.icmp_unsigned("!=", current, _address(default)), plain)
    before = e.extern("PyDataMem_SetHandler", _P, [_P], _address(handler))
    e.returns(e.is_null(before), lambda: _NULL)
    let_go(before)
    made = plain()
    failed, back = e.function.append_basic_block("failed"), e.function.append_basic_block("back")
    b.cbranch(e.is_null(made), failed, back)
    b.position_at_end(failed)
    e.extern("PyErr_Clear", ir.VoidType(), [])
    b.branch(back)
    b.position_at_end(back)
    ours = e.extern("PyDataMem_SetHandler", _P, [_P], _address(default))
    e.returns(b.and_(e.is_null(ours), e.is_null(made)), lambda: _NULL)
    e.returns(e.is_null(ours), lambda: let_go_and(made, _NULL))
    let_go(ours)
    e.returns(e.is_null(made), plain)
    b.ret(made)
