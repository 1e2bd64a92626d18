"""Encryption of what is kept: the keys, which come from the environment, and bytes that are sealed with them.

Nothing here is shown: keys stand in no repr, no error and no file. An id tells which key is needed; it ends in a
fingerprint of the key, so that another key of the same name is known for another one.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

from watchkeep.core.errors import MissingExtraError, OptionError

KEY: Final = "WATCHKEEP_ENCRYPTION_KEY"
"""The environment variable with the keys: `HEX`, or several of `ID:HEX` with commas between them."""
SIZE: Final = 32
"""Bytes of a key: it is one of AES-256."""
_LONGEST: Final = 64
_ALIGN: Final = 8
_SALT, _NONCE, _TAG = 16, 12, 16
_ABOUT: Final = b"watchkeep sealed 1"


class Keys:
    """Keys by their ids: the first encrypts, all of them decrypt.

    Args:
        named: keys of 32 bytes by their names, which may be empty; at least one.

    Raises:
        MissingExtraError: the library `cryptography` is not installed.

    >>> keys = Keys.of("new:" + "ab" * 32 + ",old:" + "cd" * 32)
    >>> keys
    Keys('new/ae856c5e5c18f9ec', 'old/47664ca4cb97dcef')
    >>> keys.opened(keys.sealed(b"Ann"))
    b'Ann'
    """

    __slots__ = ("_cipher", "_refused", "_secrets", "ids")

    def __init__(self, named: Sequence[tuple[str, bytes]]) -> None:
        self._cipher, self._refused = _library()
        self._secrets = {_fingerprint(secret): secret for _, secret in named}
        self.ids = tuple(_id(name, secret) for name, secret in named)

    @classmethod
    def of(cls, text: str) -> Self:
        """The keys that a text tells: `HEX`, or several of `ID:HEX` with commas between them.

        Raises:
            OptionError: it tells none.
            MissingExtraError: the library `cryptography` is not installed.
        """
        named = []
        for part in text.split(","):
            name, colon, digits = part.strip().rpartition(":")
            if (colon and not _is_name(name)) or len(digits) != 2 * SIZE or not _is_hex(digits):
                raise OptionError(
                    KEY,
                    got="a text that is not shown",
                    expected=f"{2 * SIZE} hexadecimal digits, or several of ID:DIGITS with commas between them",
                )
            named.append((name, bytes.fromhex(digits)))
        names = [name for name, _ in named if name]
        if len({secret for _, secret in named}) < len(named) or len(set(names)) < len(names):
            raise OptionError(KEY, got="one key or id twice", expected="each once")
        return cls(named)

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] | None = None) -> Self | None:
        """The keys of `WATCHKEEP_ENCRYPTION_KEY`; None where it is not set, so that nothing is encrypted.

        Raises:
            OptionError: it is set, and holds none.
            MissingExtraError: the library `cryptography` is not installed.
        """
        text = (os.environ if environment is None else environment).get(KEY)
        return None if text is None else cls.of(text)

    def __repr__(self) -> str:
        return f"Keys({', '.join(map(repr, self.ids))})"

    def __reduce__(self) -> Any:
        raise TypeError("keys are not to be sent or stored")

    def sealed(self, data: bytes) -> bytes:
        """Bytes that only whoever has the key can read or change: AES-256-GCM, with a key and a nonce of their own.

        They tell the id of the key. Where the data is a multiple of eight bytes long, they are too.
        """
        key_id = self.ids[0].encode()
        key_id += bytes(-(1 + len(key_id) + _NONCE) % _ALIGN)
        head = bytes([len(key_id)]) + key_id + os.urandom(_SALT + _NONCE)
        cipher = self._of(head, self._secrets[_mark(self.ids[0])])
        encrypted: bytes = cipher.encrypt(head[-_NONCE:], data, _ABOUT + head)
        return head + encrypted

    def opened(self, sealed: "bytes | memoryview") -> bytes | None:
        """What was sealed; None where it was changed since, or the key is not among these (see `key_id_in`)."""
        length = sealed[0] if len(sealed) else 0
        size = 1 + length + _SALT + _NONCE
        head = bytes(sealed[:size])
        secret = self._secrets.get(_mark(key_id_in(sealed)))
        if secret is None or len(sealed) < size + _TAG:
            return None
        try:
            data: bytes = self._of(head, secret).decrypt(head[-_NONCE:], bytes(sealed[size:]), _ABOUT + head)
        except self._refused:
            return None
        return data

    def wrapped(self, data_key: bytes, key_id: str) -> bytes:
        """The key of a file as it is kept in this file, as Parquet's Java library wraps keys locally.

        That is base64 of a nonce and of AES-GCM, with the id of the key as additional data.
        """
        from base64 import b64encode

        nonce = os.urandom(_NONCE)
        secret = self._secrets[_mark(key_id)]
        return b64encode(nonce + self._cipher(secret).encrypt(nonce, data_key, key_id.encode()))

    def unwrapped(self, wrapped: "bytes | str", key_id: str) -> bytes | None:
        """The key of a file; None where it was changed since, or the key is not among these."""
        from base64 import b64decode

        secret = self._secrets.get(_mark(key_id))
        if secret is None:
            return None
        try:
            whole = b64decode(wrapped, validate=True)
            key: bytes = self._cipher(secret).decrypt(whole[:_NONCE], whole[_NONCE:], key_id.encode())
        except (self._refused, ValueError):
            return None
        return key

    def holds(self, key_id: str) -> bool:
        """Whether a key is among these."""
        return _mark(key_id) in self._secrets

    def _of(self, head: bytes, secret: bytes) -> Any:
        """The cipher of one sealing: no two share a key, so that no nonce is used twice however many there are."""
        import hmac

        return self._cipher(hmac.digest(secret, _ABOUT + head[-_NONCE - _SALT : -_NONCE], "sha256"))


def key_id_in(sealed: "bytes | memoryview") -> str:
    """The id of the key that some bytes are sealed with."""
    length = sealed[0] if len(sealed) else 0
    return bytes(sealed[1 : 1 + length]).rstrip(b"\0").decode("ascii", "backslashreplace")


def why_closed(key_id: str, keys: Keys | None) -> str:
    """Why what is encrypted with a key cannot be read, as a sentence.

    >>> why_closed("old/47664ca4cb97dcef", None)
    "it is encrypted with key 'old/47664ca4cb97dcef', and WATCHKEEP_ENCRYPTION_KEY is not set"
    """
    if keys is None:
        return f"it is encrypted with key {key_id!r}, and {KEY} is not set"
    if keys.holds(key_id):
        return f"it is encrypted with key {key_id!r}, and was changed since: the key does not open it"
    held = ", ".join(map(repr, keys.ids))
    return f"it is encrypted with key {key_id!r}, and {KEY} holds {held}: add that key after a comma"


def _library() -> tuple[Any, type[Exception]]:
    try:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as error:
        raise MissingExtraError(f"encryption at rest ({KEY})", extra="encryption") from error
    return AESGCM, InvalidTag


def _id(name: str, secret: bytes) -> str:
    return f"{name}/{_fingerprint(secret)}" if name else _fingerprint(secret)


def _mark(key_id: str) -> str:
    """The fingerprint in the id of a key."""
    return key_id.rpartition("/")[2]


def _fingerprint(secret: bytes) -> str:
    import hmac

    return hmac.digest(secret, b"watchkeep key id", "sha256")[:8].hex()


def _is_name(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and all(
        one.isascii() and (one.isalnum() or one in "-_.") for one in text
    )


def _is_hex(text: str) -> bool:
    return all(one in "0123456789abcdefABCDEF" for one in text)
