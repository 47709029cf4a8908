"""The words of the language that the program learns one after the other.

Everything of the reference, of the generator and of the comparisons that belongs to a word is there at all times; what
the program does not know yet is neither generated nor told, so that it is not compared. A word comes into force for
good by its name in IN_FORCE; `--words while,verdicts` turns some on for a single run.
"""

# word → what it adds to what is told: of a lead, of a record of lead-stages, of a promotion
WORDS = {
    "while": ((), (), ()),
    "verdicts": (("generation", "changes"), ("change", "report", "reason"), ()),
    "recycle": ((), (), ()),
    "adjust": (("adjusted",), ("by",), ()),
    "personas": (("persona",), (), ("persona",)),
    "assign": ((), (), ("owner",)),
    "handover": ((), (), ("segment", "forms", "mail", "earlier")),
    "merges": (("merged_into",), ("other",), ()),
    "erasures": ((), (), ()),
    "identity": ((), (), ()),
    "sweeps": ((), (), ()),
    "ignore": ((), (), ()),
}
# What a word makes no sense without.
NEEDS = {"recycle": ("verdicts",), "handover": ("verdicts",), "adjust": ("verdicts",), "identity": ("merges",)}
IN_FORCE = frozenset(
    ("while", "verdicts", "recycle", "adjust", "personas", "assign", "handover", "merges", "erasures", "identity",
     "sweeps", "ignore"))


def parse(text):
    """`while,verdicts`, `all` or nothing → the words that are on, those in force included."""
    names = set(WORDS) if text == "all" else {name for name in (text or "").split(",") if name}
    unknown = names - set(WORDS)
    if unknown:
        raise SystemExit(f"unknown word {', '.join(sorted(unknown))}; there are {', '.join(WORDS)}")
    for name in list(names):
        names.update(NEEDS.get(name, ()))
    return IN_FORCE | names


def _hidden(words, which):
    return {key for word, keys in WORDS.items() if word not in words for key in keys[which]} - \
        {key for word in words for key in WORDS[word][which]}


def told(words, lead=None, record=None, promotion=None):
    """One of the three without what belongs to words that are not on."""
    which, value = next((n, v) for n, v in enumerate((lead, record, promotion)) if v is not None)
    hidden = _hidden(words, which) | (_hidden(words, 1) if which == 2 else set())
    return {key: item for key, item in value.items() if key not in hidden}


def summary_keys(words):
    """The keys of a lead that are compared."""
    later = [key for word, keys in WORDS.items() if word in words for key in keys[0]]
    return ("lead_id", "score", "fit", "behaviour", "stage", "rules", "promotions", *dict.fromkeys(later))
