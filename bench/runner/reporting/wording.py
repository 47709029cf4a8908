"""Numbers, units and dates as people read them."""
import shlex

PARTS = ("program", "broker", "redis")
PART_NAMES = {"program": "program", "broker": "broker", "redis": "Redis"}


def significant(value, digits=3):
    """1234.5 -> 1230, 0.012345 -> 0.0123; as text, no exponent."""
    if value == 0:
        return "0"
    text = f"{value:.{digits}g}"
    if "e" in text:
        text = f"{float(text):f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return text


def fixed(value):
    """Two or three digits that stay comparable within a column: 12.3, 1.23, 0.12."""
    magnitude = abs(value)
    if magnitude >= 1000:
        return grouped(value)
    return f"{value:.0f}" if magnitude >= 100 else f"{value:.1f}" if magnitude >= 10 else f"{value:.2f}"


def rate(value):
    """Events per second."""
    if value >= 1e6:
        return f"{fixed(value / 1e6)} M"
    if value >= 1e4:
        return f"{value / 1e3:.0f} k"
    return grouped(value)


def grouped(value):
    return f"{value:,.0f}"


def count(value):
    """200000 -> 200,000; 10000000 -> 10 million."""
    if value >= 1e6:
        return f"{significant(value / 1e6, 4)} million"
    return grouped(value)


def short_count(value):
    """For the axes of charts: 10 k, 1 M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{significant(value / size)} {letter}"
    return significant(value)


def size(value):
    for unit, letter in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if abs(value) >= unit:
            return f"{significant(value / unit)} {letter}"
    return f"{value:.0f} B"


def duration(seconds):
    """0.0042 -> 4.2 ms."""
    if seconds == 0:
        return "0 s"
    if seconds >= 100:
        return f"{seconds:.0f} s"
    if seconds >= 1:
        return f"{significant(seconds)} s"
    if seconds >= 1e-3:
        return f"{significant(seconds * 1e3)} ms"
    return f"{significant(seconds * 1e6)} µs"


def percentile(share):
    """0.999 -> 99.9 %."""
    return f"{significant(share * 100, 6)} %"


def day(moment):
    return f"{moment.day} {moment.strftime('%B %Y')}"


def command(words):
    return shlex.join(str(word) for word in words)


def listing(words):
    words = list(words)
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else ""
