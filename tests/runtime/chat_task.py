"""A task with prompts that is encoded by whatever tokenizer the published weights came with."""

from typing import ClassVar

from xlm_runtime import tokenizers
from xlm_runtime.plug import Example
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tasks.base.task import Task


class Chat(Task):
    """Words, and the same words again."""

    name = "chat"
    title = "Say it again"
    layout = "seq2seq"
    quick: ClassVar = {
        "train.steps": 4,
        "train.batch": 8,
        "train.learning_rate": 1e-3,
        "eval.batch": 8,
    }

    def prepare(self, options: DataOptions) -> Prepared:
        """40 examples, of which the last 8 test."""
        assert options.tokenizer is not None
        read = tokenizers.pretrained(options.tokenizer, options.specials, sharing=options.published)
        encode = read.chat if options.chat else read.encode
        texts = [f"the {['cat', 'dog', 'log', 'mat'][i % 4]} sat on {i}" for i in range(40)]
        rows = [Example(i, read.encode(t)[:6], encode(t)) for i, t in enumerate(texts)]
        room = max(len(row.prompt) for row in rows)
        return Prepared(
            train=rows[:24], validation=rows[24:32], test=rows[32:],
            tokenizer=read, body=6, prompt=room,
        )  # fmt: skip


CHAT = Chat()
