"""A Kafka record → an event, or the one reason why it is a dead letter. JSON only: Avro is tested against libavro."""

import json
import math
import re
from collections import namedtuple
from datetime import datetime, timedelta, timezone

from texts import cut, millionths, number_text, until_query, url_parts

# value: the bytes (JSON) or None; for what was sent in another framing, its fields as a dict, or the Rejected it must be.
Record = namedtuple("Record", "partition offset timestamp key value")
# identity: persons.Identity, or None.
Options = namedtuple("Options", "lead_id check_key max_ahead form_profile identity rechecks",
                     defaults=("value", True, 5 * 60 * 1000, "auto", None, True))

TIME_MAX = 253402300799999
ID_MAX = 256
DEPTH_MAX = 64
KINDS = ("visit", "click", "form_fill", "profile", "email_sent", "email_delivered", "email_opened", "email_clicked",
         "email_bounced", "email_unsubscribed")
EVENT_TEXTS = ("url", "page", "referrer", "channel", "campaign", "session", "user_agent", "target", "form")
PROFILE_FIELDS = ("name", "email", "phone", "company", "job_title", "age", "employees", "sector", "segment", "country",
                  "consent")
# What is said of a lead, and what baton writes itself. A `transfer` is not read: the reference unites leads directly.
SAID_KINDS = ("feedback", "adjust", "merge", "erase", "recheck")
REPORTS = ("assigned", "contacted", "meeting", "proposal", "accepted", "negotiating", "customer", "rejected", "churned")
STAGES = ("lead", "mql", "sql", "accepted", "customer", "rejected", "recycled")
POINTS_MAX = 10_000
_SAID_TEXTS = {"feedback": ("report", "verdict", "seller", "reason", "obstacle", "note", "deal_currency"),
               "adjust": ("by", "reason", "stage"), "merge": ("into", "by"), "erase": ("by", "reason"), "recheck": ()}
_KNOWN_TEXTS = ("kind", "event_id", "lead_id") + EVENT_TEXTS + PROFILE_FIELDS
_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))",
                      re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Rejected(Exception):
    """The message is a dead letter; the argument is the reason."""


class Event:
    """What a message says. `texts` holds no empty text; `profile` is [(field, text or None)]. `said`: what a message of
    SAID_KINDS says, by the field's name, texts that are not there left out."""
    __slots__ = ("kind", "id", "lead_id", "time", "texts", "profile", "partition", "offset", "said", "trail", "direct",
                 "value")


# --- JSON -------------------------------------------------------------------------------------------------------------

class _Repeated(dict):
    """An object in which a key stood twice."""


def _object(pairs):
    result = dict(pairs)
    return result if len(result) == len(pairs) else _Repeated(result)


def _integer(token):
    return int(token) if len(token) <= 20 else math.copysign(math.inf, -1 if token[0] == "-" else 1)


def _refuse(token):
    raise ValueError(token)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_constant=_refuse)


def _depth(value):
    deepest, todo = 0, [(value, 1)]
    while todo:
        item, level = todo.pop()
        if isinstance(item, (dict, list)):
            deepest = max(deepest, level)
            todo.extend((inner, level + 1) for inner in (item.values() if isinstance(item, dict) else item))
    return deepest


def _parse(value):
    try:
        text = value.decode()
        message = _DECODER.decode(text)
        # Choice: nesting deeper than 64 levels is unreadable.
        if text.count("{") + text.count("[") > DEPTH_MAX and _depth(message) > DEPTH_MAX:
            raise Rejected("unreadable")
        # Choice: a lone surrogate escape is no text, so the message is unreadable.
        if "\\u" in text:
            json.dumps(message, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Rejected("unreadable") from None
    return message


# --- fields -----------------------------------------------------------------------------------------------------------

def _text(value):
    """A field as text; None where it is absent: null, empty, or a number beyond what becomes text."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else number_text(value)


def _check_types(message):
    # Choice: known fields have their types on every kind. A key twice counts at the top level, in `fields` and in
    # `properties`; it is not looked for inside of what is skipped.
    if isinstance(message, _Repeated):
        raise Rejected("unreadable")
    for name in _KNOWN_TEXTS:
        if isinstance(message.get(name), (dict, list)):
            raise Rejected("unreadable")
    for name in ("fields", "properties"):
        value = message.get(name)
        if isinstance(value, _Repeated) or not (value is None or isinstance(value, dict)):
            raise Rejected("unreadable")


def milliseconds(value):
    """RFC 3339 text or an integer of milliseconds → milliseconds, or None if it is no time from 1970 to 9999."""
    if isinstance(value, str):
        value = _from_rfc3339(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= TIME_MAX:
        return None
    return value


def _from_rfc3339(text):
    # Choice: `t` and `z` may be small; a space for `T`, second 60 and hour 24 are no times; 1 to 9 decimals, cut to ms.
    match = _RFC3339.fullmatch(text)
    if not match:
        return None
    try:
        moment = datetime(*map(int, match.group(1, 2, 3, 4, 5, 6)), tzinfo=timezone.utc)
    except ValueError:
        return None
    result = (moment - _EPOCH) // timedelta(milliseconds=1) + int((match.group(7) or "0").ljust(3, "0")[:3])
    if match.group(8):
        hours, minutes = int(match.group(9)), int(match.group(10))
        if hours > 23 or minutes > 59:
            return None
        shift = (hours * 60 + minutes) * 60000
        result += -shift if match.group(8) == "+" else shift
    return result


def _entries(mapping):
    """name → text, or None for a removal. Objects, lists and numbers that are no text are as if not there."""
    result = {}
    for name, value in (mapping or {}).items():
        if isinstance(value, (dict, list)):
            continue
        text = _text(value)
        if text is not None:
            result[name] = cut(text)
        elif value is None or value == "":
            result[name] = None
    return result


def _texts(message):
    texts = {}
    for name in EVENT_TEXTS:
        text = _text(message.get(name))
        if text:
            texts[name] = text
    # A page that is given wins over the URL's.
    # Choice: it wins even when nothing of it is left before `?` or `#`.
    page = texts.pop("page", None)
    parts = url_parts(texts["url"]) if "url" in texts else {}
    if page is not None:
        parts["page"] = until_query(page)
    texts.update(parts)
    if "channel" not in texts:
        texts["channel"] = parts.get("utm_source") or parts.get("utm_medium")
    if "campaign" not in texts:
        texts["campaign"] = parts.get("utm_campaign")
    return {name: cut(text) for name, text in texts.items() if text}


def _profile_updates(kind, message, fields, form_profile):
    if kind == "profile":
        mentioned = {name: message[name] for name in PROFILE_FIELDS if name in message}
        properties = _entries(message.get("properties"))
        return list(_entries(mentioned).items()) + [("properties." + n, v) for n, v in properties.items()]
    if kind != "form_fill" or form_profile == "none":
        return []
    # Choice: auto knows the eleven named fields, not `properties.x`; a mapping stands in its place.
    mapping = {name: name for name in PROFILE_FIELDS} if form_profile == "auto" else form_profile
    names = sorted((name for name in fields if name in mapping), key=str.encode)
    return [(mapping[name], fields[name]) for name in names]


# --- what is said of a lead -------------------------------------------------------------------------------------------

def _said_texts(message, kind):
    texts = {}
    for name in _SAID_TEXTS[kind]:
        # Choice: an object or a list where a text belongs is bad content; the message itself was readable.
        if isinstance(message.get(name), (dict, list)):
            raise Rejected("bad_content")
        text = _text(message.get(name))
        if text:
            texts[name] = cut(text)
    return texts


def _whole_number(value, low, high):
    """None where nothing is said. A number may stand there as text, as everywhere."""
    text = None if isinstance(value, (dict, list)) else _text(value)
    if text is None and value in (None, ""):
        return None
    if text is None or not re.fullmatch(r"[+-]?[0-9]{1,12}", text) or not low <= int(text) <= high:
        raise Rejected("bad_content")
    return int(text)


def currency_code(text):
    """Three letters A to Z; small ones are taken for capitals."""
    if not re.fullmatch(r"[A-Za-z]{3}", text):
        raise Rejected("bad_content")
    return text.upper()


def _feedback(message, event):
    said = _said_texts(message, "feedback")
    report = said.get("report", "verdict")
    said["report"] = said.get("verdict") if report == "verdict" else report
    if said["report"] not in REPORTS:
        raise Rejected("bad_content")
    said["generation"] = _whole_number(message.get("generation"), 1, 65535)
    deal = message.get("deal_value")
    text = None if isinstance(deal, (dict, list)) else _text(deal)
    if isinstance(deal, (dict, list)) or text and millionths(text) is None:
        raise Rejected("bad_content")
    if "deal_currency" in said:
        said["deal_currency"] = currency_code(said["deal_currency"])
    said["at"] = event.time if message.get("at") is None else milliseconds(message["at"])
    if said["at"] is None:
        raise Rejected("bad_content")
    return said


def _adjust(message, event):
    said = _said_texts(message, "adjust")
    said["points"] = _whole_number(message.get("points"), -POINTS_MAX, POINTS_MAX)
    # Choice: what adjusts nothing is bad content, 0 points without a stage included.
    if "by" not in said or "reason" not in said or not (said["points"] or "stage" in said):
        raise Rejected("bad_content")
    if said.get("stage", "lead") not in STAGES:
        raise Rejected("bad_content")
    return said


def _merge(message, event):
    said = _said_texts(message, "merge")
    if not said.get("into") or len(_text(message["into"]).encode()) > ID_MAX:
        raise Rejected("bad_content")
    if said["into"] == event.lead_id:
        raise Rejected("merge_into_itself")
    return said


_SAID = {"feedback": _feedback, "adjust": _adjust, "merge": _merge,
         "erase": lambda message, event: _said_texts(message, "erase"), "recheck": lambda message, event: {}}


# --- the whole message, checks in their fixed order -------------------------------------------------------------------

def _check_id(text, missing, too_long):
    if not text:
        raise Rejected(missing)
    if len(text.encode()) > ID_MAX:
        raise Rejected(too_long)
    return text


def _lead_id(message, record, options):
    if options.lead_id == "key":
        if record.key and len(record.key) > ID_MAX:
            raise Rejected("lead_id_too_long")
        try:
            return _check_id((record.key or b"").decode(), "no_lead_id", "lead_id_too_long")
        except UnicodeDecodeError:
            raise Rejected("lead_id_not_utf8") from None
    lead_id = _check_id(_text(message.get("lead_id")), "no_lead_id", "lead_id_too_long")
    if options.check_key and record.key != lead_id.encode():
        raise Rejected("key_mismatch")
    return lead_id


def _decoded(record):
    value = record.value
    if isinstance(value, dict):
        return value
    if isinstance(value, Rejected):
        raise value
    if not value:
        raise Rejected("empty")
    if value[:1] == b"\x00" or value[:2] == b"\xc3\x01":
        raise NotImplementedError("the reference reads JSON only")
    if value[:1] != b"{":
        raise Rejected("unknown_framing")
    return _parse(value)


def read(record, options=Options()):
    """The event of a record; raises Rejected. A record without timestamp is taken at its event time."""
    message = _decoded(record)
    _check_types(message)
    event = Event()
    event.partition, event.offset = record.partition, record.offset
    event.kind = _text(message.get("kind"))
    if event.kind not in KINDS + SAID_KINDS or event.kind == "recheck" and not options.rechecks:
        raise Rejected("unknown_kind")
    event.id = _check_id(_text(message.get("event_id")), "no_event_id", "event_id_too_long")
    event.lead_id = _lead_id(message, record, options)
    event.time = milliseconds(message.get("time"))
    if event.time is None:
        raise Rejected("bad_time")
    if record.timestamp is not None and event.time > record.timestamp + options.max_ahead:
        raise Rejected("future_time")
    event.said, event.trail, event.direct, event.value = None, (), False, record.value
    if event.kind in SAID_KINDS:
        event.texts, event.profile = {}, []
        event.said = _SAID[event.kind](message, event)
        return event
    fields = _entries(message.get("fields"))
    event.texts = _texts(message)
    event.texts.update(("field." + name, text) for name, text in fields.items() if text)
    event.profile = _profile_updates(event.kind, message, fields, options.form_profile)
    return event
