"""A picture as a live widget: a slider moved in the page runs the user's function again, and the page shows what came out."""

from __future__ import annotations

from typing import Any

from .bundle import module
from .live import Live
from .picture import Picture

try:
    import anywidget
    import traitlets
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("widget() needs anywidget: pip install 'dout[notebook]'", name=error.name) from error


def widget_of(picture: Picture, **options: Any) -> Widget:
    """The widget, made by anywidget, which JupyterLab, marimo, VS Code and others show.

    Args:
        picture: what `see` gave. If it gave it for a function, the function runs again, with any of its numbers
            changed, for each slider that is moved; entries of small arrays are among them.
        **options: those of `Picture.describe`.

    Example:
        >>> import dout
        >>> widget = dout.see(lambda x: x * x, 3.0).widget()
        >>> widget.inputs = {"x": 5.0}
        >>> widget.description["outputs"][0]["value"]["v"]
        25.0
    """
    return Widget(Live(picture, **options))


class Widget(anywidget.AnyWidget):  # type: ignore[misc]
    """A picture that is computed again whenever one of its numbers is changed.

    Attributes:
        inputs: the numbers by name, which may also be set from Python; None for a graph, which can't be computed again.
        description: what is shown.
        error: what the function said when it failed, with its line; "" if it ran.
    """

    _esm = module()
    description = traitlets.Dict().tag(sync=True)
    inputs = traitlets.Dict(allow_none=True).tag(sync=True)
    error = traitlets.Unicode().tag(sync=True)

    def __init__(self, live: Live) -> None:
        self._live = live
        inputs = live.inputs if live.can_move else None
        super().__init__(description=live.description, inputs=inputs, error=live.error)

    @property
    def picture(self) -> Picture:
        """What is shown now."""
        return self._live.picture

    @traitlets.validate("inputs")  # type: ignore[untyped-decorator]
    def _all_of(self, proposal: Any) -> dict[str, Any] | None:
        """The numbers that aren't given stay as they are."""
        given: dict[str, Any] | None = proposal["value"]
        if given is None or given == self._live.inputs:
            return self._live.inputs if self._live.can_move else None
        return self._live.checked(given)

    @traitlets.observe("inputs")  # type: ignore[untyped-decorator]
    def _move(self, change: Any) -> None:
        if change["new"] in (None, self._live.inputs):
            return
        self._live.move(change["new"])
        with self.hold_sync():  # both in one message
            self.description = self._live.description
            self.error = self._live.error
