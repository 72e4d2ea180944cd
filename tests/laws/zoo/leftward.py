"""Specs whose logits of tokens are read one position to the left, where gaps are read as well."""

import re
from dataclasses import replace

from laws.zoo import drafts, two_clocks
from laws.zoo.spec import Spec

PLAIN = {  # a spec, and its plain one
    "both_led_shifted": "both_led",
    "both_back_shifted": "both_back",
    "scaled_shifted": "scaled",
    "edit_shifted": "edit_size",
}


def leftward(plain: Spec) -> Spec:
    """The spec with its logits of clean tokens read to the left."""
    text, number = re.subn(
        r"(head (token|right) *: logits)( at tokens)?", r"\1\3 shifted", plain.text
    )
    assert number == 1
    return replace(plain, text=text)


KNOWN = two_clocks.SPECS | two_clocks.MORE | drafts.MORE
MORE = {one: leftward(KNOWN[plain]) for one, plain in PLAIN.items()}
