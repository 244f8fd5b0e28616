"""Untrusted XML text to an element tree, within bounds, before anything else looks at it."""

import xml.parsers.expat
from pathlib import Path

from lxml import etree

from hd_controller.errors import MorphologyError

MAX_BYTES = 2_000_000
MAX_DEPTH = 200
MAX_ELEMENTS = 50_000
MAX_NAME = 200


class _Bounds:
    """Counts while expat walks the text and stops it at the first thing that is not allowed."""

    def __init__(self) -> None:
        self.depth = self.elements = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > MAX_DEPTH:
            raise MorphologyError(
                f"The description nests deeper than {MAX_DEPTH} elements; expected a plain robot file."
            )
        if self.elements > MAX_ELEMENTS:
            raise MorphologyError(f"The description has more than {MAX_ELEMENTS} elements; expected fewer.")
        if len(attributes.get("name", "")) > MAX_NAME:
            raise MorphologyError(f"A name in <{tag[:40]}> is longer than {MAX_NAME} characters; shorten it.")

    def end(self, _tag: str) -> None:
        self.depth -= 1

    def refuse_doctype(self, *_arguments: object) -> None:
        raise MorphologyError("The description has a DOCTYPE; entities are never expanded: remove the DOCTYPE.")


def parse_xml(text: str) -> etree._Element:
    """The root element of an XML text.

    Raises:
        MorphologyError: larger than ``MAX_BYTES``, not XML, with a DOCTYPE, too deep or too many elements.
    """
    if len(text) > MAX_BYTES or len(raw := text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise MorphologyError(
            f"The description has {len(text)} characters; at most {MAX_BYTES} bytes are read: "
            "reference meshes by file instead of embedding them."
        )
    bounds = _Bounds()
    parser = xml.parsers.expat.ParserCreate("utf-8")
    parser.StartElementHandler = bounds.start
    parser.EndElementHandler = bounds.end
    parser.StartDoctypeDeclHandler = bounds.refuse_doctype
    try:
        parser.Parse(raw, True)
        settings = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            remove_comments=True,
            remove_pis=True,
            recover=True,  # expat found it well-formed; what is left are prefixes that the file does not declare
            encoding="utf-8",
        )
        root = etree.fromstring(raw, settings)
        if root is None or sum(1 for _ in root.iter(etree.Element)) != bounds.elements:
            raise MorphologyError("The description is not well-formed XML; expected a URDF document.")
        return root
    except (xml.parsers.expat.ExpatError, etree.XMLSyntaxError) as error:
        raise MorphologyError(f"The description is not well-formed XML ({error}); expected a URDF document.") from error


def read_text(path: Path) -> str:
    """The text of a robot file.

    Raises:
        MorphologyError: it does not exist, cannot be read, is too large or is not UTF-8.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise MorphologyError(f"{path} has {path.stat().st_size} bytes; at most {MAX_BYTES} are read.")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise MorphologyError(f"{path} is not UTF-8 text; expected a URDF or MJCF file.") from error
    except OSError as error:
        raise MorphologyError(f"{path} cannot be read ({error.strerror}); give the path of a robot file.") from error
