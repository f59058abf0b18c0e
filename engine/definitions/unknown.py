"""A name that stands for nothing."""

__all__ = ["UnknownNameError"]


class UnknownNameError(LookupError):
    """A name that nothing answers to, with a hint."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint
