"""Changes of a case's agreement that the case must notice.

A case in which another number or a missing word makes no difference shows nothing. So of each case: at least one of
its numbers, changed by one, must make it fail; and so must every word and rule that could be left out, if it is left
out. What stands in a case on purpose without an effect is named in a comment of its expected.yaml:
`# without effect here: zone, visit` (words, or ids of rules).
"""
import copy
import json
import re

from ruamel.yaml import YAML

_NEEDED = ("agreement", "version", "id", "event", "points", "gates", "mql", "sql", "times", "per", "within", "after",
           "score", "to")
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*")
_DURATION = re.compile(r"[0-9]+[mhd]")
_IDLE = re.compile(r"^# without effect here: (.*)$", re.M)
_MATCHERS = ("where", "never")                  # inside, names are fields and no words of the language


def load(text):
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    yaml.constructor.add_constructor("tag:yaml.org,2002:timestamp", lambda constructor, node: node.value)
    return yaml.load(text)


def _flow(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool) or not isinstance(value, str):
        return json.dumps(value)
    plain = _PLAIN.fullmatch(value) and value not in ("true", "false", "null") or _DURATION.fullmatch(value)
    return value if plain else json.dumps(value, ensure_ascii=False)


def dump(agreement):
    return "".join(f"{key}: {_flow(value)}\n" for key, value in agreement.items())


# --- paths into the agreement -----------------------------------------------------------------------------------------

def _paths(value, path=()):
    """Every (path, value), containers before what they hold."""
    if path:
        yield path, value
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _paths(inner, path + (key,))


def _at(agreement, path):
    for key in path:
        agreement = agreement[key]
    return agreement


def _changed(agreement, path, value):
    result = copy.deepcopy(agreement)
    _at(result, path[:-1])[path[-1]] = value
    return result


def _without(agreement, path):
    """None where nothing would be left beside it."""
    result = copy.deepcopy(agreement)
    holder = _at(result, path[:-1])
    del holder[path[-1]]
    return result if holder or len(path) == 2 and path[0] in ("limits",) else None


def _other_numbers(value):
    if isinstance(value, bool):
        return []
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, str) and _DURATION.fullmatch(value):
        number = int(value[:-1])
        return [f"{number + 1}{value[-1]}"] + ([f"{number - 1}{value[-1]}"] if number > 1 else [])
    return []


def _name(agreement, path):
    """A rule or a persona by its id, else the word; the rule that a word belongs to comes first."""
    found = _at(agreement, path)
    if isinstance(found, dict) and "id" in found:
        return found["id"]
    return str(path[-1]) if isinstance(path[-1], str) else f"{path[-2]}[{path[-1]}]"


def _could_be_left_out(path):
    if any(word in path[:-1] for word in ("where",)) or path[-1] in _NEEDED:
        return False
    if path[0] == "never":
        return len(path) == 2
    return not isinstance(path[-1], int) or path[-2] in ("fit", "behaviour", "personas", "assign")


# --- what a case does not notice --------------------------------------------------------------------------------------

def unnoticed(agreement_text, expected_text, survives):
    """Lines that say what makes no difference. `survives`: whether the case holds with another agreement; None where
    the program refuses it."""
    agreement = load(agreement_text)
    idle = {word.strip() for line in _IDLE.findall(expected_text) for word in line.split(",")}
    if survives(dump(agreement)) is not True:
        return ["does not hold as it is"]
    wrong = []
    if not _some_number_matters(agreement, survives):
        wrong.append("no number in its agreement matters: changed by one, the case still holds")
    seen = set()
    for path, _ in _paths(agreement):
        if not _could_be_left_out(path):
            continue
        name, less = _name(agreement, path), _without(agreement, path)
        held = survives(dump(less)) if less is not None else None
        if held and name not in idle:
            wrong.append(f"without {'.'.join(map(str, path))} ({name}) it holds just as well")
        if held and name in idle:
            seen.add(name)
    return wrong + [f"{name} is said to be without effect, and is not" for name in sorted(idle - seen)]


def _some_number_matters(agreement, survives):
    for path, value in _paths(agreement):
        if path[-1] in ("version", "agreement"):
            continue
        for other in _other_numbers(value):
            if survives(dump(_changed(agreement, path, other))) is False:
                return True
    return False
