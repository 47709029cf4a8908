"""A small Avro: enough to write events in both framings and to read what the program sends. Shares no code with it."""

import io
import json
import struct
from pathlib import Path

_PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
_ORDER = ("name", "type", "fields", "symbols", "items", "values", "size")


def load(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


# --- fingerprint ------------------------------------------------------------------------------------------------------

def canonical(schema, space=""):
    """The parsing canonical form."""
    if isinstance(schema, list):
        return "[" + ",".join(canonical(item, space) for item in schema) + "]"
    if isinstance(schema, str):
        return json.dumps(schema if schema in _PRIMITIVES or "." in schema or not space else f"{space}.{schema}")
    if schema["type"] in _PRIMITIVES:
        return json.dumps(schema["type"])
    if isinstance(schema["type"], (dict, list)):
        return canonical(schema["type"], space)
    parts = {"type": json.dumps(schema["type"])}
    if "name" in schema:
        space = schema["name"].rpartition(".")[0] or schema.get("namespace", space)
        name = schema["name"].rpartition(".")[2]
        parts["name"] = json.dumps(f"{space}.{name}" if space else name)
    if "fields" in schema:
        parts["fields"] = "[" + ",".join('{"name":%s,"type":%s}' % (json.dumps(field["name"]), canonical(field["type"], space))
                                         for field in schema["fields"]) + "]"
    if "symbols" in schema:
        parts["symbols"] = json.dumps(schema["symbols"], separators=(",", ":"))
    for key in ("items", "values"):
        if key in schema:
            parts[key] = canonical(schema[key], space)
    if "size" in schema:
        parts["size"] = str(schema["size"])
    return "{" + ",".join(f'"{key}":{parts[key]}' for key in _ORDER if key in parts) + "}"


def fingerprint(schema):
    """CRC-64-AVRO, 8 bytes little-endian."""
    empty, mask = 0xC15D213AA4D7A795, 2 ** 64 - 1
    crc = empty
    for byte in canonical(schema).encode():
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (empty if crc & 1 else 0)
        crc &= mask
    return struct.pack("<Q", crc)


# --- values -----------------------------------------------------------------------------------------------------------

def _named(schema, names):
    """Notes the named types of a schema, so that later mentions find them."""
    if isinstance(schema, list):
        for item in schema:
            _named(item, names)
    elif isinstance(schema, dict):
        if "name" in schema:
            names[schema["name"]] = schema
        for key in ("items", "values", "type"):
            if isinstance(schema.get(key), (dict, list)):
                _named(schema[key], names)
        for field in schema.get("fields", ()):
            _named(field["type"], names)
    return names


def _kind(schema, names):
    while True:
        if isinstance(schema, list):
            return "union", schema
        if isinstance(schema, str):
            if schema in _PRIMITIVES:
                return schema, None
            schema = names[schema]
        elif isinstance(schema["type"], (dict, list)) or schema["type"] in names:
            schema = schema["type"]
        else:
            return schema["type"], schema


def _write_long(out, value):
    value = value << 1 ^ value >> 63
    while value & ~0x7F:
        out.write(bytes((value & 0x7F | 0x80,)))
        value >>= 7
    out.write(bytes((value,)))


def _fits(value, schema, names):
    kind, _ = _kind(schema, names)
    return {"null": value is None, "boolean": isinstance(value, bool), "string": isinstance(value, str),
            "int": isinstance(value, int) and not isinstance(value, bool),
            "long": isinstance(value, int) and not isinstance(value, bool), "double": isinstance(value, float),
            "float": isinstance(value, float), "bytes": isinstance(value, bytes), "enum": isinstance(value, str),
            "map": isinstance(value, dict), "record": isinstance(value, dict), "array": isinstance(value, list)}[kind]


def _write(out, schema, value, names):
    kind, form = _kind(schema, names)
    if kind == "union":
        branch = next(n for n, item in enumerate(form) if _fits(value, item, names))
        _write_long(out, branch)
        _write(out, form[branch], value, names)
    elif kind == "boolean":
        out.write(b"\1" if value else b"\0")
    elif kind in ("int", "long"):
        _write_long(out, value)
    elif kind in ("float", "double"):
        out.write(struct.pack("<f" if kind == "float" else "<d", value))
    elif kind in ("bytes", "string"):
        data = value.encode() if kind == "string" else value
        _write_long(out, len(data))
        out.write(data)
    elif kind == "enum":
        _write_long(out, form["symbols"].index(value))
    elif kind == "record":
        for field in form["fields"]:
            _write(out, field["type"], value[field["name"]] if field["name"] in value else field.get("default"), names)
    elif kind in ("map", "array") and value:
        _write_long(out, len(value))
        for item in value.items() if kind == "map" else value:
            if kind == "map":
                _write(out, "string", item[0], names)
            _write(out, form["values" if kind == "map" else "items"], item[1] if kind == "map" else item, names)
    if kind in ("map", "array"):
        _write_long(out, 0)


def _read_long(data):
    shift = value = 0
    while True:
        byte = data.read(1)[0]
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value >> 1 ^ -(value & 1)


def _read_blocks(data, one):
    while count := _read_long(data):
        if count < 0:
            _read_long(data)
        for _ in range(abs(count)):
            yield one()


def _read(data, schema, names):
    kind, form = _kind(schema, names)
    if kind == "union":
        return _read(data, form[_read_long(data)], names)
    if kind == "null":
        return None
    if kind == "boolean":
        return data.read(1) == b"\1"
    if kind in ("int", "long"):
        return _read_long(data)
    if kind in ("float", "double"):
        return struct.unpack("<f" if kind == "float" else "<d", data.read(4 if kind == "float" else 8))[0]
    if kind in ("bytes", "string"):
        text = data.read(_read_long(data))
        return text.decode() if kind == "string" else text
    if kind == "enum":
        return form["symbols"][_read_long(data)]
    if kind == "record":
        return {field["name"]: _read(data, field["type"], names) for field in form["fields"]}
    if kind == "array":
        return list(_read_blocks(data, lambda: _read(data, form["items"], names)))
    return dict(_read_blocks(data, lambda: (_read(data, "string", names), _read(data, form["values"], names))))


def encode(schema, value):
    out = io.BytesIO()
    _write(out, schema, value, _named(schema, {}))
    return out.getvalue()


def decode(schema, data):
    data = io.BytesIO(data)
    value = _read(data, schema, _named(schema, {}))
    if data.read():
        raise ValueError("bytes behind the value")
    return value


# --- framings ---------------------------------------------------------------------------------------------------------

def single_object(schema, value):
    return b"\xc3\x01" + fingerprint(schema) + encode(schema, value)


def read_single_object(schema, data):
    if data[:2] != b"\xc3\x01" or data[2:10] != fingerprint(schema):
        raise ValueError(f"not a single object of this schema: {data[:10].hex()}")
    return decode(schema, data[10:])


def with_id(number, schema, value):
    return b"\0" + struct.pack(">I", number) + encode(schema, value)


def read_with_id(schema, data):
    """(id, value)"""
    if data[:1] != b"\0":
        raise ValueError(f"no registry framing: {data[:5].hex()}")
    return struct.unpack(">I", data[1:5])[0], decode(schema, data[5:])
