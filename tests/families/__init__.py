"""Families to test with: two that stay as they are, and specs drawn at random that make sense.

`specs()` draws the text of a spec: everything that the language can say of some chains.
"""

from hypothesis import strategies as st

from families.clean import clean_specs
from families.noised import noised_specs


def specs(chain: str | None = None) -> st.SearchStrategy[str]:
    """The text of a whole spec; ``chain`` says what noise does, and is ``none`` for no noise."""
    if chain == "none":
        return clean_specs()
    return noised_specs(chain) if chain else st.one_of(*[noised_specs()] * 3, clean_specs())
