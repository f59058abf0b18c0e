"""What can go wrong in the control plane; see `engine.errors`."""

from engine.errors import DriftlineError

__all__ = ["RegistryError"]


class RegistryError(DriftlineError):
    """The registry's database cannot be reached or changed, or it does not have what was asked for."""

    exit_code = 5
