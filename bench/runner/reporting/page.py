"""Writes a document as one HTML page that needs nothing else: no script, no font, no request."""
import re
from html import escape

from .document import Command, Figure, Mark, Notice, Row, Table, Text

SIGNS = {"met": "✓", "missed": "✗", "open": "–"}

STYLE = """
:root { color-scheme: light dark;
  --paper: #fff; --ink: #1c2430; --muted: #5a6472; --rule: #d5dae1; --track: #eef1f4; --quiet: #f6f7f9;
  --solid: #1d5fa8; --hatched: #c07518; --dotted: #4a9472; --stripe: #ffffff8c; --goal: #a8203a;
  --met: #176b3a; --missed: #a8203a; --halo: #fff;
  --l1: #1d5fa8; --l2: #b3560b; --l3: #17745a; --l4: #8a3a8c; --l5: #5a6472; --l6: #a8203a; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #14181e; --ink: #e6e9ee; --muted: #a3adba; --rule: #39424e; --track: #222932; --quiet: #1b2129;
  --solid: #6aaef2; --hatched: #d08a35; --dotted: #5d9c7c; --stripe: #ffffff66; --goal: #ff8fa0;
  --met: #6fd39a; --missed: #ff8fa0; --halo: #14181e;
  --l1: #6aaef2; --l2: #f0a35a; --l3: #5fc9a4; --l4: #d99bdb; --l5: #a3adba; --l6: #ff8fa0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
main { max-width: 828px; margin: 0 auto; padding: 40px 24px 72px; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .6em; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 3.2rem 0 .6rem; padding-top: 1.1rem; border-top: 1px solid var(--rule); }
p { margin: .6em 0; max-width: 44em; }
.lede { font-size: 1.06rem; }
nav { font-size: .92rem; margin: 1.4em 0 0; } nav ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .2em 1.3em; }
a { color: var(--l1); text-underline-offset: .15em; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .87em; }
code { background: var(--quiet); padding: .08em .3em; border-radius: 3px; overflow-wrap: anywhere; }
.again { margin: 1.2em 0 0; font-size: .92rem; color: var(--muted); }
.again pre { margin: .3em 0 0; padding: .6em .8em; background: var(--quiet); color: var(--ink); border-radius: 4px;
  white-space: pre-wrap; overflow-wrap: anywhere; font-size: .95em; }
.notice { border-left: 4px solid var(--goal); background: var(--quiet); padding: .6em .9em; margin: 1em 0; }
.scroll { overflow-x: auto; margin: 1em 0; }
table { border-collapse: collapse; width: 100%; font-size: .93rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); padding-bottom: .4em; }
th, td { text-align: left; vertical-align: top; padding: .42em .9em .42em 0; border-bottom: 1px solid var(--rule); }
th { font-weight: 600; color: var(--muted); } td:last-child, th:last-child { padding-right: 0; }
.n { text-align: right; white-space: nowrap; } tr.strong td { font-weight: 650; } td code { white-space: nowrap; }
.mark { white-space: nowrap; font-weight: 600; } .mark.met { color: var(--met); } .mark.missed { color: var(--missed); }
.mark.open { color: var(--muted); font-weight: 400; }
figure { margin: 1.4em 0 1em; min-width: 0; } figcaption { font-weight: 600; margin-bottom: .6em; }
.row { display: grid; grid-template-columns: 1fr 1fr; gap: 0 32px; }
.row { align-items: end; } .row figure { margin-bottom: .4em; }
details { margin: .5em 0 0; font-size: .95rem; } summary { cursor: pointer; color: var(--muted); font-size: .92rem; }
svg { display: block; width: 100%; height: auto; font: 13px system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow: visible; }
.narrow { display: none; } .narrow svg { max-width: 440px; }
svg text { fill: var(--ink); } svg .muted, svg .tick { fill: var(--muted); } svg .tick { font-size: 12px; }
svg .strong { font-weight: 700; } svg .halo { paint-order: stroke; stroke: var(--halo); stroke-width: 4px; stroke-linejoin: round; }
.axis { stroke: var(--muted); stroke-width: 1; } .grid { stroke: var(--rule); stroke-width: 1; }
.goal { stroke: var(--goal); stroke-width: 2; fill: none; } .whisker { stroke: var(--ink); stroke-width: 1.4; }
.behind { stroke: var(--paper); stroke-width: 4; }
.track { fill: var(--track); } .solid { fill: var(--solid); } .hatched { fill: var(--hatched); } .dotted { fill: var(--dotted); }
.other { fill: var(--l5); } .stripe { fill: var(--stripe); }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; } .dot { stroke: var(--paper); stroke-width: 1; }
.line.line-1 { stroke: var(--l1); } .line.line-2 { stroke: var(--l2); stroke-dasharray: 7 3; } .line.line-3 { stroke: var(--l3); stroke-dasharray: 2 3; }
.line.line-4 { stroke: var(--l4); stroke-dasharray: 10 3 2 3; } .line.line-5 { stroke: var(--l5); stroke-dasharray: 4 4; } .line.line-6 { stroke: var(--l6); }
.dot.line-1 { fill: var(--l1); } .dot.line-2 { fill: var(--l2); } .dot.line-3 { fill: var(--l3); }
.dot.line-4 { fill: var(--l4); } .dot.line-5 { fill: var(--l5); } .dot.line-6 { fill: var(--l6); }
@media (max-width: 640px) { main { padding: 24px 16px 48px; } .wide { display: none; } .narrow { display: block; }
  table { font-size: .86rem; } th, td { padding-right: .6em; } .mark { white-space: normal; }
  .row { grid-template-columns: 1fr; } h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; } }
@media print { :root { color-scheme: light; --paper: #fff; --ink: #000; --muted: #444; --rule: #bbb; --track: #eee; --quiet: #f4f4f4;
  --solid: #1d5fa8; --hatched: #c07518; --dotted: #4a9472; --stripe: #ffffff8c; --goal: #a8203a; --met: #176b3a; --missed: #a8203a;
  --halo: #fff; --l1: #1d5fa8; --l2: #b3560b; --l3: #17745a; --l4: #8a3a8c; --l5: #5a6472; --l6: #a8203a; }
  @page { margin: 16mm; } body { font-size: 11pt; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  main { max-width: none; padding: 0; } nav, summary { display: none; } .wide { display: block; } .narrow { display: none; }
  .row { grid-template-columns: 1fr 1fr; }
  h2 { margin-top: 2rem; } h2, section > h2 + p, figcaption { break-after: avoid; } p, figure, tr, .again, .notice { break-inside: avoid; } }
"""


def inline(text):
    """`code` and **strong**; a number stays with its unit."""
    text = escape(text, quote=False)
    text = re.sub(r"(\d) (%|×|µs|ms|s|k|M|KiB|MiB|GiB|million)(?!\w)", "\\1\u00a0\\2", text)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)


def cell(content):
    if isinstance(content, Mark):
        return f'<span class="mark {content.state}"><span aria-hidden="true">{SIGNS[content.state]}</span> {inline(content.text)}</span>'
    return inline(content)


def table(block):
    klass = [' class="n"' if index in block.numeric else "" for index in range(len(block.head))]
    head = "".join(f'<th scope="col"{klass[i]}>{inline(text)}</th>' for i, text in enumerate(block.head))
    rows = "".join(
        f'<tr{" class=strong" if number in block.strong else ""}>'
        + "".join(f"<td{klass[i]}>{cell(content)}</td>" for i, content in enumerate(row)) + "</tr>\n"
        for number, row in enumerate(block.rows))
    caption = f"<caption>{inline(block.caption)}</caption>" if block.caption else ""
    return f'<div class="scroll" tabindex="0"><table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>\n'


class Writer:
    def __init__(self):
        self.figures = 0

    def name(self):
        self.figures += 1
        return f"f{self.figures}"

    def as_table(self, block):
        return f"<details><summary>the figures as a table</summary>{table(block.table)}</details>"

    def figure(self, block, with_table=True):
        wide, narrow = block.widths[0], block.widths[-1]
        drawn = block.draw(self.name(), wide)
        if wide != narrow:
            drawn = f'<div class="wide">{drawn}</div>\n<div class="narrow">{block.draw(self.name(), narrow)}</div>'
        shown = self.as_table(block) if with_table else ""
        return f"<figure><figcaption>{inline(block.caption)}</figcaption>\n{drawn}\n{shown}</figure>\n"

    def block(self, block):
        if isinstance(block, Text):
            return f"<p>{inline(block.text)}</p>\n"
        if isinstance(block, Notice):
            return f'<p class="notice">{inline(block.text)}</p>\n'
        if isinstance(block, Table):
            return table(block)
        if isinstance(block, Figure):
            return self.figure(block)
        if isinstance(block, Row):
            drawn = "".join(self.figure(figure, False) for figure in block.figures)
            return f'<div class="row">{drawn}</div>\n{self.as_table(block.figures[0])}'

        if isinstance(block, Command):
            return f'<div class="again">{inline(block.note)}<pre>{escape(block.text)}</pre></div>\n'
        raise TypeError(block)

    def section(self, section):
        return (f'<section id="{section.name}" aria-labelledby="{section.name}-h"><h2 id="{section.name}-h">{inline(section.title)}</h2>\n'
                + "".join(self.block(block) for block in section.blocks) + "</section>\n")


def write(document):
    writer = Writer()
    links = "".join(f'<li><a href="#{section.name}">{inline(section.link)}</a></li>' for section in document.sections)
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(document.title)}</title>\n'
            f"<style>{STYLE}</style></head>\n<body><main>\n<h1>{inline(document.title)}</h1>\n"
            + "".join(f'<p class="lede">{inline(text)}</p>\n' for text in document.lede)
            + f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n'
            + "".join(writer.section(section) for section in document.sections)
            + "</main></body></html>\n")
