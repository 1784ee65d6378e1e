"""Python blocks of Markdown pages as examples to run. HTML comments are left alone: other tests read them."""

from sybil.parsers.abstract.codeblock import AbstractCodeBlockParser, PythonDocTestOrCodeBlockParser
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer
from sybil.typing import Evaluator

__all__ = ["PythonFences"]


class _Fences(AbstractCodeBlockParser):
    def __init__(self, language: str, evaluator: Evaluator) -> None:
        lexer = FencedCodeBlockLexer(language=".+", mapping={"language": "arguments", "source": "source"})
        super().__init__([lexer], language, evaluator)


class PythonFences(PythonDocTestOrCodeBlockParser):
    """Fenced blocks of the language ``python``, as plain code or as an interpreter session."""

    codeblock_parser_class = _Fences
