"""From bytes to characters: by byte order mark, by the encoding that is declared, or as UTF-8."""

from typing import Final

from headrace.transformations.text.errors import NotTextError, TextUndecodableError
from headrace.transformations.text.options import Encoding, Fallback, Options

# UTF-32's begins with UTF-16's.
_MARKS: Final = (
    (b"\xef\xbb\xbf", Encoding.UTF_8),
    (b"\xff\xfe\0\0", Encoding.UTF_32_LE),
    (b"\0\0\xfe\xff", Encoding.UTF_32_BE),
    (b"\xff\xfe", Encoding.UTF_16_LE),
    (b"\xfe\xff", Encoding.UTF_16_BE),
)


def decode(data: bytes, options: Options) -> str:
    """The characters, without a byte order mark.

    Raises:
        TextUndecodableError: If they are not in their encoding.
        NotTextError: If there is a NUL among them.
    """
    text = _decode_by(data, options)
    if "\0" in text:
        raise NotTextError(
            f"character {text.index(chr(0))} is a NUL: it is not a text, or is UTF-16 or UTF-32 without a byte order "
            "mark, whose encoding must be given"
        )
    return text


def _decode_by(data: bytes, options: Options) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decode_as(data[len(mark) :], encoding)
    if options.encoding is not Encoding.AUTO:
        return _decode_as(data, options.encoding)
    try:
        return _decode_as(data, Encoding.UTF_8)
    except TextUndecodableError:
        if options.fallback is Fallback.REFUSE:
            raise
    return _decode_as(data, Encoding(options.fallback))


def _decode_as(data: bytes, encoding: Encoding) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise TextUndecodableError(f"byte {error.start} is not {encoding}: {error.reason}") from None
