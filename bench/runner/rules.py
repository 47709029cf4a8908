"""Agreements with any number of rules, of the kinds of bench/agreements/ten.yaml in its proportions. The first ten are
hit by the traffic. The others are for pages, targets and campaigns that it has not, under the same sections: an event is
compared with more rules and hits no more of them, so that their number is all that differs."""

SECTIONS = ("/pricing", "/product", "/docs", "/blog", "/customers", "/solutions", "/partners", "/events")


def rule(number):
    """Four of ten with a glob, four with a cap, two that fade, one of a form."""
    section, turn = SECTIONS[number % len(SECTIONS)], number // 10
    page = f"{section}/*" if turn == 0 else f"{section}/*-{turn}"
    pages, one = (f"{section}*", section) if turn == 0 else (f"{section}/{turn}-*", f"{section}/{turn}")
    campaign = "{known: true}" if turn == 0 else f"spring-{turn}*"
    offers = "[trial, offer]" if turn == 0 else f"offer-{turn}"
    kinds = (
        f"event: visit, where: {{page: {page}}}, points: 1",
        f"event: visit, where: {{page: {page}}}, points: 2",
        f"event: visit, where: {{page: {page}}}, points: 1",
        f"event: visit, where: {{page: {page}}}, points: 2",
        f"event: visit, where: {{page: {pages}}}, points: 1, at_most: {{times: {turn + 3}, per: day}}",
        f"event: click, where: {{campaign: {campaign}}}, points: 1, at_most: {{times: {turn + 3}, per: week}}",
        f"event: click, where: {{target: {{contains: demo-{turn}}}}}, points: 3, at_most: {{times: 2, per: day}}",
        f"event: click, where: {{target: {{contains: {offers}}}}}, points: 2, half_life: {turn + 7}d",
        f"event: visit, where: {{page: {one}, channel: organic}}, points: 2, half_life: {turn + 14}d",
        f"event: form_fill, where: {{form: form-{turn}}}, points: 10, at_most: {{times: 1, per: ever}}",
    )
    return f"  - {{id: rule-{number}, {kinds[number % len(kinds)]}}}"


def agreement_of(count):
    lines = [f"agreement: bench-rules-{count}", "version: 1", "behaviour:", *map(rule, range(count)),
             "gates:", "  mql: {score: 50}", "  sql: {score: 100}", "touches: 0"]
    return "\n".join(lines) + "\n"
