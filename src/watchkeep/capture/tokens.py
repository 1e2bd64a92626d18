"""Values that stand for others: keyed hashes, and tokens that whoever has the key turns back.

No detector takes them for something else: nothing that is looked for is one word so long with such a beginning.
"""

import binascii
import hmac
from base64 import b32decode, b32encode
from collections.abc import Callable
from typing import Final

from watchkeep.core.errors import MissingExtraError, OptionError

LEAST: Final = 16
"""Bytes of a key, at least."""
HASH_BITS: Final = 96
"""That any two of a billion different values share a hash has a probability of 1 in 150 billion. More bits would only
make rows longer: how hard it is to guess a value depends on the key alone."""


def checked(key: bytes | None, needed_by: str) -> bytes:
    """A key that can be used.

    Raises:
        OptionError: there is none, or it is too short.
    """
    expected = f"{LEAST} bytes or more, since {needed_by} needs a key"
    if key is None:
        raise OptionError("key", got="none", expected=expected)
    if not isinstance(key, bytes):
        raise OptionError("key", got=type(key).__name__, expected=expected)
    if len(key) < LEAST:
        raise OptionError("key", got=f"{len(key)} bytes", expected=expected)
    return key


def hasher(key: bytes) -> Callable[[str], str]:
    """What gives the hash of a text: the letter h, and the first 96 bits of its HMAC-SHA256 as 24 hexadecimal digits.

    >>> hasher(b"a key of 16 bytes")("ann")
    'h622359ba8b420ac785f73584'
    """
    own = hmac.digest(key, b"watchkeep capture hash", "sha256")
    digest = hmac.digest

    def hashed(text: str) -> str:
        return "h" + digest(own, text.encode("utf-8", "surrogatepass"), "sha256").hex()[: HASH_BITS // 4]

    return hashed


class Tokeniser:
    """Makes tokens of texts and texts of tokens: AES-SIV, by which equal texts give equal tokens.

    A token tells how long its text is, and nothing else without the key.

    Args:
        key: 16 bytes or more.

    Raises:
        OptionError: it is shorter.
        MissingExtraError: the library `cryptography` is not installed.

    >>> tokeniser = Tokeniser(b"a key of 16 bytes")
    >>> tokeniser.text(tokeniser.token("Ann"))
    'Ann'
    """

    def __init__(self, key: bytes) -> None:
        try:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESSIV
        except ImportError as error:
            raise MissingExtraError("a column that is tokenised", extra="privacy") from error
        self._cipher = AESSIV(hmac.digest(checked(key, "a token"), b"watchkeep capture tokenise", "sha512"))
        self._refused = (InvalidTag, ValueError, binascii.Error)

    def token(self, text: str) -> str:
        """A text's token: the letter t, and small letters and digits."""
        sealed = self._cipher.encrypt(b"\0" + text.encode("utf-8", "surrogatepass"), None)
        return "t" + b32encode(sealed).decode().rstrip("=").lower()

    def text(self, token: str) -> str:
        """The text that a token stands for.

        Raises:
            OptionError: it is no token, or one that another key made.
        """
        sealed = token[1:].upper()
        try:
            opened = self._cipher.decrypt(b32decode(sealed + "=" * (-len(sealed) % 8)), None)
        except self._refused as error:
            raise OptionError("token", got=token, expected="a token that this key made") from error
        return opened[1:].decode("utf-8", "surrogatepass")
