"""Random agreements × random events from a seed. Every agreement is valid; the events are partly hostile.

    python3 generate.py --seed 7 --size 500 --out FOLDER [--words while,verdicts]   writes agreement.yaml and events.jsonl
"""

import argparse
import json
import os
import random
import re
import unicodedata
import zlib
from collections import namedtuple
from datetime import datetime, timedelta, timezone

import later
import words as all_words
from messages import TIME_MAX, Record

Case = namedtuple("Case", "seed agreement records identity")     # identity: persons.Identity or None

HOUR, DAY = 3_600_000, 86_400_000
ZONES = ("America/Sao_Paulo", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/New_York", "Asia/Tokyo",
         "Pacific/Kiritimati", "America/St_Johns", "Africa/Casablanca", "Pacific/Apia", "UTC")
# Near a change of clocks, an end of month or year, a leap day, or nothing at all.
BASES = ("2026-03-29T12:00", "2026-10-25T12:00", "2026-11-01T18:00", "2026-03-08T20:00", "2027-01-01T06:00",
         "2024-03-01T03:00", "2026-04-05T00:00", "2026-11-20T09:30", "1970-01-05T00:00", "2018-02-18T12:00")
PAGES = ("/", "/pricing", "/pricing/teams", "/docs/api", "/blog/2026/how-to", "/Pricing", "/caf%C3%A9", "/demo",
         "/a//b/", "/preços", "/pricing?plan=x", "/demo#form", "#", "pricing")
HOSTS = ("example.com", "www.example.com", "docs.example.com", "rival.example")
CHANNELS = ("google", "newsletter", "ads", "Partner X", "linkedin", "Anúncio", "rádio")
CAMPAIGNS = ("spring", "Spring Sale", "q4-2026", "100", "launch*", "verão", "no", "on", "true", "1.50", "ação")
FORMS = ("demo-request", "contact", "Newsletter", "trial")
AGENTS = ("Mozilla/5.0 (X11; Linux)", "curl/8.0", "Monitoring bot 1.2")
SESSIONS = ("s1", "s2", "S3")
TITLES = ("Owner", "Sales Director", "DIRETORA", "diretora comercial", "Head of IT", "student", "VP", "Gérant", "Straße")
COMPANIES = ("Acme", "ACME GmbH", "Çelik A.Ş.", "Ångström", "no", "full", "ＦＵＬＬ", "oﬃce")
EMAILS = ("ana@rival.example", "bob@Example.com", "x@y@ourselves.example", "nobody", "zoe@", "é@CAFÉ.example")
COUNTRIES = ("BR", "br", "DE", "US", "NO")
NUMBERS = ("7", "18", "49.5", "50", "500", "500.000001", "-3", "+60", "007", "1e3", "1 000", "1234567890123", "50.",
           "18.0000001")
PLANS = ("gold", "Gold", "free", "trial")
EVENT_VOCABULARY = {
    "page": PAGES, "url": ("https://example.com/pricing", "/demo"), "host": HOSTS,
    "referrer": ("https://www.google.com/", "https://rival.example/x"), "channel": CHANNELS, "campaign": CAMPAIGNS,
    "session": SESSIONS, "user_agent": AGENTS, "target": ("/download", "https://example.com/pricing", "cta"),
    "form": FORMS, "utm_source": CHANNELS, "utm_medium": ("cpc", "email"), "utm_campaign": CAMPAIGNS,
    "utm_term": ("crm",), "utm_content": ("b1",), "field.size": NUMBERS, "field.Topic": ("sales", "Support"),
    "field.email": EMAILS,
}
PROFILE_VOCABULARY = {
    "name": ("Ana", "Zoë", "José da Silva"), "email": EMAILS, "phone": ("+55 11 1234", "123"), "company": COMPANIES,
    "job_title": TITLES, "age": NUMBERS, "employees": NUMBERS, "sector": ("IT", "saúde", "Retail"),
    "segment": ("smb", "Enterprise"), "country": COUNTRIES, "consent": ("true", "false"),
    "email_domain": ("rival.example", "example.com", "ourselves.example", "café.example"),
    "properties.plan": PLANS, "properties.seats": NUMBERS,
}
KINDS = ("visit", "click", "form_fill", "email_sent", "email_delivered", "email_opened", "email_clicked",
         "email_bounced", "email_unsubscribed")
KIND_WEIGHTS = (10, 5, 4, 1, 1, 2, 2, 1, 1)
HOSTILE_TEXTS = ("", " ", "\u0000", "a\u0000b", "*", "a*b", "é" * 700, "x" * 1023 + "é", "x" * 5000, "\u0301", "e\u0301",
                 "ＦＵＬＬ", "İstanbul", "ſtraße", "ΑΣ", "ᾳ", "ﬃ", "한글", "😀", "\u202eabc", '"\\\n\t', "0", "null",
                 "\ufeffbom", "K\u212a", "\U0010ffff", "ñandú", "5\u0301", "-", "1234567890123", "0.1234567")
RAW_NUMBERS = ("0", "-0", "1e3", "1E400", "-1e400", "0.1234567", "-0.0000001", "12345678901234567890", "1000000000000",
               "1000000000001", "1e12", "1.0", "50", "50.0", "49.9999999", "5e-7", "1.5e-6", "9" * 400, "true", "false")
ODD_URLS = ("http://", "https:///x", "//host/x", "example.com/a?utm_source=ads", "mailto:a@b", "?utm_source=ads", "#",
            "https://u:p@Example.COM:8080/pricing?x=1#y", "http://[::1]:80/x", "http://[::1/x", "https://h?x=/y",
            "/pricing?utm_source=%FF&utm_medium=cpc", "/?utm_source=&utm_source=ads&utm_campaign=Spring+Sale",
            "/?utm_source=%zz%4%61ds%", "/?UTM_SOURCE=ads&utm%5Fsource=ads&utm_medium=email", "/#?utm_source=ads",
            "/?&&=&utm_source&utm_campaign=a=b", "/?utm_source=a%00b", "https://例え.jp/道?utm_campaign=ver%C3%A3o",
            "/?utm_source=%F0%9F%98%80;utm_medium=x", "HTTP://EXAMPLE.COM", "https://a@b@example.com/", "x:80/y",
            "/pricing?utm_campaign=" + "%C3%A9" * 600, "http://example.com\\pricing", "/%2Fpricing", "https://:80/x")


# --- YAML -------------------------------------------------------------------------------------------------------------

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*\*?|-?[0-9]+(\.[0-9]+)?")


def scalar(rng, text):
    """A text as YAML: plain where that is safe, else in quotes of either kind."""
    if _PLAIN.fullmatch(text) and rng.random() < 0.7:
        return text
    if rng.random() < 0.5 and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text, ensure_ascii=False)


def flow(rng, value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(rng, item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(rng, item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else scalar(rng, value)


def items(rng, values):
    """A list of mappings, each in flow or in block style."""
    lines = []
    for value in values:
        if rng.random() < 0.5:
            lines.append("  - " + flow(rng, value))
        else:
            parts = [f"{key}: {flow(rng, item)}" for key, item in value.items()]
            lines.append("  - " + "\n    ".join(parts))
        if rng.random() < 0.1:
            lines[-1] += "      # a comment"
    return "\n".join(lines)


# --- agreements -------------------------------------------------------------------------------------------------------

def _piece(rng, word):
    start = rng.randrange(len(word))
    return word[start:start + rng.randint(1, 6)] or word


def _star(rng, word):
    middle = rng.randrange(len(word) + 1)
    piece = _piece(rng, word)
    return rng.choice((word[:middle] + "*", "*" + word[middle:], f"*{piece}*", word[:middle] + "*" + word[-1:], "*",
                       f"*{piece[0]}*{piece[0]}*", f"{word[0]}*{piece}*{word[-1]}", f"*{word[0]}*{piece}"))


_ACCENTS = {"a": "á", "e": "ë", "i": "î", "o": "ø", "n": "ñ", "c": "ç", "A": "Å", "D": "Ḋ", "ss": "ß"}


def _accented(rng, word):
    plain = rng.choice(sorted(_ACCENTS))
    return unicodedata.normalize(rng.choice(("NFC", "NFD")), word.replace(plain, _ACCENTS[plain]))


def _other_case(rng, word):
    if rng.random() < 0.15:
        word = _accented(rng, word)
    return rng.choice((word, word, word.upper(), word.lower()))


def _range(rng):
    low = rng.choice(("-5", "0", "7", "18", "49.5", "50"))
    ends = {"from": low, "to": rng.choice(("50", "60", "500", "+500.0", "999999999999.999999"))}
    if rng.random() < 0.4:
        del ends[rng.choice(("from", "to"))]
    return ends


def _matcher(rng, words, depth=0):
    """Every form that the language has."""
    word = _other_case(rng, rng.choice(words))
    kind = rng.choices(("equal", "list", "star", "contains", "contains_list", "not", "range", "known"),
                       (5, 2, 5, 2, 2, 2 if depth < 2 else 0, 6 if words is NUMBERS else 0.3, 1))[0]
    if kind == "equal":
        return word
    if kind == "list":
        return [rng.choice((w, _star(rng, w))) for w in rng.sample(words, rng.randint(1, min(3, len(words))))]
    if kind == "star":
        return _star(rng, word)
    if kind == "contains":
        return {"contains": _piece(rng, word)}
    if kind == "contains_list":
        return {"contains": [_piece(rng, rng.choice(words)) for _ in range(rng.randint(1, 3))]}
    if kind == "not":
        return {"not": _matcher(rng, words, depth + 1)}
    return _range(rng) if kind == "range" else {"known": True}


def _where(rng, vocabulary, depth=0):
    names = rng.sample(sorted(vocabulary), rng.choices((1, 2, 3), (8, 2, 1))[0])
    where = {name: _matcher(rng, vocabulary[name]) for name in names}
    if depth < 2 and rng.random() < 0.15:
        if rng.random() < 0.6:
            where = {}
        where["any_of"] = [_where(rng, vocabulary, depth + 1) for _ in range(rng.randint(1, 3))]
    return where


def _points(rng):
    return rng.choices((rng.randint(1, 40), rng.randint(-20, 0), rng.choice((0, 10000, -10000, 9999))), (20, 4, 1))[0]


def _half_life(rng):
    return rng.choice(("1m", "30m", "4h", "7h", "1d", "14d", "30d", "3660d", "97m", f"{rng.randint(1, 5000)}h"))


def _behaviour_rule(rng, number, caps, decay):
    rule = {"id": rng.choice(("b", "rule-", "pricing.", "é")) + str(number),
            "event": rng.choices(KINDS, KIND_WEIGHTS)[0]}
    if rng.random() < 0.6:
        # The more common fields more often, so that rules are hit.
        common = {name: EVENT_VOCABULARY[name] for name in ("page", "host", "channel", "campaign")}
        if rule["event"] == "form_fill":
            common.update((name, EVENT_VOCABULARY[name]) for name in ("form", "field.size", "field.Topic"))
        rule["where"] = _where(rng, common if rng.random() < 0.6 else EVENT_VOCABULARY)
    rule["points"] = _points(rng)
    if caps and rng.random() < 0.5:
        rule["at_most"] = {"times": rng.choice((1, 1, 2, 3, 5, 100)),
                           "per": rng.choice(("hour", "day", "week", "month", "ever"))}
    if decay and rng.random() < 0.4:
        rule["half_life"] = _half_life(rng)
    return rule


def _gate(rng, ids, low, high):
    gate = {}
    if rng.random() < 0.8:
        gate["score"] = rng.randint(low, high)
    if rng.random() < 0.3:
        gate["fit"] = rng.randint(low, high) // 3 + 1
    if rng.random() < 0.3:
        gate["behaviour"] = rng.randint(low, high) // 2 + 1
    if rng.random() < 0.2:
        gate["needs_one_of"] = rng.sample(ids, rng.randint(1, min(3, len(ids))))
    if rng.random() < 0.12:
        gate["needs_all_of"] = rng.sample(ids, rng.randint(1, min(2, len(ids))))
    return gate or {"score": low}


def _gates(rng, ids):
    scale = rng.choice((2, 8, 20, 60))
    return {"mql": _gate(rng, ids, 1, scale), "sql": _gate(rng, ids, scale + 1, scale * 3)}


# Words that change no score, stage or promotion.
_ASIDE = ("effective: 2026-11-01", "expires: 2027-02-01", "meeting: week",
          "review: {every: month, next: 2026-12-01, owner: Head of Marketing}",
          "signed:\n  - {side: marketing, by: Head of Marketing, date: 2026-10-28}\n"
          "  - {side: sales, by: Head of Sales, date: 2026-10-28}")


def _odd_words(rng):
    """Words of any printable characters of Unicode, on which folding of case and accents shows."""
    words = []
    while len(words) < 12:
        word = "".join(chr(rng.randrange(0xA0, rng.choice((0x250, 0x530, 0x2000, 0x30000)))) for _ in range(3))
        # Unicode 3.2, so that every Python makes the same words, and no library is asked for what it does not know yet.
        if all(unicodedata.ucd_3_2_0.category(char)[0] in "LMNPS" for char in word):
            words.append(word)
    return words


def _disguised(rng, word):
    word = rng.choice((word, word.upper(), word.lower(), word.title(), word.casefold()))
    return unicodedata.normalize(rng.choice(("NFC", "NFD")), word) if rng.random() < 0.6 else word


def _fit_rule(rng, number):
    common = {name: PROFILE_VOCABULARY[name] for name in ("job_title", "email_domain", "employees", "age", "company")}
    vocabulary = common if rng.random() < 0.6 else PROFILE_VOCABULARY
    return {"id": f"f{number}", "where": _where(rng, vocabulary), "points": _points(rng)}


def _pieces():
    """What the words of later.py are made of here."""
    return later.Pieces(where=_where, gates=_gates, fit_rule=_fit_rule, flow=flow, items=items,
                        profile=PROFILE_VOCABULARY, behaviour_rule=lambda rng, n: _behaviour_rule(rng, n, False, False),
                        agents=AGENTS, pages=PAGES)


def agreement(rng, odd_words, caps=True, decay=True, extra=None, words=frozenset()):
    fit = [_fit_rule(rng, number) for number in range(rng.randint(0, 8))]
    if rng.random() < 0.3:
        fit += [{"id": f"odd{number}", "where": {"company": _disguised(rng, word)}, "points": number}
                for number, word in enumerate(odd_words)]
    behaviour = [_behaviour_rule(rng, n, caps, decay) for n in range(rng.randint(1, 12))]
    behaviour += later.rules(extra, words, _pieces()) if words else []
    parts = [f"agreement: {rng.choice(('demo-saas', 'a', 'Ünïted'))}", f"version: {rng.randint(1, 99)}",
             "behaviour:\n" + items(rng, behaviour),
             "gates:\n" + "\n".join(f"  {stage}: {flow(rng, gate)}" for stage, gate in
                                    _gates(rng, [rule["id"] for rule in behaviour]).items())]
    if fit:
        parts.append("fit:\n" + items(rng, fit))
    if rng.random() < 0.7:
        parts.append(f"zone: {rng.choice(ZONES)}")
    if rng.random() < 0.4:
        limits = {"behaviour": rng.randint(0, 300), "fit": rng.randint(0, 60)}
        if rng.random() < 0.5:
            del limits[rng.choice(sorted(limits))]
        parts.append("limits: " + flow(rng, limits))
    if rng.random() < 0.4:
        parts.append("never:\n" + items(rng, [_where(rng, PROFILE_VOCABULARY) for _ in range(rng.randint(1, 2))]))
    if rng.random() < 0.7:
        names = sorted(set(PROFILE_VOCABULARY) - {"email_domain"})
        parts.append("share: " + flow(rng, rng.sample(names, rng.randint(1, 6))))
    if rng.random() < 0.6:
        parts.append(f"touches: {rng.choice((0, 1, 2, 5, 8, 32))}")
    parts += [text for text in _ASIDE if rng.random() < 0.15]
    if _ASIDE[2] in parts and _ASIDE[3] not in parts:   # whoever calls the review calls the meeting
        parts.append(_ASIDE[3])
    parts += later.parts(extra, words, _pieces(), [rule["id"] for rule in behaviour]) if words else []
    rng.shuffle(parts)
    return "\n".join(parts) + "\n"


# --- events -----------------------------------------------------------------------------------------------------------

def _raw(token):
    """A JSON token that json.dumps would not write; _dump puts it in."""
    return f"@raw@{token}@"


def _dump(rng, message):
    text = json.dumps(message, ensure_ascii=rng.random() < 0.5,
                      separators=rng.choice(((",", ":"), (", ", ": "), (" , ", " :  "))))
    return re.sub(r'"@raw@([^"@]*)@"', r"\1", text).encode()


def _rfc3339(rng, time):
    shift = rng.choice((0, 0, 0, 60, -180, 330, -1439)) if time < 253402214400000 else 0
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=time) + timedelta(minutes=shift)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    if time % 1000 or rng.random() < 0.5:
        decimals = f"{time % 1000:03d}"
        text += "." + rng.choice((decimals, decimals + "0", decimals + "999999", decimals.rstrip("0") or "0"))
    if shift:
        return text + f"{'+' if shift > 0 else '-'}{abs(shift) // 60:02d}:{abs(shift) % 60:02d}"
    text += rng.choice(("Z", "Z", "+00:00", "-00:00", "z"))
    return text.replace("T", "t") if rng.random() < 0.1 else text


class _Events:
    """The state of one run of the generator: leads, what they sent before, the walk of time."""

    def __init__(self, rng, odd_words, size, base, hostile, repeats, kafka, extra=None, words=frozenset(),
                 identity=None):
        self.rng, self.odd_words, self.size, self.base = rng, odd_words, size, base
        self.hostile, self.repeats, self.kafka = hostile, repeats, kafka
        self.span = rng.choice((2 * HOUR, 3 * DAY, 40 * DAY, 400 * DAY))
        count = max(2, size // 12)
        self.leads = [self._lead_id(n) for n in range(count)]
        self.weights = [1 / (rank + 1) ** 1.1 for rank in range(count)]
        self.sent = {}                  # lead id → [(message, value)]
        self.times = {}                 # lead id → times used
        self.said = later.Said(extra, words, hostile, self.leads) if words else None
        self.identity, self.extra = identity, extra

    def _lead_id(self, number):
        if not self.hostile or self.rng.random() < 0.9:
            return f"lead-{number}"
        return f"{number}" + self.rng.choice(("é/%", " x", "😀", '"\\', "\u0000", "%2F", "x" * 250, "{a}", ":", "ẞ\u0301"))

    def _time(self, lead_id, number):
        rng, used = self.rng, self.times.setdefault(lead_id, [])
        time = self.base - self.span + self.span * number // self.size
        if rng.random() < 0.35:
            time -= int(rng.expovariate(1) * rng.choice((HOUR, DAY, 7 * DAY, 35 * DAY)))
        if used and self.repeats and rng.random() < 0.12:
            time = rng.choice(used[-5:])
        if self.hostile and rng.random() < 0.003:
            time = rng.choice((0, 1, 253402300799999, 253402300799000, 951782400000, 253370764800000))
        time = min(max(0, time + rng.choice((0, 0, 100, 250, rng.randrange(1000)))), TIME_MAX)
        if not self.repeats:            # no two events of a lead at one time
            while time in used:
                time += 1
        used.append(time)
        return time

    def _value(self, words):
        rng = self.rng
        if self.hostile and rng.random() < 0.08:
            return rng.choice((rng.choice(HOSTILE_TEXTS), None, _raw(rng.choice(RAW_NUMBERS)), rng.choice(words)))
        return _other_case(rng, rng.choice(words))

    def _url(self):
        rng = self.rng
        if self.hostile and rng.random() < 0.15:
            return rng.choice(ODD_URLS)
        host = rng.choice(("", "", "", "me@", "a:b@", "a@b@")) + _other_case(rng, rng.choice(HOSTS)) \
            + rng.choice(("", "", "", ":8080", ":"))
        url = rng.choice(("", "", f"https://{host}", f"https://{host}", f"//{host}")) + rng.choice(PAGES)
        query = [f"{name}={rng.choice(EVENT_VOCABULARY[name]).replace(' ', rng.choice(('+', '%20')))}"
                 for name in ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
                 for _ in range(2) if rng.random() < 0.12]
        rng.shuffle(query)
        return url + ("?" + "&".join(query) if query else "") + rng.choice(("", "", "#top"))

    def _texts(self, kind):
        rng, fields = self.rng, {}
        if rng.random() < 0.6:
            fields["url"] = self._url()
        for name, share in (("page", 0.5), ("referrer", 0.2), ("channel", 0.3), ("campaign", 0.3), ("session", 0.5),
                            ("user_agent", 0.3), ("target", 0.8 if kind == "click" else 0.02),
                            ("form", 0.9 if kind == "form_fill" else 0.02)):
            if rng.random() < share:
                fields[name] = self._value(EVENT_VOCABULARY[name])
        return fields

    def _form_fields(self):
        rng = self.rng
        fields = {name: self._value(words) for name, words in
                  (("size", NUMBERS), ("Topic", ("sales", "Support")), ("email", EMAILS), ("job_title", TITLES),
                   ("employees", NUMBERS), ("Company", COMPANIES), ("name", ("Ana", "Zoë"))) if rng.random() < 0.4}
        if self.hostile and rng.random() < 0.05:
            fields[rng.choice(("x", "email", "size"))] = rng.choice(([1], {"a": None}))
        return fields

    def _profile(self):
        rng = self.rng
        fields = {name: self._value(words) for name, words in PROFILE_VOCABULARY.items()
                  if "." not in name and name != "email_domain" and rng.random() < 0.4}
        for name in ("age", "employees"):
            if name in fields and rng.random() < 0.5:
                fields[name] = rng.choice((18, 50, 49.5, 500, 7))
        if "company" in fields and rng.random() < 0.5:
            fields["company"] = _disguised(rng, rng.choice(self.odd_words))
        if "consent" in fields and rng.random() < 0.7:
            fields["consent"] = rng.random() < 0.5
        if rng.random() < 0.5:
            fields["properties"] = {"plan": self._value(PLANS), "seats": self._value(NUMBERS), "other": self._value(PLANS)}
        for name in list(fields):
            if rng.random() < 0.06:
                fields[name] = rng.choice((None, "")) if name != "properties" else None
        return fields

    def message(self, lead_id, number):
        rng = self.rng
        kind = "profile" if rng.random() < 0.12 else rng.choices(KINDS, KIND_WEIGHTS)[0]
        time = self._time(lead_id, number)
        message = {"kind": kind, "event_id": self._event_id(number), "lead_id": lead_id,
                   "time": time if rng.random() < 0.5 else _rfc3339(rng, time)}
        message.update(self._texts(kind) if kind != "profile" or rng.random() < 0.05 else {})
        if kind == "form_fill" and rng.random() < 0.8:
            message["fields"] = self._form_fields()
        if kind == "profile":
            message.update(self._profile())
        if self.identity:
            later.name_person(self.extra, self.identity, message, self.leads.index(lead_id))
        if self.hostile and rng.random() < 0.1:
            message["x_" + str(number)] = rng.choice((1, None, [1, {"a": [None]}], {"b": {"c": "d"}}, "z" * 3000, "\u0000"))
        if rng.random() < 0.3:
            pairs = list(message.items())
            rng.shuffle(pairs)
            message = dict(pairs)
        return message

    def _event_id(self, number):
        if self.hostile and self.rng.random() < 0.03:
            return self.rng.choice((f"é{number}", f"{number:0256d}", _raw(number), f"\u0000{number}", f"{number}😀"))
        return f"e{number}"

    def repeated(self, lead_id):
        """Something that this lead sent before: the same bytes, or other contents under the same id."""
        rng, before = self.rng, self.sent[lead_id]
        message, value = rng.choice(before[-9:] if rng.random() < 0.7 else before)
        if rng.random() < 0.8:
            return value
        return _dump(rng, {**message, "page": rng.choice(PAGES), "kind": rng.choice(("visit", "click"))})

    def dead(self, lead_id, number):
        """A message that is a dead letter, each for another reason; (key, timestamp, value)."""
        rng = self.rng
        message = {"kind": "visit", "event_id": f"d{number}", "lead_id": lead_id, "time": self.base, "page": "/pricing"}
        changes = [("kind", v) for v in ("purchase", "Visit", None, "", 5, {})]
        changes += [("event_id", v) for v in (None, "", "x" * 257, "é" * 129, _raw("1e13"))]
        changes += [("lead_id", v) for v in (None, "", "y" * 257, "é" * 129, _raw("10000000000000"))]
        changes += [("time", v) for v in (None, "", "yesterday", -1, 253402300800000, 1.5, _raw("1e12"), True, [], {},
                                          "2026-02-30T00:00:00Z", "2026-11-01T25:00:00Z", "2026-11-01T12:00:00",
                                          "1969-12-31T23:59:59.999Z", "2026-11-01T12:00:60Z", "1793534400000")]
        changes += [("page", {}), ("url", []), ("fields", "x"), ("fields", [1]), ("channel", ["a"])]
        name, value = rng.choice(changes)
        good = _dump(rng, message)
        raw = rng.choice((b"x", b"[]", b'"{"', b" {}", b"{", b"{}", b"null", good + b"x", good[:-1], good[:20],
                          good.replace(b"lead", b"\xff\xfe"), good[:-1] + b",}", good[:-1] + b',"kind":"visit"}',
                          good[:-1] + b',"fields":{"a":1,"a":2}}', good[:-1] + b',"a":NaN}', good[:-1] + b',"a":01}',
                          good[:-1] + b',"a":"\\ud800"}', good[:-1] + b',"a":"\\x"}', good[:-1] + b',"a":"\x01"}',
                          good[:-1] + b',"a":' + b"[" * 200 + b"]" * 200 + b"}", good[:-1] + b',"a":tru}',
                          good[:-1] + b',"a":"\xc0\x80"}', good[:-1] + b',"a":"\xed\xa0\x80"}', b"\xef\xbb\xbf" + good))
        return _dump(rng, {**message, name: value}) if rng.random() < 0.6 else raw

    def misdelivered(self, lead_id, number):
        """Dead letters that only a broker's record can be: (key, ms that the event is ahead, value)."""
        message = {"kind": "visit", "event_id": f"m{number}", "lead_id": lead_id, "time": self.base}
        key = lead_id.encode()
        return self.rng.choice(((None, 0, _dump(self.rng, message)), (b"other", 0, _dump(self.rng, message)),
                                (key, 0, None), (key, 0, b""), (b"", 0, _dump(self.rng, message)),
                                (key, 300001, _dump(self.rng, message)), (key, 300000, _dump(self.rng, message))))

    def records(self, partitions):
        rng, offsets = self.rng, [0] * partitions
        for number in range(self.size):
            lead_id = rng.choices(self.leads, self.weights)[0]
            key, timestamp = lead_id.encode(), self.base + number if self.kafka else None
            partition = zlib.crc32(key) % partitions
            roll = rng.random()
            if self.said and self.said.wanted():
                value = _dump(rng, self.said.message(lead_id, number, self._time(lead_id, number)))
                key = self.said.last.encode()
                partition = zlib.crc32(key) % partitions
            elif self.repeats and roll < 0.08 and lead_id in self.sent:
                value = self.repeated(lead_id)
            elif self.hostile and roll < 0.13:
                value = self.dead(lead_id, number)
            elif self.hostile and self.kafka and roll < 0.15:
                key, ahead, value = self.misdelivered(lead_id, number)
                timestamp = self.base - ahead
            else:
                message = self.message(lead_id, number)
                value = _dump(rng, message)
                self.sent.setdefault(lead_id, []).append((message, value))
            yield Record(partition, offsets[partition], timestamp, key, value)
            offsets[partition] += 1


def case(seed, size=500, caps=True, decay=True, hostile=True, repeats=True, kafka=False, partitions=1, base=None,
         words=all_words.IN_FORCE):
    """A random agreement and a log of `size` records.

    caps, decay: at_most and half_life may occur. hostile: odd values and dead letters. repeats: repeated events, and
    several events of one lead at one time. kafka: records have timestamps, and dead letters that need a key or a
    timestamp occur; otherwise as in a file for `baton try`. base: newest ordinary event time and first record
    timestamp, ms; default: a time of interest. words: what of words.py may occur; without, a seed makes what it always
    made.
    """
    rng = random.Random(seed)
    odd_words = _odd_words(rng)
    extra = random.Random(f"{seed} {sorted(words)}")
    text = agreement(rng, odd_words, caps, decay, extra, words)
    if base is None:
        base = int(datetime.fromisoformat(rng.choice(BASES) + "+00:00").timestamp() * 1000)
    identity = later.identity(extra, words)
    return Case(seed, text, list(_Events(rng, odd_words, size, base, hostile, repeats, kafka, extra, words,
                                         identity).records(partitions)), identity)


def main():
    parser = argparse.ArgumentParser(description="Write a random agreement and its events.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=500, help="number of records")
    parser.add_argument("--plain", action="store_true", help="no hostile values and no dead letters")
    parser.add_argument("--out", default=".")
    parser.add_argument("--words", type=all_words.parse, default="", help="words that are not in force yet, or all")
    arguments = parser.parse_args()
    made = case(arguments.seed, arguments.size, hostile=not arguments.plain, words=arguments.words)
    os.makedirs(arguments.out, exist_ok=True)
    with open(os.path.join(arguments.out, "agreement.yaml"), "w", encoding="utf-8") as file:
        file.write(made.agreement)
    with open(os.path.join(arguments.out, "events.jsonl"), "wb") as file:
        file.writelines(record.value + b"\n" for record in made.records)
    if made.identity:
        with open(os.path.join(arguments.out, "baton.yaml"), "w", encoding="utf-8") as file:
            json.dump({"identity": made.identity._asdict()}, file)


if __name__ == "__main__":
    main()
