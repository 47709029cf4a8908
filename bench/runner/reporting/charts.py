"""The figures of the report as SVG. Each takes the name and the width that it is drawn for, so that a narrow
window gets a drawing of its own rather than small print. Nothing is told by colour alone: parts of a bar are
hatched, lines have marks of different shape and dashes, and values stand beside their bars."""
import math
from dataclasses import dataclass, field

from . import wording
from .svg import Canvas, Linear, Logarithmic, nice_step, powers_of_ten, ticks_from_zero

LETTER = 7.1            # width of a letter of the drawings' text, about
SHAPES = ("circle", "square", "diamond", "triangle")
SERIES = 6              # classes line-1 … of the style sheet


@dataclass
class Bar:
    label: str
    value: str                      # what is written at its end
    segments: list                  # [(fill, length, tip), …]
    note: str = ""                  # beside the label, where there is room
    low: float | None = None        # whiskers
    high: float | None = None
    strong: bool = False


@dataclass
class Line:
    label: str
    points: list                    # [(x, y), …]
    marks: bool = True
    tips: list = field(default_factory=list)


# how the parts of a stacked bar are filled
FILLS = dict(zip(wording.PARTS, ("solid", "hatched", "dotted")))
LEGEND = [(FILLS[part], wording.PART_NAMES[part]) for part in wording.PARTS]


def patterns(canvas):
    """The fills that are more than a colour."""
    canvas.parts.append(
        f'<defs><pattern id="{canvas.name}-hatched" width="5" height="5" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="5" height="5" class="hatched"/>'
        '<rect width="1.6" height="5" class="stripe"/></pattern>'
        f'<pattern id="{canvas.name}-dotted" width="6" height="6" patternUnits="userSpaceOnUse">'
        '<rect width="6" height="6" class="dotted"/><circle cx="3" cy="3" r="1.2" class="stripe"/></pattern></defs>')


def filled(canvas, x, y, width, height, fill, tip=None):
    style = f"fill:url(#{canvas.name}-{fill})" if fill in ("hatched", "dotted") else None
    canvas.rect(x, y, width, height, fill, tip, style=style)


def legend_of_fills(canvas, y, legend):
    """Wraps; returns the height it took."""
    x, row = 0, y
    for fill, text in legend:
        taken = 22 + LETTER * len(text) + 18
        if x + taken - 18 > canvas.width and x:
            x, row = 0, row + 20
        filled(canvas, x, row - 10, 16, 12, fill)
        canvas.text(x + 22, row, text, "muted")
        x += taken
    return row - y + 20


def bars(name, width, title, description, rows, legend=(), axis=None):
    """One bar under each label, so that long names need no column. axis: how a value of the axis is written."""
    canvas = Canvas(name, width, title, description)
    patterns(canvas)
    top = 12 + legend_of_fills(canvas, 14, legend) if legend else 6
    longest = max([sum(length for _, length, _ in row.segments) for row in rows] + [row.high or 0 for row in rows])
    x = Linear(0, longest, 0, width - 2)
    bottom = top + 44 * len(rows)
    if axis:
        bottom = axis_below(canvas, x, longest, top, bottom, axis)
    for index, row in enumerate(rows):
        draw_bar(canvas, row, top + index * 44, width, x)
    return canvas.finish(bottom)


def axis_below(canvas, x, longest, top, bottom, text):
    step = nice_step(longest, 8 if canvas.width > 500 else 4)
    for number in range(int(longest / step + 1e-9) + 1):
        at = x(number * step)
        canvas.line(at, top, at, bottom, "grid")
        anchor = "start" if number == 0 else "end" if at > canvas.width - 20 else "middle"
        canvas.text(at, bottom + 16, text(number * step), "tick", anchor)
    return bottom + 22


def draw_bar(canvas, row, y, width, x):
    strong = "strong" if row.strong else "label"
    room = width - LETTER * (len(row.label) + len(row.value) + 4)
    note = row.note if len(row.note) * LETTER < room else ""
    canvas.words(0, y + 13, [(row.label, strong), (note, "muted")])
    canvas.text(width - 1, y + 13, row.value, strong + " halo", "end")
    canvas.rect(0, y + 20, width - 2, 14, "track")
    start = 0
    for fill, length, tip in row.segments:
        filled(canvas, x(start), y + 20, max(x(start + length) - x(start), 0.8 if length else 0), 14, fill, tip)
        start += length
    if row.low is not None and row.high > row.low:
        for klass in ("behind", "whisker"):
            canvas.line(x(row.low), y + 27, x(row.high), y + 27, klass)
            for end in (row.low, row.high):
                canvas.line(x(end), y + 23, x(end), y + 31, klass)


def frame(canvas, left, right, top, bottom, scale, ticks, text):
    """Horizontal grid lines with their values."""
    for tick in ticks:
        canvas.line(left, scale(tick), right, scale(tick), "axis" if tick == ticks[0] else "grid")
        canvas.text(left - 6, scale(tick) + 4, text(tick), "tick", "end")


def legend_of_lines(canvas, lines, left, y, width):
    """Wraps into the width; returns the height it took."""
    x, row = left, y
    for index, line in enumerate(lines):
        taken = 32 + LETTER * len(line.label) + 16
        if x + taken > width and x > left:
            x, row = left, row + 20
        klass = f"line-{index % SERIES + 1}"
        canvas.line(x, row - 4, x + 24, row - 4, f"line {klass}")
        canvas.mark(x + 12, row - 4, SHAPES[index % len(SHAPES)], f"dot {klass}")
        canvas.text(x + 32, row, line.label, "muted")
        x += taken
    return row - y + 20


def draw_line(canvas, line, index, x, y):
    klass = f"line-{index % SERIES + 1}"
    canvas.path([(x(a), y(b)) for a, b in line.points], f"line {klass}")
    for number, (a, b) in enumerate(line.points):
        tip = line.tips[number] if number < len(line.tips) else None
        if line.marks is True or number % line.marks == line.marks // 2:
            canvas.mark(x(a), y(b), SHAPES[index % len(SHAPES)], f"dot {klass}", tip)


@dataclass
class Axis:
    low: float
    high: float
    ticks: list                     # [(where, text), …], rising
    name: str = ""


def plot(name, width, title, description, lines, across, write, goals=(), height=210):
    """Lines over `across`; the other axis begins at zero, its values written by `write`. goals: [(value, text), …]."""
    canvas = Canvas(name, width, title, description)
    left, right = 58, width - 14
    top = 14 + legend_of_lines(canvas, lines, 0, 14, width)
    bottom = top + height
    ticks = ticks_from_zero(max([y for line in lines for _, y in line.points] + [goal for goal, _ in goals]), 4)
    y = Linear(0, ticks[-1], bottom, top)
    x = Linear(across.low, across.high, left, right)
    frame(canvas, left, right, top, bottom, y, ticks, write)
    label_points(canvas, [x(at) for at, _ in across.ticks], [text for _, text in across.ticks], bottom)
    if across.name:
        canvas.text((left + right) / 2, bottom + 36, across.name, "muted", "middle")
    for goal, text in goals:
        canvas.line(left, y(goal), right, y(goal), "goal")
        canvas.text(left + 4, y(goal) - 5, text, "muted halo")
    for index, line in enumerate(lines):
        draw_line(canvas, line, index, x, y)
    return canvas.finish(bottom + (42 if across.name else 24))


def along_topic(name, width, title, description, lines):
    """Throughput while a topic was read; x is the share of the topic, for runs last from seconds to minutes."""
    ticks = [(share, f"{share * 100:.0f} %") for share in (0.1, 0.25, 0.5, 0.75, 1)]
    axis = Axis(0.1, 1, ticks, "of the topic committed")
    return plot(name, width, title, description, lines, axis, wording.short_count)


def by_second(name, width, title, description, lines, goals=()):
    """Times (seconds) along the seconds of a run."""
    seconds = [x for line in lines for x, _ in line.points]
    low, high = min(seconds), max(max(seconds), min(seconds) + 1)
    step = max(nice_step(high - low, 8 if width > 500 else 4), 1)
    first = math.ceil(low / step)
    ticks = [(number * step, f"{number * step:g} s") for number in range(first, int(high / step) + 1)]
    axis = Axis(low, high, ticks, "since the first event")
    return plot(name, width, title, description, lines, axis, wording.duration, goals, 170)


def trend(name, width, title, description, lines, texts, goals=()):
    """From commit to commit; x is the number of the commit."""
    axis = Axis(-0.3, max(len(texts) - 0.7, 0.3), list(enumerate(texts)))
    return plot(name, width, title, description, lines, axis, wording.significant, goals, 180)


def nines(share):
    """The axis of the percentile plot: 0 at the fastest, then one for each further nine."""
    return -math.log10(max(1 - share, 1e-9))


def percentiles(name, width, title, description, lines, goals=()):
    """lines: x is a share 0..1, y seconds. goals: [(share, seconds, text), …]."""
    canvas = Canvas(name, width, title, description)
    left, right = 58, width - 12
    top = legend_of_lines(canvas, lines, 0, 14, width) + 18
    bottom = top + 250
    values = [y for line in lines for _, y in line.points if y > 0] + [goal[1] for goal in goals]
    decades = powers_of_ten(min(values), max(values))
    y = Logarithmic(decades[0], decades[-1], bottom, top)
    last = max([nines(share) for line in lines for share, _ in line.points] + [4])
    x = Linear(0, last, left, right)
    frame(canvas, left, right, top, bottom, y, decades, wording.duration)
    shares = [share for share in (0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999) if nines(share) <= last + 0.01]
    for share in shares:
        canvas.line(x(nines(share)), top, x(nines(share)), bottom, "grid")
    label_points(canvas, [x(nines(share)) for share in shares],
                 [wording.percentile(share).replace(" ", "") if share else "min" for share in shares], bottom)
    canvas.text((left + right) / 2, bottom + 36, "percentile", "muted", "middle")
    for index, line in enumerate(lines):
        draw_line(canvas, line, index, lambda share: x(nines(share)), lambda seconds: y(max(seconds, decades[0])))
    for share, seconds, text in goals:
        draw_goal(canvas, x(nines(share)), y(seconds), text)
    return canvas.finish(bottom + 42)


def draw_goal(canvas, x, y, text):
    """A ceiling with a label: the line should pass under it."""
    canvas.line(x - 20, y, x + 20, y, "goal")
    for end in (x - 20, x + 20):
        canvas.line(end, y, end, y + 5, "goal")
    canvas.text(x, y - 6, text, "muted halo", "middle")


def positions(values, left, right):
    """On a logarithmic axis; evenly spaced where one is zero."""
    if len(values) < 2:
        return [(left + right) / 2] * len(values)
    if 0 < min(values) < max(values):
        scale = Logarithmic(min(values), max(values), left, right)
        return [scale(value) for value in values]
    return [left + (right - left) * index / (len(values) - 1) for index in range(len(values))]


def label_points(canvas, places, texts, bottom):
    """Labels under the axis, without those that would run into one another."""
    taken = -math.inf
    for at, text in zip(places, texts):
        half = LETTER * len(text) / 2
        canvas.line(at, bottom, at, bottom + 4, "axis")
        centre = min(at, canvas.width - half)
        if centre - half > taken:
            canvas.text(centre, bottom + 18, text, "tick", "middle")
            taken = centre + half + 5


def growth(name, width, title, description, values, texts, rates, axis):
    canvas = Canvas(name, width, title, description)
    left, right, top, bottom = 52, width - 30, 28, 178
    canvas.text(0, 13, "events per second", "muted")
    ticks = ticks_from_zero(max(rates), 4)
    y = Linear(0, ticks[-1], bottom, top)
    frame(canvas, left, right + 20, top, bottom, y, ticks, wording.short_count)
    places = positions(values, left + 22, right)
    canvas.path([(at, y(rate)) for at, rate in zip(places, rates)], "line line-1")
    for at, rate, text in zip(places, rates, texts):
        canvas.mark(at, y(rate), "circle", "dot line-1", f"{text}: {wording.rate(rate)} events/s")
    label_points(canvas, places, texts, bottom)
    canvas.text((left + right) / 2, bottom + 37, axis, "muted", "middle")
    return canvas.finish(bottom + 44)


def growth_of_cost(name, width, title, description, values, texts, costs, axis):
    canvas = Canvas(name, width, title, description)
    patterns(canvas)
    left, right, top, bottom = 40, width - 30, 46, 178
    canvas.text(0, 13, "CPU seconds per million events", "muted")
    legend_of_fills(canvas, 33, LEGEND)
    ticks = ticks_from_zero(max(cost.total for cost in costs), 4)
    y = Linear(0, ticks[-1], bottom, top)
    frame(canvas, left, right + 20, top, bottom, y, ticks, wording.significant)
    places = positions(values, left + 28, right)
    nearest = min((b - a for a, b in zip(places, places[1:])), default=60)
    thick = max(min(28, nearest * 0.7), 6)
    for at, cost, text in zip(places, costs, texts):
        base = 0
        for part in wording.PARTS:
            amount = getattr(cost, part)
            filled(canvas, at - thick / 2, y(base + amount), thick, y(base) - y(base + amount), FILLS[part],
                   f"{text}, {wording.PART_NAMES[part]}: {wording.fixed(amount)}")
            base += amount
    label_points(canvas, places, texts, bottom)
    canvas.text((left + right) / 2, bottom + 37, axis, "muted", "middle")
    return canvas.finish(bottom + 44)
