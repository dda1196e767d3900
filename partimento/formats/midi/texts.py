"""Texts in MIDI files: bytes of any encoding, from anyone.

The standard knows ASCII only; files hold UTF-8, and older western ones Windows-1252.
"""

import codecs


def decode_text(raw: bytes, max_characters: int) -> str:
    r"""Decode a text as UTF-8, or where that fails as Windows-1252 with replacement; cut it.

    Examples
    --------
    >>> decode_text("Für Elise".encode(), 200), decode_text(b"F\xfcr Elise", 200)
    ('Für Elise', 'Für Elise')
    >>> decode_text(b"\x81", 200)
    '\ufffd'
    """
    head = raw[: 4 * max_characters + 4]  # no character of UTF-8 is longer than 4 bytes
    try:
        if len(head) == len(raw):
            return raw.decode()[:max_characters]
        # The end of the head may cut a character in half.
        return codecs.getincrementaldecoder("utf-8")().decode(head)[:max_characters]
    except UnicodeDecodeError:
        return head.decode("cp1252", errors="replace")[:max_characters]


def printable(text: object) -> str:
    r"""Write a text that may come from a stranger, with what cannot be printed escaped.

    Examples
    --------
    >>> print(printable("a\x1b[2Jb"))
    a\x1b[2Jb
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in str(text)
    )
