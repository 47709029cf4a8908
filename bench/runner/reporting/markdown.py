"""Writes a document as Markdown: figures as their tables."""
from .document import Command, Figure, Mark, Notice, Row, Table, Text

SIGNS = {"met": "✓", "missed": "✗", "open": "–"}


def cell(content, strong):
    text = f"{SIGNS[content.state]} {content.text}" if isinstance(content, Mark) else content
    text = text.replace("|", "\\|")
    return f"**{text}**" if strong and text else text


def table(block):
    rule = ["---:" if index in block.numeric else "---" for index in range(len(block.head))]
    rows = [block.head, rule] + [[cell(content, number in block.strong) for content in row]
                                 for number, row in enumerate(block.rows)]
    text = "".join("| " + " | ".join(row) + " |\n" for row in rows)
    return (f"{block.caption}\n\n" if block.caption else "") + text


def write_block(block):
    if isinstance(block, Text):
        return block.text + "\n"
    if isinstance(block, Notice):
        return f"> **Note:** {block.text}\n"
    if isinstance(block, Table):
        return table(block)
    if isinstance(block, Figure):
        return f"**{block.caption}**\n\n{table(block.table)}"
    if isinstance(block, Row):     # both figures are of one table
        return write_block(block.figures[0])
    if isinstance(block, Command):
        return (f"{block.note}\n\n" if block.note else "") + f"```sh\n{block.text}\n```\n"
    raise TypeError(block)


def write(document):
    parts = [f"# {document.title}\n", *[text + "\n" for text in document.lede]]
    for section in document.sections:
        parts.append(f"## {section.title}\n")
        parts += [write_block(block) for block in section.blocks]
    return "\n".join(parts)
