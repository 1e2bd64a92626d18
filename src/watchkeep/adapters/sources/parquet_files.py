"""Parquet files, encrypted at rest where there is a key: whoever opens or writes one of the store does so here.

Files are encrypted as Parquet itself has it (modular encryption, AES-GCM): the footer and all columns with a key of
the file, which stands in the file, wrapped with the key of the environment. Plain files are read as ever.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from watchkeep.capture.encryption import KEY, Keys, why_closed
from watchkeep.core.errors import MissingExtraError, UnreadableSourceError

MAGIC: Final = b"PARE"
"""How a file begins whose footer is encrypted."""
_BITS: Final = 256


def parquet_file(name: str, source: Any, **options: Any) -> pq.ParquetFile:
    """A Parquet file, open.

    Args:
        name: what people call it.
        source: its bytes.
        options: of `pyarrow.parquet.ParquetFile`.

    Raises:
        UnreadableSourceError: it is encrypted with a key that is not in the environment.
    """
    with _keyed(name):
        return pq.ParquetFile(source, decryption_properties=decryption(), **options)


def parquet_metadata(name: str, source: Any) -> Any:
    """What the end of a Parquet file tells.

    Raises:
        UnreadableSourceError: it is encrypted with a key that is not in the environment.
    """
    with _keyed(name):
        return pq.read_metadata(source, decryption_properties=decryption())


def parquet_writer(stream: Any, schema: pa.Schema, **options: Any) -> pq.ParquetWriter:
    """Writes a Parquet file, encrypted where the environment has a key.

    Args:
        stream: takes its bytes.
        schema: its columns.
        options: of `pyarrow.parquet.ParquetWriter`.

    Raises:
        OptionError: the environment has none that can be used.
        MissingExtraError: a library that it takes is not installed.
    """
    return pq.ParquetWriter(stream, schema, encryption_properties=_encryption(), **options)


def parquet_bytes(table: pa.Table, **options: Any) -> bytes:
    """A table as a Parquet file; see `parquet_writer`."""
    stream = io.BytesIO()
    with parquet_writer(stream, table.schema, **options) as writer:
        writer.write_table(table)
    return stream.getvalue()


def decryption() -> Any:
    """What `pyarrow.parquet` takes as `decryption_properties`; None where pyarrow was built without encryption."""
    factory = _factory()
    return None if factory is None else factory[0].file_decryption_properties(factory[1])


def _encryption() -> Any:
    """What a writer takes; None where nothing is encrypted."""
    keys, factory = Keys.of_environment(), _factory()
    if keys is None:
        return None
    if factory is None:
        raise MissingExtraError(f"encryption at rest ({KEY})", extra="encryption")
    from pyarrow.parquet.encryption import EncryptionConfiguration

    if not hasattr(EncryptionConfiguration, "uniform_encryption"):  # pyarrow is older than 21
        raise MissingExtraError(f"encryption at rest ({KEY})", extra="encryption")
    how = EncryptionConfiguration(
        keys.ids[0], uniform_encryption=True, double_wrapping=False, data_key_length_bits=_BITS
    )
    return factory[0].file_encryption_properties(factory[1], how)


class _ClosedError(Exception):
    """The key of a file cannot be had."""


@contextmanager
def _keyed(name: str) -> Iterator[None]:
    try:
        yield
    except _ClosedError as error:
        raise UnreadableSourceError(name, why=str(error)) from error


@cache
def _factory() -> tuple[Any, Any] | None:
    """What makes keys of files, and what it is told of whom to ask; it asks `Keys`, as they are then."""
    try:
        from pyarrow.parquet.encryption import CryptoFactory, KmsClient, KmsConnectionConfig
    except ImportError:
        return None

    class Client(KmsClient):  # type: ignore[misc]
        def __init__(self, config: Any) -> None:  # noqa: ARG002 (part of the port)
            KmsClient.__init__(self)

        def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
            keys = Keys.of_environment()
            if keys is None:
                raise _ClosedError(why_closed(master_key_identifier, None))
            return keys.wrapped(key_bytes, master_key_identifier)

        def unwrap_key(self, wrapped_key: str, master_key_identifier: str) -> bytes:
            keys = Keys.of_environment()
            found = None if keys is None else keys.unwrapped(wrapped_key, master_key_identifier)
            if found is None:
                raise _ClosedError(why_closed(master_key_identifier, keys))
            return found

    return CryptoFactory(Client), KmsConnectionConfig()
