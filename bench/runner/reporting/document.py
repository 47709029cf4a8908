"""The parts of a document, without saying how it is written down. Texts may hold `code` and **strong** words."""
from dataclasses import dataclass, field


@dataclass
class Text:
    text: str


@dataclass
class Notice:
    """Something the reader should not miss."""
    text: str


@dataclass
class Table:
    head: list                      # column headings
    rows: list                      # cells are texts; a Mark is drawn as a sign and a word
    numeric: set = field(default_factory=set)       # columns aligned to the right
    caption: str = ""
    strong: set = field(default_factory=set)        # rows that stand out


@dataclass
class Mark:
    """met, missed, open: a sign with a word, so that it does not depend on colour."""
    state: str
    text: str


@dataclass
class Figure:
    caption: str
    draw: object                    # function(name, width) -> SVG text; `name` is unique in the page
    table: Table                    # the same figures for who cannot see the drawing
    widths: tuple = (780, 360)      # a wide and a narrow drawing


@dataclass
class Row:
    """Figures side by side where there is room; all have the same table."""
    figures: list


@dataclass
class Command:
    text: str
    note: str = ""


@dataclass
class Section:
    name: str
    link: str                       # its short name, for the list of sections
    title: str                      # what it found
    blocks: list


@dataclass
class Document:
    title: str
    lede: list                      # paragraphs
    sections: list
