"""The text's transformation: bytes in, UTF-8 out, nothing else touched."""

from headrace.normalizer.sizes import check_size
from headrace.transformations.text.cleaning import change_form, treat_controls, treat_white_space, unify_line_ends
from headrace.transformations.text.decoding import decode
from headrace.transformations.text.errors import TextEmptyError
from headrace.transformations.text.lengths import limit
from headrace.transformations.text.markup import remove_markup
from headrace.transformations.text.options import LARGEST_FILE, LineEnds, Markup, Options


def transform(data: bytes, options: Options) -> bytes:
    """The text as the options ask for it; of a text that it has made, with the markup kept, it makes the same again.

    Raises:
        NormalizeError: What is wrong with the text, as one of its subclasses.
    """
    check_size(len(data), LARGEST_FILE)
    text = decode(data, options)
    if options.markup is Markup.REMOVE:
        text = remove_markup(text)
    text = unify_line_ends(text, options.line_ends)
    text = treat_controls(text, options.controls)
    # Without what stood between them, letters and accents may have come together.
    text = change_form(text, options.form)
    text = treat_white_space(text, options.white_space)
    if options.line_ends is LineEnds.CRLF:
        text = text.replace("\n", "\r\n")
    cleaned = limit(text, options)
    if not cleaned:
        raise TextEmptyError("nothing is left of the text")
    return cleaned.encode()
