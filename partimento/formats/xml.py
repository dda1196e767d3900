"""XML of strangers: a parser that cannot be made to work much.

It stands on the standard library's expat, and refuses what bombs are made of: entities of the
file's own, deep nesting, too many elements. Nothing outside the file is ever opened. `parse_xml`
hands over elements as they end, so that a long file never stands in memory as a whole.
"""

from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from partimento.errors import FormatError, LimitError, PartimentoError

MAX_DEPTH = 64
MAX_ELEMENTS = 500_000  # held at once; a bar of an orchestra has some thousands


class Element:
    """An element: its name, attributes, text (of its own, stripped), children and line."""

    __slots__ = ("attributes", "children", "line", "tag", "text")

    def __init__(self, tag: str, attributes: dict[str, str], line: int) -> None:
        self.tag, self.attributes, self.line = tag, attributes, line
        self.text = ""
        self.children: list[Element] = []

    def find(self, path: str) -> "Element | None":
        """First element down a path of names, as in ``work/work-title``."""
        found = self
        for tag in path.split("/"):
            below = next((child for child in found.children if child.tag == tag), None)
            if below is None:
                return None
            found = below
        return found

    def all(self, tag: str) -> "list[Element]":
        """Children of a name."""
        return [child for child in self.children if child.tag == tag]

    def words(self, path: str, usual: str = "") -> str:
        """Text of the first element down a path."""
        found = self.find(path)
        return usual if found is None else found.text


Taker = Callable[[Element, list[Element]], bool]


def parse_xml(data: bytes, take: Taker) -> None:
    """Parse a file.

    Parameters
    ----------
    data
        The whole file; who calls has looked at its size.
    take
        Gets each element when it ends, and those it stands in, the outermost first. Where it gives
        `True`, the element is forgotten.

    Raises
    ------
    FormatError
        If it is no well-formed XML, or defines entities. The message names the line.
    LimitError
        If it is nested too deep, or holds too much at once.
    """
    _Parser(take).parse(data)


class _Parser:
    def __init__(self, take: Taker) -> None:
        self.take = take
        self.stack: list[Element] = []
        self.words: list[list[str]] = []
        self.held = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.EntityDeclHandler = self.entity
        self.parser.SkippedEntityHandler = self.entity

    def parse(self, data: bytes) -> None:
        try:
            self.parser.Parse(data, True)
        except PartimentoError:  # ours, from the functions below
            raise
        except expat.ExpatError as error:
            words = expat.ErrorString(error.code)
            raise FormatError(f"line {error.lineno}: no well-formed XML: {words}") from None
        except (LookupError, ValueError) as error:  # an encoding nobody knows
            raise FormatError(f"line 1: no readable XML: {error}") from None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        if len(self.stack) >= MAX_DEPTH:
            raise LimitError(f"line {line}: elements stand {MAX_DEPTH} deep", limit="MAX_DEPTH")
        self.held += 1
        if self.held > MAX_ELEMENTS:
            raise LimitError(
                f"line {line}: more than {MAX_ELEMENTS:,} elements in one place",
                limit="MAX_ELEMENTS",
            )
        element = Element(tag, attributes, line)
        if self.stack:
            self.stack[-1].children.append(element)
        self.stack.append(element)
        self.words.append([])

    def end(self, tag: str) -> None:
        element = self.stack.pop()
        element.text = "".join(self.words.pop()).strip()
        if self.take(element, self.stack):
            if self.stack:
                self.stack[-1].children.pop()
            self.held -= _count(element)

    def characters(self, words: str) -> None:
        if self.words:
            self.words[-1].append(words)

    def doctype(self, name: str, system: Any, public: Any, has_internal_subset: int) -> None:
        if has_internal_subset:
            self.entity(name)

    def entity(self, *_: Any) -> None:
        raise FormatError(
            f"line {self.parser.CurrentLineNumber}: the file defines entities or a document type "
            "of its own: that is refused, since such files can unpack to any size; save it again "
            "with a notation program"
        )


def _count(element: Element) -> int:
    waiting, count = [element], 0
    while waiting:
        one = waiting.pop()
        count += 1
        waiting += one.children
    return count
