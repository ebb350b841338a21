"""The indexer: which unspent outputs meet a filter, page by page (TIP-26).

    filters     what may be asked, a class per kind of output
    cursor      pages, and the places between them
    statement   from a filter to SQL
    pages       asking the database

Pages are ordered by (created_index, output_id), and a cursor is the last pair of a page. New outputs always sort
behind those that exist, because milestones follow one another; a walk through the pages therefore meets every
output that is unspent throughout, exactly once, whatever arrives meanwhile.
"""

from tangle.store.indexer.cursor import Cursor, OutputPage
from tangle.store.indexer.filters import AliasFilter, AnyFilter, BasicFilter, Filter, FoundryFilter, NftFilter
from tangle.store.indexer.pages import chain_output, unspent_outputs

__all__ = [
    "AliasFilter",
    "AnyFilter",
    "BasicFilter",
    "Cursor",
    "Filter",
    "FoundryFilter",
    "NftFilter",
    "OutputPage",
    "chain_output",
    "unspent_outputs",
]
