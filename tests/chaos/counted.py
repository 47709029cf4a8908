"""The counters of the pact as they lie in Redis, beside those of the reference: every cell of every day and unit."""
from collections import Counter
from urllib.parse import unquote

from pact import NONE

VERSION = 1
MEASURES = ("leads mql sql accepted customer rejected recycled churned assigned contacted meeting proposal negotiating "
            "email_clicked forms kept broken revenue cohort_customer days_contact days_proposal days_customer rule_leads "
            "rule_sql rule_won rule_lost won lost obstacle shadow_both shadow_only shadow_live_only shadow_earlier_h "
            "shadow_won shadow_lost other shadow_live_won shadow_live_lost").split()
DIMENSIONS = ("all channel_first channel_last channel_linear campaign_first campaign_last campaign_linear segment sector "
              "rule seller reason by_page by_campaign").split()
_NUMBERS = {"kept", "broken", "cohort_customer", "days_contact", "days_proposal", "days_customer"}
_WORDS = {"revenue", "obstacle"}
OF_CLOCKS = {"kept", "broken"}


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def zigzag(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def text(self):
        size = self.varint()
        self.at += size
        return self.data[self.at - size:self.at].decode()


def cells_of(data, words):
    """[(measure, dimension, value, second, amount)] of a day."""
    reader, cells = Reader(data), []

    def word(number):
        return words.get(number, f"(word {number} is not there)")

    if reader.byte() != VERSION:
        raise ValueError("another version")
    reader.at += 4
    for _ in range(reader.varint()):
        measure, dimension = MEASURES[reader.byte()], DIMENSIONS[reader.byte()]
        value, second, amount = reader.varint(), reader.varint(), reader.zigzag()
        cells.append((measure, dimension, word(value) if dimension != "all" else "" if measure != "other" else value,
                      word(second) if measure in _WORDS else second if measure in _NUMBERS else "", amount))
    if reader.at != len(data):
        raise ValueError("there is more behind its cells")
    return cells


def statements_of(data):
    reader, found = Reader(data), {}
    reader.at = 5
    for _ in range(reader.varint()):
        channel, campaign, currency = reader.text(), reader.text(), reader.text()
        first, days = reader.zigzag(), reader.varint()
        found[channel, campaign, currency, first, days] = reader.zigzag(), reader.zigzag()
    return found


def read_unit(redis, prefix, unit):
    """({(day, measure, dimension, value, second): amount}, {statement: (time, amount)})"""
    flat = redis("HGETALL", f"{prefix}:{{{unit}}}:words") or []
    words = {int(name): text.decode() for name, text in zip(flat[::2], flat[1::2])} | {0: NONE, 1: "(other)"}
    flat = redis("HGETALL", f"{prefix}:{{{unit}}}:days") or []
    cells, spend = {}, {}
    for name, data in zip(flat[::2], flat[1::2]):
        if name == b"spend":
            spend = statements_of(data)
        elif name.lstrip(b"-").isdigit():
            cells.update({(int(name), *cell[:4]): cell[4] for cell in cells_of(data, words)})
    return cells, spend


def compare(scorer, redis, prefix, partitions, days_of):
    """What is wrong; `days_of(period)` gives (first day, number of days) of what was spent."""
    wrong = []
    for unit in range(partitions):
        found, spent = read_unit(redis, prefix, unit)
        wanted = {key[1:]: amount for key, amount in scorer.cells.items() if key[0] == unit and amount}
        for key in sorted(wanted.keys() | found.keys(), key=str):
            if wanted.get(key) != found.get(key) and key[1] not in OF_CLOCKS:
                wrong.append(f"unit {unit}, {key}: expected {wanted.get(key)}, Redis has {found.get(key)}")
        told = {(channel, campaign, currency, *days_of(period)): value
                for (partition, channel, campaign, currency, period), value in scorer.spend.items() if partition == unit}
        if told != spent:
            wrong.append(f"unit {unit}: spend is {spent}, expected {told}")
    return wrong


CLOCKS = ("first_contact", "verdict", "next_update")


def compare_breaches(breaches, redis, prefix, partitions, erased=frozenset()):
    """Each is told once, and as many are counted as were told and not corrected. Of the `erased`, who had promises,
    nothing more is told: one that was told of may be counted no more, and one that was not may be counted.

    `breaches` are (ce_id, when the clock began): LEAD/GENERATION/CLOCK[/START][/reminder|/kept]. Merges that cross
    give a lead the clock of another one of the same generation: then only the beginning tells the two apart."""
    wrong = [f"breach {one} is there {count} times" for one, count in Counter(breaches).items() if count > 1]
    told, found, of_erased = Counter(), Counter(), Counter()
    for one, _ in breaches:
        parts = one.split("/")
        if len(parts) > 2 and parts[2] in CLOCKS and parts[-1] != "reminder":
            told[parts[2]] += -1 if parts[-1] == "kept" else 1
            if unquote(parts[0]) in erased:
                of_erased[parts[2], parts[0]] += -1 if parts[-1] == "kept" else 1
    for unit in range(partitions):
        for (_, measure, dimension, _, second), amount in read_unit(redis, prefix, unit)[0].items():
            if (measure, dimension) == ("broken", "all"):
                found[CLOCKS[second]] += amount
    for clock in CLOCKS:
        fewer = sum(count for (name, _), count in of_erased.items() if name == clock and count > 0)
        more = len(erased) - len({lead for name, lead in of_erased if name == clock})
        if not told[clock] - fewer <= found[clock] <= told[clock] + more:
            wrong.append(f"{clock}: {told[clock]} were told as broken and not as kept, {found[clock]} are counted; "
                         f"of the erased {fewer} were told, {more} were not")
    return wrong
