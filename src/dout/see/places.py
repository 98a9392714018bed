"""Where operations happened, in the user's own words: file, line, function, and the variable that took the result.

What the witness kept is code and instructions. Here these become lines and names, by way of the `executing` library, which
knows which expression an instruction belongs to. Each instruction is looked up once.
"""

from __future__ import annotations

import ast
import dis
import linecache
import os
from collections.abc import Iterator
from types import CodeType
from typing import Any

from ..witness import Call, Place

#: Names that the compiler gives to what has none, and what they are as loops.
_COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}
_COMPREHENSION_NODES = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTION_NODES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_LOOP_NODES = (ast.For, ast.AsyncFor, ast.While)
#: Functions that compute again and again within one execution of one instruction.
_REPEATING = {
    "sum",
    "prod",
    "reduce",
    "accumulate",
    "map",
    "max",
    "min",
    "sorted",
    "list",
    "tuple",
    "dict",
    "set",
    "next",
}


class _Frame:
    """As much of a frame as `executing` looks at."""

    __slots__ = ("f_code", "f_globals", "f_lasti", "f_lineno")

    def __init__(self, call: Call, at: int, line: int) -> None:
        self.f_code = call.code
        self.f_globals = call.variables
        self.f_lasti = at
        self.f_lineno = line


class Site:
    """One instruction of the user's code.

    Attributes:
        line: the number of its line; 0 if it is not known.
        text: that line.
        node: the expression, if its source is at hand.
        target: the name that the expression's value was assigned to, or "" if to none; None if it was returned.
        path: the way to the value in what is returned, if that is a tuple.
        loops: the loops around it, outermost first.
        branches: for each `if` around it, whether it stands in its body.
        again: whether it may compute many times in one execution, as sum does.
    """

    __slots__ = ("again", "branches", "line", "loops", "node", "path", "target", "text")

    def __init__(self, line: int, text: str, node: Any, code: CodeType) -> None:
        self.line = line
        self.text = text
        self.node = node
        self.target: str | None = ""
        self.path: tuple[int, ...] = ()
        self.loops: list[Any] = []
        self.branches: dict[Any, bool] = {}
        self.again = False
        if node is not None:
            self.target, self.path = _target(node)
            self.loops = list(reversed(list(_loops(node, code))))
            self.branches = dict(_branches(node))
            self.again = _called(node) in _REPEATING

    def excludes(self, other: Site) -> bool:
        """Whether it stands in the other branch of an `if`, so that one pass can't come to both."""
        return any(other.branches.get(node, side) != side for node, side in self.branches.items())


class Places:
    """Looks up sites, each once.

    Example:
        >>> import dout
        >>> def price(apple, number):
        ...     total = apple * number
        ...     return total * 1.1
        >>> node = dout.trace(price, 100.0, 2.0).outputs[0].parents[0]
        >>> Places().name(node.place)
        'total'
    """

    def __init__(self) -> None:
        self._sites: dict[tuple[int, int], Site] = {}
        self._lines: dict[int, list[int]] = {}
        self._kept: list[CodeType] = []  # so that no other code gets the same id

    def site(self, call: Call, at: int) -> Site:
        """The site of an instruction in a call."""
        key = id(call.code), at
        found = self._sites.get(key)
        if found is None:
            found = self._sites[key] = self._look_up(call, at)
        return found

    def _look_up(self, call: Call, at: int) -> Site:
        from executing import Source  # only who looks at pictures needs it

        code = call.code
        lines = self._lines.get(id(code))
        if lines is None:
            self._kept.append(code)
            lines = self._lines[id(code)] = [line or 0 for line, _, _, _ in code.co_positions()]
        line = lines[at // 2] if 0 <= at // 2 < len(lines) else 0
        node = None
        if line:
            frame: Any = _Frame(call, at, line)
            node = Source.executing(frame).node
        found = Site(line, source_line(call, line) if line else "", node, code)
        if (
            isinstance(node, ast.For) and dis.opname[code.co_code[at]] == "FOR_ITER"
        ):  # it takes its next value: a new step
            found.loops.append(node)
            found.target = node.target.id if isinstance(node.target, ast.Name) else ""
        if isinstance(node, ast.Subscript) and not _stores(code, at):
            found.target = found.target if isinstance(node.ctx, ast.Load) else ""  # x[i] += y reads x[i] first
        return found

    def where(self, place: Place | tuple[Call, int] | None) -> dict[str, Any] | None:
        """File, line, text and function, as JSON.

        Args:
            place: where an operation happened; or a call and a line of it.
        """
        if place is None:
            return None
        call = place[0]
        if isinstance(place, Place):
            site = self.site(call, place.at)
            line, text = site.line, site.text
        else:
            line, text = place[1], source_line(call, place[1])
        return {"file": file_name(call.code.co_filename), "line": line, "text": text, "function": function_of(call)}

    def name(self, place: Place | None) -> str | None:
        """The variable that took the result of what happened there, perhaps in the caller, to which it was returned."""
        if place is None:
            return None
        call: Call | None = place.call
        at = place.at
        path: tuple[int, ...] = ()
        while call is not None:
            site = self.site(call, at)
            if site.node is None:
                return None
            if site.target is not None:
                return (_within(site, path) if path else site.target) or None
            if call.code.co_flags & 0x20:
                return None  # what a generator gives is not what its call gives
            at, path = call.at, (*path, *reversed(site.path))
            call = call.parent
        return None


def source_line(call: Call, line: int) -> str:
    """A line of the file that a call's code is in."""
    return linecache.getline(call.code.co_filename, line, call.variables).strip()


def is_comprehension(code: CodeType) -> bool:
    """Whether it is the code of a comprehension or a generator expression, which runs as a call of its own."""
    return code.co_name in _COMPREHENSIONS


def file_name(path: str) -> str:
    """A file's name without the folders, which are another's business; a notebook's cell has none."""
    if "ipykernel" in path or path.startswith("<ipython-input"):
        return "cell"
    return path if path.startswith("<") else os.path.basename(path)


def function_of(call: Call) -> str:
    """What the user calls the function; a comprehension is a part of the one that it stands in."""
    while call.code.co_name in _COMPREHENSIONS and call.parent is not None:
        call = call.parent
    return call.code.co_qualname.rpartition("<locals>.")[2]


def _target(node: Any) -> tuple[str | None, tuple[int, ...]]:
    """The name that takes an expression's value, or None if it is returned; and the way to it in a returned tuple."""
    if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
        return _written(node.value), ()  # writing into an array gives a new one under its name
    if isinstance(node, ast.AugAssign):
        return _written(node.target), ()
    path: list[int] = []
    child = node
    parent = getattr(node, "parent", None)
    while parent is not None:
        if isinstance(parent, ast.Tuple | ast.List) and isinstance(parent.ctx, ast.Load):
            path.append(parent.elts.index(child))
        elif isinstance(parent, ast.IfExp) and child is not parent.test:
            pass
        elif isinstance(parent, ast.Return) or (isinstance(parent, ast.Lambda) and child is parent.body):
            return None, tuple(reversed(path))
        elif isinstance(parent, ast.NamedExpr):
            return ("" if path else parent.target.id), ()
        elif isinstance(parent, ast.Assign):
            return next(filter(None, (_element(t, tuple(reversed(path))) for t in parent.targets)), ""), ()
        elif isinstance(parent, ast.AnnAssign):
            return _element(parent.target, tuple(reversed(path))), ()
        else:
            return "", ()
        child, parent = parent, getattr(parent, "parent", None)
    return "", ()


def _element(target: Any, path: tuple[int, ...]) -> str:
    """The part of an assignment's target that takes this part of its value."""
    for i in path:
        if not isinstance(target, ast.Tuple | ast.List):
            return f"{_written(target)}[{']['.join(map(str, path))}]" if isinstance(target, ast.Name) else ""
        if any(isinstance(t, ast.Starred) for t in target.elts) or i >= len(target.elts):
            return ""
        target, path = target.elts[i], path[1:]
    return "" if isinstance(target, ast.Tuple | ast.List | ast.Starred) else _written(target)


def _within(site: Site, path: tuple[int, ...]) -> str:
    """The target for a part of what a call returned."""
    node = site.node
    parent = getattr(node, "parent", None)
    if isinstance(parent, ast.Assign):
        way = tuple(reversed(path))
        return next(filter(None, (_element(target, way) for target in parent.targets)), "")
    return ""


def _written(node: Any) -> str:
    """A target as the user wrote it, such as `self.h` or `h[0]`; not if it is long."""
    text = ast.unparse(node)
    return text if len(text) <= 40 else ""


def _stores(code: CodeType, at: int) -> bool:
    return dis.opname[code.co_code[at]].startswith("STORE")


def _called(node: Any) -> str:
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _loops(node: Any, code: CodeType) -> Iterator[Any]:
    """The loops around an expression within its own function, innermost first."""
    child, parent = node, getattr(node, "parent", None)
    while parent is not None:
        if isinstance(parent, _LOOP_NODES):
            if child is not getattr(parent, "iter", None) and child not in parent.orelse:
                yield parent
        elif isinstance(parent, _COMPREHENSION_NODES):
            first = parent.generators[0]
            outside = child is first and node_within(node, first.iter)
            if not outside:
                yield parent
                if code.co_name in _COMPREHENSIONS:
                    return
        elif isinstance(parent, _FUNCTION_NODES):
            return
        child, parent = parent, getattr(parent, "parent", None)


def _branches(node: Any) -> Iterator[tuple[Any, bool]]:
    """The `if`s around an expression in its function, and whether it stands in the body."""
    child, parent = node, getattr(node, "parent", None)
    while parent is not None and not isinstance(parent, _FUNCTION_NODES):
        if isinstance(parent, ast.If) and child is not parent.test:
            yield parent, child in parent.body
        elif isinstance(parent, ast.IfExp) and child is not parent.test:
            yield parent, child is parent.body
        child, parent = parent, getattr(parent, "parent", None)


def node_within(node: Any, outer: Any) -> bool:
    """Whether an expression is another or a part of it."""
    while node is not None:
        if node is outer:
            return True
        node = getattr(node, "parent", None)
    return False
