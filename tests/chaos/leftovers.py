"""Personal texts anywhere in a Redis: whoever was erased or forgotten must have left nothing behind."""
import re

PERSONAL = re.compile(rb"lead-\d{6}|hot-\d|person-\d{6}@x\.example|p/[0-9a-f]{64}", re.I)
_PEOPLE = (b"score", b"stage", b"updated")
_READ = {b"hash": ("HGETALL",), b"string": ("GET",), b"list": ("LRANGE", 0, -1), b"set": ("SMEMBERS",),
         b"zset": ("ZRANGE", 0, -1)}


def _texts(key, kind, value):
    """What may hold a text, in one piece each. The packed state of a lead lies in chunks, in the order of their names."""
    if kind == b"string":
        return [value]
    if kind != b"hash":
        return value
    fields = dict(zip(value[::2], value[1::2]))
    if b":lead:" in key:
        chunks = sorted((name for name in fields if name not in _PEOPLE), key=lambda name: (len(name), name))
        return [b"".join(fields[name] for name in chunks)]
    return list(fields) + list(fields.values())


def personal_texts(redis, prefix):
    """{text, in small letters: [where it stands]}"""
    found = {}
    keys = list(redis.scan(f"{prefix}:*"))
    for start in range(0, len(keys), 1000):
        part = keys[start:start + 1000]
        kinds = redis.pipeline([("TYPE", key) for key in part])
        unknown = set(kinds) - set(_READ) - {b"none"}
        if unknown:
            raise RuntimeError(f"keys of types {unknown}")
        readable = [(key, kind) for key, kind in zip(part, kinds) if kind in _READ]
        values = redis.pipeline([(_READ[kind][0], key, *_READ[kind][1:]) for key, kind in readable])
        for (key, kind), value in zip(readable, values):
            for text in (key, *(_texts(key, kind, value) if value else ())):
                for match in PERSONAL.findall(text):
                    found.setdefault(match.decode().lower(), []).append(key)
    return found


def living_texts(scorer):
    """Those that belong to leads that are there, by the reference."""
    texts = set()
    for lead in scorer.leads.values():
        texts.update((lead.id, *lead.aliases, lead.into or lead.id, *lead.profile.values()))
    return {match.decode().lower() for text in texts for match in PERSONAL.findall(text.encode())}


def compare(scorer, redis, prefix, but=()):
    """What stands in the keys of the leads `but` is not looked at."""
    living, skipped, wrong = living_texts(scorer), {lead.lower() for lead in but}, []
    for text, keys in sorted(personal_texts(redis, prefix).items()):
        where = sorted({key for key in keys if key.partition(b":lead:")[2].decode().lower() not in skipped})
        if where and text not in living:
            wrong.append(f"{text} of somebody who is gone stands in {where[:3]}")
    return wrong
