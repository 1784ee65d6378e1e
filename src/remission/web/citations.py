"""Identifiers of works on a page as links: DOI, PMID, PMC, registries. Nothing is asked of them until a click."""

import re
from html import escape, unescape

_PARTS = re.compile(r"(<[^>]*>)")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_CLOSED = {"a", "svg", "code", "script", "style", "textarea", "title", "option", "button", "summary", "label", "head"}
"""Inside these a link would be wrong or not be one."""
_WORK = re.compile(
    r"(?P<url>https?://[^\s<>\"']+)"
    r"|(?:doi:\s*)?(?P<doi>10\.\d{4,9}/(?:[^\s<>\"',;&]|&(?:lt|gt|amp);)+)"
    r"|PMID:? ?(?P<pmid>\d{5,9})\b"
    r"|\b(?P<pmc>PMC\d{5,9})\b"
    r"|\b(?P<nct>NCT\d{8})\b"
    r"|\b(?P<actrn>ACTRN\d{14})\b"
    r"|\b(?P<isrctn>ISRCTN\d{6,9})\b"
    r"|\bEudraCT (?P<eudract>\d{4}-\d{6}-\d{2})\b"
    r"|\b(?P<crd>CRD\d{8,14})\b"
)
_ADDRESSES = {
    "url": "{}",
    "doi": "https://doi.org/{}",
    "pmid": "https://pubmed.ncbi.nlm.nih.gov/{}/",
    "pmc": "https://pmc.ncbi.nlm.nih.gov/articles/{}/",
    "nct": "https://clinicaltrials.gov/study/{}",
    "actrn": "https://www.anzctr.org.au/{}.aspx",
    "isrctn": "https://www.isrctn.com/{}",
    "eudract": "https://www.clinicaltrialsregister.eu/ctr-search/search?query={}",
    "crd": "https://www.crd.york.ac.uk/PROSPERO/view/{}",
}


def link_sources(page: str) -> str:
    """A page of HTML in whose text every identifier of a work is a link.

    Examples
    --------
    >>> link_sources("<p>Am J 2019. PMID 31230464.</p>")
    '<p>Am J 2019. <a href="https://pubmed.ncbi.nlm.nih.gov/31230464/" rel="noopener noreferrer">PMID 31230464</a>.</p>'
    """
    parts = _PARTS.split(page)
    closed = 0
    for place, part in enumerate(parts):
        if place % 2:
            found = _TAG.match(part)
            if found and found[2].lower() in _CLOSED and not part.endswith("/>"):
                closed += -1 if found[1] else 1
        elif closed <= 0 and part:
            parts[place] = _WORK.sub(_link, part)
    return "".join(parts)


def _link(found: re.Match[str]) -> str:
    kind = str(found.lastgroup)
    whole, name = found[0], unescape(found[kind])
    # A sentence ends after the identifier, and a bracket around it is not part of it.
    kept = name.rstrip(".,;:")
    while kept.endswith(")") and kept.count("(") < kept.count(")"):
        kept = kept[:-1].rstrip(".,;:")
    rest = escape(name[len(kept) :])
    address = escape(_ADDRESSES[kind].format(kept))
    return f'<a href="{address}" rel="noopener noreferrer">{whole.removesuffix(rest)}</a>{rest}'
