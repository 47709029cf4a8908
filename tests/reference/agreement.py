"""An agreement's text → rules, gates and matchers compiled to closures.

The full checks with file:line:column are the program's; here a wrong agreement is refused with one plain error.
"""

import re
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML, MappingNode, ScalarNode, SequenceNode

from messages import EVENT_TEXTS, KINDS, PROFILE_FIELDS
from texts import ascii_lower, fold, millionths, pattern

PERIODS = ("hour", "day", "week", "month", "ever")
_UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_HALF_LIFE_MAX = 3660 * 86_400_000
_EVENT_FIELDS = EVENT_TEXTS + ("host", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
_NO_EFFECT = ("effective", "expires", "review", "meeting", "signed", "goals")
_DAYS_MAX = 31


class AgreementError(Exception):
    pass


class Rule:
    __slots__ = ("id", "points", "holds", "fields", "event", "times", "per", "half_life", "while_times", "while_days")


class Persona:
    __slots__ = ("id", "fit", "gates")


class Route:
    __slots__ = ("holds", "persona", "to")


class Agreement:
    __slots__ = ("name", "version", "zone", "fit", "behaviour", "by_event", "limits", "gates", "never", "share",
                 "touches", "kept", "personas", "routes", "recycle_after", "recycle_score", "reasons", "forget",
                 "ignore_bots", "ignore_agents", "pact")

    def gate(self, stage, persona):
        """The gate into a stage for who is such a persona (or None)."""
        own = persona.gates.get(stage) if persona else None
        return self.gates[stage] if own is None else own


# --- YAML 1.2: the node graph, so that every scalar keeps the text that stands in the file ----------------------------

def _compose(text):
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    return yaml.compose(text)


def _fail(node, text):
    mark = node.start_mark
    raise AgreementError(f"{mark.line + 1}:{mark.column + 1}: {text}")


def _mapping(node):
    if not isinstance(node, MappingNode):
        _fail(node, "expected a mapping")
    result = {}
    for key, value in node.value:
        if _text(key) in result:
            _fail(key, f"{key.value} stands here twice")
        result[key.value] = value
    return result


def _list(node):
    if not isinstance(node, SequenceNode) or not node.value:
        _fail(node, "expected a list")
    return node.value


def _text(node):
    if not isinstance(node, ScalarNode) or node.anchor or not node.value:
        _fail(node, "expected a text")
    return node.value


def _integer(node, low, high):
    text = _text(node)
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text) or node.style or not low <= int(text) <= high:
        _fail(node, f"expected a whole number from {low} to {high}")
    return int(text)


def _boolean(node):
    if node.style or _text(node) not in ("true", "false"):
        _fail(node, "expected true or false")
    return node.value == "true"


def _duration(node):
    match = re.fullmatch(r"([0-9]{1,9})([mhd])", _text(node))
    value = int(match.group(1)) * _UNITS[match.group(2)] if match else 0
    if not 0 < value <= _HALF_LIFE_MAX:
        _fail(node, "expected a time like 30m, 4h, 14d")
    return value


def _keys(node, mapping, required, optional=()):
    for key in mapping:
        if key not in required and key not in optional:
            _fail(node, f"unknown key {key}")
    for key in required:
        if key not in mapping:
            _fail(node, f"{key} is missing")


# --- matchers: a function of a folded text, or of None where the field is unknown -------------------------------------

def _contains(node, folded):
    items = [_text(item) for item in (_list(node) if isinstance(node, SequenceNode) else [node])]
    # Choice: `*` is an ordinary character in `contains`.
    wanted = [folded(item) for item in items]
    return lambda text: text is not None and any(item in text for item in wanted)


def _range(node, ends):
    low, high = (millionths(_text(ends[end])) if end in ends else None for end in ("from", "to"))
    if any(end in ends and value is None for end, value in (("from", low), ("to", high))):
        _fail(node, "expected a number")

    def within(text):
        number = millionths(text) if text is not None else None
        return number is not None and (low is None or low <= number) and (high is None or number <= high)

    return within


def _not(node, folded):
    inner = _matcher(node, folded)
    return lambda text: text is None or not inner(text)


def _known(node):
    # Choice: `known: false` is true where the field is unknown.
    wanted = _boolean(node)
    return lambda text: (text is not None) == wanted


def _equal(nodes, folded):
    # Choice: the items of a list may be patterns too.
    patterns = [pattern(folded(_text(node))) for node in nodes]
    if len(patterns) == 1:
        only = patterns[0]
        return lambda text: text is not None and only(text)
    return lambda text: text is not None and any(matches(text) for matches in patterns)


def _matcher(node, folded):
    if isinstance(node, ScalarNode):
        return _equal([node], folded)
    if isinstance(node, SequenceNode):
        return _equal(_list(node), folded)
    form = _mapping(node)
    if form and set(form) <= {"from", "to"}:
        return _range(node, form)
    if len(form) != 1:
        _fail(node, "expected one of contains, not, known, from and to")
    (key, value), = form.items()
    if key == "contains":
        return _contains(value, folded)
    if key == "not":
        return _not(value, folded)
    if key == "known":
        return _known(value)
    return _fail(node, f"unknown key {key}")


# --- where: a function of a lookup (field → folded text or None) ------------------------------------------------------

def _event_folding(node, field):
    if field not in _EVENT_FIELDS and not field.startswith("field."):
        _fail(node, f"{field} is no field of an event")
    return str if field == "page" else ascii_lower


def _profile_folding(node, field):
    if field not in PROFILE_FIELDS + ("email_domain",) and not field.startswith("properties."):
        _fail(node, f"{field} is no field of a profile")
    return fold


def _where(node, folding, fields):
    """The condition; the names of the fields that it looks at are added to `fields`, once each."""
    conditions = []
    for field, value in _mapping(node).items():
        if field == "any_of":
            parts = [_where(part, folding, fields) for part in _list(value)]
            conditions.append(lambda lookup, parts=parts: any(part(lookup) for part in parts))
            continue
        matcher = _matcher(value, folding(value, field))
        if field not in fields:
            fields.append(field)
        conditions.append(lambda lookup, field=field, matcher=matcher: matcher(lookup(field)))
    if not conditions:
        _fail(node, "expected a field")
    if len(conditions) == 1:
        return conditions[0]
    return lambda lookup: all(condition(lookup) for condition in conditions)


# --- rules and gates --------------------------------------------------------------------------------------------------

def _rule(node, keys, folding, ids):
    rule = Rule()
    rule.id = _text(keys["id"])
    if rule.id in ids:
        _fail(node, f"rule {rule.id} stands here twice")
    ids.add(rule.id)
    rule.points = _integer(keys["points"], -10_000, 10_000)
    rule.fields = []
    rule.holds = _where(keys["where"], folding, rule.fields) if "where" in keys else None
    return rule


def _fit_rule(node, ids):
    keys = _mapping(node)
    _keys(node, keys, ("id", "where", "points"))
    return _rule(node, keys, _profile_folding, ids)


def _behaviour_rule(node, ids):
    keys = _mapping(node)
    _keys(node, keys, ("id", "event", "points"), ("where", "while") if "while" in keys else
          ("where", "at_most", "half_life"))
    rule = _rule(node, keys, _event_folding, ids)
    rule.event = _text(keys["event"])
    if rule.event not in KINDS or rule.event == "profile":
        _fail(node, f"unknown event {rule.event}")
    rule.times = rule.per = None
    if "at_most" in keys:
        cap = _mapping(keys["at_most"])
        _keys(node, cap, ("times", "per"))
        rule.times, rule.per = _integer(cap["times"], 1, 999_999_999), _text(cap["per"])
        if rule.per not in PERIODS:
            _fail(node, f"unknown period {rule.per}")
    rule.half_life = _duration(keys["half_life"]) if "half_life" in keys else None
    rule.while_times = rule.while_days = None
    if "while" in keys:
        rule.while_times, rule.while_days = _while(keys["while"])
    return rule


def _while(node):
    form = _mapping(node)
    _keys(node, form, ("times", "within"))
    days = _duration(form["within"])
    if days % _UNITS["d"] or not 1 <= days // _UNITS["d"] <= _DAYS_MAX:
        _fail(node, f"expected 1d to {_DAYS_MAX}d")
    return _integer(form["times"], 1, 999_999_999), days // _UNITS["d"]


def _gate(node, behaviour_ids):
    gate = _mapping(node)
    _keys(node, gate, (), ("score", "fit", "behaviour", "needs_one_of", "needs_all_of"))
    result = {key: _integer(gate[key], -1_000_000, 1_000_000) * 100 for key in ("score", "fit", "behaviour")
              if key in gate}
    for key in ("needs_one_of", "needs_all_of"):
        if key in gate:
            result[key] = [_text(item) for item in _list(gate[key])]
            if not set(result[key]) <= behaviour_ids:
                _fail(node, f"{key} names an unknown rule")
    return result


def _gates(node, behaviour_ids):
    gates = _mapping(node)
    _keys(node, gates, ("mql", "sql"))
    result = {stage: _gate(gate, behaviour_ids) for stage, gate in gates.items()}
    for key in ("score", "fit", "behaviour"):
        if result["sql"].get(key, 10 ** 9) < result["mql"].get(key, -10 ** 9):
            _fail(node, "the sql gate is below the mql gate")
    return result


# --- who it is, and who gets it ---------------------------------------------------------------------------------------

def _personas(nodes, ids, behaviour_ids):
    result = []
    for node in nodes:
        keys = _mapping(node)
        _keys(node, keys, ("id", "fit"), ("gates",))
        persona = Persona()
        persona.id = _text(keys["id"])
        if persona.id in [other.id for other in result]:
            _fail(node, f"persona {persona.id} stands here twice")
        persona.fit = [_fit_rule(rule, ids) for rule in _list(keys["fit"])]
        gates = _mapping(keys["gates"]) if "gates" in keys else {}
        _keys(node, gates, (), ("mql", "sql"))
        persona.gates = {stage: _gate(gate, behaviour_ids) for stage, gate in gates.items()}
        result.append(persona)
    return result


def _routes(nodes, personas, fields):
    result = []
    for node in nodes:
        keys = _mapping(node)
        _keys(node, keys, ("to",), ("where",))
        if "where" not in keys and node is not nodes[-1]:
            _fail(node, "only the last item may be without `where`")
        route = Route()
        route.persona, route.holds = _route_where(keys["where"], personas, fields) if "where" in keys else (None, None)
        to = keys["to"]
        route.to = [_text(item) for item in (_list(to) if isinstance(to, SequenceNode) else [to])]
        result.append(route)
    return result


def _route_where(node, personas, fields):
    """(id of the persona that it must be or None, the rest of the condition or None)."""
    persona = _mapping(node).get("persona")
    if persona is not None and _text(persona) not in [one.id for one in personas]:
        _fail(persona, f"unknown persona {persona.value}")
    rest = MappingNode(node.tag, [(key, value) for key, value in node.value if key.value != "persona"],
                       node.start_mark, node.end_mark)
    return persona.value if persona is not None else None, _where(rest, _profile_folding, fields) if rest.value else None


def _share(nodes):
    fields = [_text(node) for node in nodes]
    for node, field in zip(nodes, fields):
        # Choice: a free property may be shared, as `properties.NAME`; email_domain is no field of its own.
        if field not in PROFILE_FIELDS and not field.startswith("properties."):
            _fail(node, f"{field} is no field of a profile")
    return fields


def _recycle(result, node):
    keys = _mapping(node)
    _keys(node, keys, ("after", "score"))
    result.recycle_after, result.recycle_score = _duration(keys["after"]), _integer(keys["score"], 0, 1_000_000)


def _sales(result, node):
    """Of what sales owes, only the reasons change what becomes of a lead."""
    keys = _mapping(node)
    if "reasons" in keys:
        result.reasons = [fold(_text(item)) for item in _list(keys["reasons"])]


def _promises(keys):
    """Whether sales owes anything by a clock."""
    owed = ("hours", "first_contact", "verdict", "next_update")
    return "sales" in keys and any(word in _mapping(keys["sales"]) for word in owed)


def _ignore(result, node):
    keys = _mapping(node)
    _keys(node, keys, (), ("bots", "user_agents"))
    result.ignore_bots = "bots" in keys and _boolean(keys["bots"])
    if "user_agents" in keys:
        result.ignore_agents = [pattern(ascii_lower(_text(item))) for item in _list(keys["user_agents"])]


def _later_words(result, keys, ids):
    result.personas = _personas(_list(keys["personas"]), ids, {rule.id for rule in result.behaviour}) \
        if "personas" in keys else []
    result.recycle_after = result.forget = None
    result.recycle_score, result.reasons, result.ignore_bots, result.ignore_agents = 0, [], False, []
    for word, read in (("recycle", _recycle), ("sales", _sales), ("ignore", _ignore)):
        if word in keys:
            read(result, keys[word])
    if "forget" in keys:
        result.forget = _duration(keys["forget"])


def load(text):
    """The compiled agreement; raises AgreementError."""
    root = _compose(text)
    keys = _mapping(root)
    _keys(root, keys, ("agreement", "version", "gates"),
          ("zone", "never", "fit", "behaviour", "limits", "share", "touches", "personas", "assign", "recycle", "forget",
           "ignore", "sales") + _NO_EFFECT)
    result, ids = Agreement(), set()
    result.name = _text(keys["agreement"])
    result.version = _integer(keys["version"], 0, 999_999_999)
    result.zone = ZoneInfo(_text(keys["zone"]) if "zone" in keys else "UTC")
    result.fit = [_fit_rule(node, ids) for node in _list(keys["fit"])] if "fit" in keys else []
    result.behaviour = [_behaviour_rule(node, ids) for node in _list(keys["behaviour"])] if "behaviour" in keys else []
    result.by_event = {kind: [rule for rule in result.behaviour if rule.event == kind] for kind in KINDS}
    limits = _mapping(keys["limits"]) if "limits" in keys else {}
    _keys(root, limits, (), ("fit", "behaviour"))
    result.limits = {side: _integer(limits[side], 0, 1_000_000) if side in limits else None
                     for side in ("fit", "behaviour")}
    result.gates = _gates(keys["gates"], {rule.id for rule in result.behaviour})
    _later_words(result, keys, ids)
    fields = []                                 # looked at by `never` and `assign`
    result.never = [_where(item, _profile_folding, fields) for item in _list(keys["never"])] if "never" in keys else []
    result.routes = _routes(_list(keys["assign"]), result.personas, fields) if "assign" in keys else []
    result.share = _share(_list(keys["share"])) if "share" in keys else []
    # Free properties are kept only where the agreement names them.
    fit = [*result.fit, *(rule for persona in result.personas for rule in persona.fit)]
    result.kept = {*PROFILE_FIELDS, *result.share, *fields, *(field for rule in fit for field in rule.fields)}
    result.touches = _integer(keys["touches"], 0, 32) if "touches" in keys else 8
    result.pact = any(word in keys for word in ("goals", "review", "meeting")) or _promises(keys)
    return result
