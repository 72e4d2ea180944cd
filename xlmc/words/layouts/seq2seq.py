"""``seq2seq``: a prompt and the target that answers it."""

from xlmc.words.layouts.base import Layout


class Seq2seq(Layout):
    """The word ``seq2seq``."""

    name = "seq2seq"
    form = "seq2seq : prompt PARTS [PARTS] PARTS"
    meaning = "A prompt, which is fixed, and the target that answers it."
    example = "seq2seq : prompt bos [body] eos"
    detail = "A prompt and the target that answers it"
    prompts = True
