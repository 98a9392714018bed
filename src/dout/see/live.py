"""A picture that is computed again whenever its numbers are changed: what stands behind the widget and the app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .again import Again, said
from .picture import Picture, see


class Live:
    """A picture's description and its numbers; where the user's function fails, the error, and the last good description.

    Attributes:
        inputs: the numbers that can be changed, by name.
        description: the latest one that could be made.
        error: what the user's function said, with its line; "" if it ran.

    Example:
        >>> live = Live(see(lambda x: x * x, 3.0))
        >>> live.move({"x": 5})
        >>> live.inputs, live.description["outputs"][0]["value"]["t"]
        ({'x': 5}, '25')
    """

    def __init__(self, picture: Picture, **options: Any) -> None:
        self._options = options
        self._again = None if picture.call is None else Again(*picture.call)
        self.picture = picture
        self.inputs: dict[str, Any] = {} if self._again is None else dict(self._again.inputs)
        self.description = picture.describe(**options)
        self.error = ""

    @property
    def can_move(self) -> bool:
        """Whether there is a function to run again."""
        return self._again is not None

    def checked(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """All the numbers, with these in the place of those of the same names.

        Raises:
            ValueError: for a name that there isn't, and for what is no number.
        """
        if self._again is None:
            raise ValueError("inputs: this picture was made from a graph; one of a function can be computed again")
        return {**self.inputs, **self._again.checked(inputs)}

    def move(self, inputs: Mapping[str, Any]) -> None:
        """Run the function with these numbers. What it raises is kept in `error`.

        Raises:
            ValueError: as `checked` does; then nothing is changed.
        """
        self.inputs = self.checked(inputs)
        assert self._again is not None
        try:
            args, kwargs = self._again.arguments(self.inputs)
            self.picture = see(self._again.f, *args, numerical=self.picture.numerical, **kwargs)
            self.description = self.picture.describe(**self._options)
            self.error = ""
        except (Exception, SystemExit) as error:
            self.error = said(error)
