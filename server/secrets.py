"""Secrets at rest: encrypted with a key that is not in the database.

The key comes from DRIFTLINE_SECRET_KEY, or from a file that only its owner can read; several keys, separated by commas,
are tried in turn, and the first one encrypts: so a key can be changed.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from server.errors import RegistryError

__all__ = ["VARIABLE", "Vault"]

VARIABLE = "DRIFTLINE_SECRET_KEY"
OTHERS = 0o077
"""Permissions that anybody but the owner would have."""


@dataclass(frozen=True)
class Vault:
    """Encrypts and decrypts."""

    _keys: MultiFernet = field(repr=False)

    @classmethod
    def of(cls, keys: str) -> "Vault":
        """The vault of these keys, separated by commas.

        Raises:
            RegistryError: one of them is no key; it says how one is made.
        """
        try:
            return cls(MultiFernet([Fernet(key.strip()) for key in keys.split(",") if key.strip()]))
        except ValueError:
            how = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
            raise RegistryError(f"{VARIABLE} is not a key; this makes one: {how}") from None

    @classmethod
    def opened(cls, file: Path, variable: str | None) -> "Vault":
        """The vault of the environment's key, or else of the file's, which is made where it is not there.

        Raises:
            RegistryError: the key is none, or others can read the file.
        """
        if variable:
            return cls.of(variable)
        try:
            return cls.of(_read(file))
        except FileNotFoundError:
            return cls.of(_made(file))

    def seal(self, secret: str) -> str:
        """Encrypted."""
        return self._keys.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Decrypted.

        Raises:
            RegistryError: it was sealed with another key.
        """
        try:
            return self._keys.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise RegistryError(
                f"a secret was encrypted with another key: give the former one, too ({VARIABLE})"
            ) from None


def _read(file: Path) -> str:
    if file.stat().st_mode & OTHERS:
        raise RegistryError(f"{file} can be read by others: chmod 600 {file}")
    return file.read_text()


def _made(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    key = Fernet.generate_key().decode()
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(key)
    except FileExistsError:  # somebody else was quicker
        return _read(file)
    return key
