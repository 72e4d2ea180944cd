"""Text is text: no string of it becomes a special token, whatever the kind of tokenizer."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Backend

from xlm_runtime import tokenizers
from xlm_runtime.plug import Example
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.tokenizers import Tokenizer, load, pretrained

ROLES = ("pad", "mask", "bos", "eos")
NAMES = ("<pad>", "<mask>", "<s>", "</s>")
LETTERS = "abc<>/spdmk"


def _word_level() -> Backend:
    vocab = {word: i for i, word in enumerate(("<unk>", *NAMES, "a", "b", "ab", "c"))}
    made = Backend(models.WordLevel(vocab, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return made


def _unigram() -> Backend:
    pieces = [("<unk>", 0.0), *((name, -1.0) for name in NAMES), ("\u2581", -2.0)]
    pieces += [(letter, -3.0) for letter in LETTERS] + [("\u2581ab", -2.5)]
    made = Backend(models.Unigram(pieces, 0, False))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    return made


def _word_piece() -> Backend:
    pieces = ("[UNK]", *NAMES, *LETTERS, *(f"##{letter}" for letter in LETTERS), "ab", "##</s>")
    made = Backend(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.decoder = decoders.WordPiece()
    return made


def _merged() -> Backend:
    """A BPE whose merges spell special tokens, which it also takes whole."""
    steps = [("<", "/"), ("</", "s"), ("</s", ">"), ("<", "s"), ("<s", ">"), ("a", "b")]
    pieces = ["<unk>", *LETTERS, *("".join(step) for step in steps), "<pad>", "<mask>"]
    vocab = {piece: i for i, piece in enumerate(pieces)}
    made = Backend(models.BPE(vocab, steps, unk_token="<unk>", ignore_merges=True))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.decoder = decoders.Fuse()
    return made


def _byte_level() -> Backend:
    made = tokenizers.bpe(["a text of </s> and <mask>"] * 9, 280, ()).backend
    made.add_tokens([AddedToken(name, special=False, normalized=False) for name in NAMES])
    return made


KINDS: dict[str, Callable[[], Backend]] = {
    "word level": _word_level,
    "unigram": _unigram,
    "word piece": _word_piece,
    "merges": _merged,
    "byte level": _byte_level,
}


def _file(folder: Path, kind: str) -> Path:
    made = KINDS[kind]()
    if kind != "byte level":  # whose roles are taken by ordinary added tokens
        made.add_special_tokens(list(NAMES))
    made.save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


def _of(folder: Path, kind: str) -> Tokenizer:
    return pretrained(str(_file(folder, kind)), ROLES)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vocabularies of a few tokens are no stumps here."""
    monkeypatch.setattr("xlm_runtime.tokenizers.published._LEAST", 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("large")
def test_a_special_token_spelled_out_is_text(kind: str, tmp_path: Path) -> None:
    made = _of(tmp_path, kind)
    specials = set(made.vocabulary.specials.values())
    assert len(specials) == len(ROLES)
    assert made.named(NAMES) == tuple(
        made.vocabulary[role] for role in ("pad", "mask", "bos", "eos")
    )
    for text in ("ab </s> ab", "<pad><mask>", "a</s>b <s>", "<S> </S>", " ".join(NAMES)):
        ids = made.encode(text)
        assert ids
        assert not specials & set(ids), text
        assert made.encode_all([text]) == [ids]


@pytest.mark.many
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("large")
def test_saved_loaded_and_copied_tokenizers_give_the_same_ids(kind: str, tmp_path: Path) -> None:
    made = _of(tmp_path, kind)
    plain = Backend.from_file(str(tmp_path / "tokenizer.json"))
    made.save(tmp_path / "run")
    copies = [load(tmp_path / "run"), pickle.loads(pickle.dumps(made))]
    copies.append(pretrained(str(tmp_path / "run"), ROLES))
    assert {copy.fingerprint for copy in copies} == {made.fingerprint}

    @given(st.text(alphabet=LETTERS + " A\u00e9\n\uffff", max_size=12) | st.sampled_from(NAMES))
    @settings(max_examples=30, deadline=None, derandomize=True, database=None)
    def same(text: str) -> None:
        ids = made.encode(text)
        assert all(copy.encode(text) == ids for copy in copies)
        assert not set(ids) & set(made.vocabulary.specials.values())
        whole = plain.encode(text, add_special_tokens=False)
        if "\uffff" not in text and not set(whole.ids) & set(made.vocabulary.specials.values()):
            assert ids == whole.ids  # nothing but special tokens is read otherwise

    same()


@pytest.mark.usefixtures("large")
def test_what_stands_for_unknown_words_plays_no_role(tmp_path: Path) -> None:
    """Or unknown words would be padding."""
    made = Backend(models.WordLevel({"<pad>": 0, "a": 1, "<mask>": 2}, unk_token="<pad>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.add_special_tokens(["<pad>", "<mask>"])
    made.save(str(tmp_path / "tokenizer.json"))
    found = pretrained(str(tmp_path / "tokenizer.json"), ("pad", "mask"))
    assert found.unknown == 0
    assert found.encode("a what a") == [1, 0, 1]
    assert found.vocabulary["pad"] == 3
    shared = pretrained(str(tmp_path / "tokenizer.json"), ("pad", "mask"), sharing=True)
    assert shared.vocabulary["pad"] == 0
    with pytest.raises(UsageError, match="unknown: 'what'"):
        shared.encode("a what a")


@pytest.mark.usefixtures("large")
def test_a_tokenizer_that_drops_merges_at_random_reads_the_same_twice(tmp_path: Path) -> None:
    file = _file(tmp_path, "merges")
    found = json.loads(file.read_text())
    found["model"] |= {"dropout": 0.9, "ignore_merges": False}
    file.write_text(json.dumps(found))
    made = pretrained(str(file), ROLES)
    assert made.encode("ab ab ab ab") == list(made.named(["ab"] * 4))


@pytest.mark.usefixtures("large")
def test_a_vocabulary_with_a_hole_has_no_room_for_new_tokens(tmp_path: Path) -> None:
    """The new one would have the id of another."""
    made = Backend(models.WordLevel({"<unk>": 0, "a": 1, "b": 3}, unk_token="<unk>"))
    made.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(UsageError, match="id 3 would be both that of 'b' and of '<pad>'"):
        pretrained(str(tmp_path / "tokenizer.json"), ("pad",))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("large")
def test_a_folder_has_the_ids_of_its_tokenizer_json(kind: str, tmp_path: Path) -> None:
    """Whatever class transformers would choose by the files beside it."""
    file = _file(tmp_path, kind)
    plain = Backend.from_file(str(file))
    (tmp_path / "config.json").write_text('{"model_type": "qwen2", "vocab_size": 400}')
    config = {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "</s>", "pad_token": "<absent>"}
    size = plain.get_vocab_size(with_added_tokens=True)
    config["added_tokens_decoder"] = {str(size): {"content": "<absent>", "special": True}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    made = pretrained(str(tmp_path), ("pad", "eos"), sharing=True)
    assert made.names["eos"] == "</s>"
    assert made.vocabulary["pad"] == size  # declared beside it, at the id that is declared
    assert made.vocabulary.size == size + 1
    for text in ("ab  a c\n ab", "cab 12", "a\u00e9"):
        assert made.encode(text) == plain.encode(text, add_special_tokens=False).ids
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps(config | {"added_tokens_decoder": {"1000": {"content": "<absent>"}}})
    )
    with pytest.raises(UsageError, match="lacks the token '<absent>', for which other files have"):
        pretrained(str(tmp_path), ("pad", "eos"))


@pytest.mark.usefixtures("large")
def test_a_saved_tokenizer_keeps_what_parts_documents(tmp_path: Path) -> None:
    made = tokenizers.bpe(["a text"] * 9, 270, ())
    made.save(tmp_path / "plain")
    packed = pretrained(str(tmp_path / "plain" / "tokenizer.json"), ("eos",), parting=True)
    packed.save(tmp_path / "run")
    again = pretrained(str(tmp_path / "run"), ("eos",), parting=True)
    assert again.fingerprint == packed.fingerprint
    assert again.separator == packed.separator != again.vocabulary["eos"]


def test_a_chat_has_the_specials_of_its_template_and_none_of_the_message() -> None:
    made = tokenizers.bpe(["user: a text"] * 9, 280, ROLES)
    template = "{{ bos_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}"
    chatty = Tokenizer(made.backend, made.vocabulary.specials, template=template)
    bos, eos = (made.vocabulary[role] for role in ("bos", "eos"))
    ids = chatty.chat("a <eos> text<bos>")
    assert (ids[0], ids[-1]) == (bos, eos)
    assert [ids.count(bos), ids.count(eos)] == [1, 1]
    rows = [Example(0, made.encode("a text"), prompt=ids)]
    parts = {"train": rows, "validation": rows, "test": rows}
    assert Prepared(**parts, tokenizer=chatty, body=9, prompt=len(ids)).prompt
    body = [Example(0, [eos])]
    with pytest.raises(RunError, match="contains the special token 'eos'"):
        Prepared(**parts | {"test": body}, tokenizer=chatty, body=9, prompt=len(ids))
