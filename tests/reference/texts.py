"""Texts: cutting, folding, patterns, numbers, and what is read out of a URL."""

import functools
import re
import unicodedata

TEXT_MAX = 1024
WORD_MAX = 200                  # what a lead keeps for the hand-over: pages, forms, campaigns, channels, rule ids
NUMBER_MAX = 10 ** 12
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}(\.[0-9]{1,6})?")
_UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
_PATH_END = re.compile(r"[?#]")
_HOST_END = re.compile(r"[/?#]")


def cut(text, limit=TEXT_MAX):
    """At most `limit` bytes of UTF-8, never through a character."""
    if len(text) * 4 <= limit:
        return text
    data = text.encode()
    return text if len(data) <= limit else data[:limit].decode(errors="ignore")


def ascii_lower(text):
    return text.lower() if text.isascii() else text.encode().lower().decode()


def _is_mark(char):
    return unicodedata.category(char) in ("Mn", "Mc", "Me")


@functools.lru_cache(maxsize=None)
def _fold_char(char):
    if _is_mark(char):
        return ""
    return "".join(c for c in unicodedata.normalize("NFD", char.casefold()) if not _is_mark(c))


def fold(text):
    """Without case and accents, character by character."""
    return text.lower() if text.isascii() else "".join(map(_fold_char, text))


def pattern(wanted):
    """A function that tells whether a text equals `wanted`, in which `*` stands for any run of characters."""
    if "*" not in wanted:
        return lambda text: text == wanted
    start, *middle, end = wanted.split("*")

    def matches(text):
        if len(text) < len(start) + len(end) or not (text.startswith(start) and text.endswith(end)):
            return False
        position, stop = len(start), len(text) - len(end)
        for part in middle:
            found = text.find(part, position, stop)
            if found < 0:
                return False
            position = found + len(part)
        return True

    return matches


def millionths(text):
    """The number that a text is, in millionths, or None if it is none."""
    if not _NUMBER.fullmatch(text):
        return None
    whole, _, decimals = text.lstrip("+-").partition(".")
    value = int(whole) * 1_000_000 + int(decimals.ljust(6, "0"))
    return -value if text[0] == "-" else value


def number_text(value):
    """A JSON number as text, or None where it counts as absent."""
    if not -NUMBER_MAX <= value <= NUMBER_MAX:
        return None
    if isinstance(value, int):
        return str(value)
    # Choice: a number with a point or an exponent is an IEEE double, rounded to six decimals as "%.6f" does.
    text = ("%.6f" % value).rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


# --- URLs -------------------------------------------------------------------------------------------------------------

def _split(url):
    """(authority or None, the rest)."""
    # Choice: a URL that begins with `/` has no host, also `//x/y`. Elsewhere `//` introduces a host only if it comes
    # before any other `/`, `?` or `#`.
    first = _HOST_END.search(url)
    if url.startswith("/") or not first or not url.startswith("//", first.start()):
        return None, url
    start = first.start() + 2
    end = _HOST_END.search(url, start)
    stop = end.start() if end else len(url)
    return url[start:stop], url[stop:]


def _host(authority):
    # Choice: user information ends at the last `@`; the port begins at the first `:` after it, except in `[…]`.
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        inside, bracket, _ = host.partition("]")
        return ascii_lower(inside + bracket)
    return ascii_lower(host.partition(":")[0])


def until_query(text):
    return _PATH_END.split(text, 1)[0]


def _path(rest):
    # Choice: without a host (`example.com/a`) the path still begins at the first `/`, if no `?` or `#` is before it.
    first = _HOST_END.search(rest)
    if first and first.group() == "/":
        return until_query(rest[first.start():])
    return "/"


def _hex(data):
    try:
        return int(data, 16) if len(data) == 2 and data.isalnum() else None
    except ValueError:
        return None


def percent_decoded(text):
    """`+` is a space, a malformed escape stays as it is. None if the result is not UTF-8."""
    if "%" not in text:
        return text.replace("+", " ")
    pieces = text.replace("+", " ").encode().split(b"%")
    out = bytearray(pieces[0])
    for piece in pieces[1:]:
        byte = _hex(piece[:2])
        if byte is None:
            out += b"%" + piece
        else:
            out.append(byte)
            out += piece[2:]
    try:
        return out.decode()
    except UnicodeDecodeError:
        return None


def _utm(rest):
    query = rest.partition("#")[0].partition("?")[2]
    found = {}
    for parameter in query.split("&"):
        name, _, value = parameter.partition("=")
        # Choice: names compare as they are written; the first one counts, even if it is empty.
        if name in _UTM and name not in found:
            found[name] = percent_decoded(value)
    return {name: value for name, value in found.items() if value}


def url_parts(url):
    """host, page and utm_* of a URL; what is unknown is not in the result. Nothing is cut yet."""
    authority, rest = _split(url)
    parts = _utm(rest) if "?" in rest else {}
    parts["page"] = _path(rest)
    if authority and _host(authority):
        parts["host"] = _host(authority)
    return parts
