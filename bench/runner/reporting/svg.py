"""A canvas for one SVG drawing, and the scales of its axes. Colours are CSS classes: the page has a light, a
dark and a printed set of them."""
import math
from html import escape


class Canvas:
    """`name` is unique within the page: title, description and patterns are found by it."""

    def __init__(self, name, width, title, description):
        self.name, self.width, self.title, self.description = name, width, title, description
        self.parts = []

    def add(self, element, text=None, tip=None, **attributes):
        inner = f"<title>{escape(tip)}</title>" if tip else ""
        inner += escape(text) if text is not None else ""
        written = "".join(f' {attribute(key)}="{escape(value(given))}"' for key, given in attributes.items()
                          if given is not None)
        self.parts.append(f"<{element}{written}>{inner}</{element}>" if inner else f"<{element}{written}/>")

    def text(self, x, y, text, klass="", anchor=None, tip=None):
        self.add("text", text, x=x, y=y, klass=klass or None, text_anchor=anchor, tip=tip)

    def words(self, x, y, words):
        """Words of different classes one after another: [(text, class), …]."""
        spans = []
        for text, klass in words:
            if text:
                gap = ' dx="9"' if spans else ""
                spans.append(f'<tspan class="{klass}"{gap}>{escape(text)}</tspan>')
        self.parts.append(f'<text x="{value(x)}" y="{value(y)}">{"".join(spans)}</text>')

    def line(self, x1, y1, x2, y2, klass):
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, klass=klass)

    def rect(self, x, y, width, height, klass, tip=None, **more):
        self.add("rect", x=x, y=y, width=max(width, 0), height=max(height, 0), klass=klass, tip=tip, **more)

    def path(self, points, klass):
        if points:
            self.add("path", d="M" + "L".join(f"{value(x)} {value(y)}" for x, y in points), klass=klass)

    def mark(self, x, y, shape, klass, tip=None, size=4):
        """Series differ by the shape of their marks as well as by colour."""
        shapes = {
            "circle": None,
            "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
            "diamond": [(0, -1.35), (1.35, 0), (0, 1.35), (-1.35, 0)],
            "triangle": [(0, -1.25), (1.2, 0.95), (-1.2, 0.95)],
        }
        corners = shapes[shape]
        if corners is None:
            self.add("circle", cx=x, cy=y, r=size, klass=klass, tip=tip)
        else:
            self.add("polygon", points=" ".join(f"{value(x + a * size * .9)},{value(y + b * size * .9)}"
                                                for a, b in corners), klass=klass, tip=tip)

    def finish(self, height):
        name, width, height = self.name, value(self.width), value(height)
        return (f'<svg role="img" aria-labelledby="{name}-t {name}-d" viewBox="0 0 {width} {height}" width="{width}" '
                f'height="{height}" xmlns="http://www.w3.org/2000/svg"><title id="{name}-t">{escape(self.title)}</title>'
                f'<desc id="{name}-d">{escape(self.description)}</desc>' + "".join(self.parts) + "</svg>")


def attribute(key):
    return {"klass": "class"}.get(key, key.replace("_", "-"))


def value(given):
    return f"{given:.1f}".rstrip("0").rstrip(".") if isinstance(given, float) else str(given)


class Linear:
    def __init__(self, low, high, start, end):
        self.low, self.high, self.start, self.end = low, high if high > low else low + 1, start, end

    def __call__(self, value):
        return self.start + (self.end - self.start) * (value - self.low) / (self.high - self.low)


class Logarithmic:
    def __init__(self, low, high, start, end):
        self.scale = Linear(math.log10(low), math.log10(high), start, end)

    def __call__(self, value):
        return self.scale(math.log10(value))


def nice_step(span, wanted):
    """The step of 1, 2 or 5 times a power of ten that gives about `wanted` ticks."""
    rough = (span or 1) / max(wanted, 1)
    power = 10 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999)


def ticks_from_zero(high, wanted=5):
    step = nice_step(high or 1, wanted)
    number = math.ceil((high or 1) / step - 1e-9)
    return [step * i for i in range(number + 1)]


def powers_of_ten(low, high):
    """All powers of ten from at or below `low` to at or above `high`."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    return [10.0 ** i for i in range(first, max(last, first + 1) + 1)]
