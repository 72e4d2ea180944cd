"""Tokenizers: ids stay where they were; specials have ids of their own, never from a text."""

import json
import pickle
from pathlib import Path
from types import SimpleNamespace

import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import models, normalizers, pre_tokenizers, processors

from xlm_runtime import tokenizers
from xlm_runtime.data import hub
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tokenizers import Tokenizer, bpe, load, pretrained, words

ALL = ("pad", "mask", "bos", "eos", "cls")
TEXTS = ["the cat sat on the mat", "the dog sat on the log", "a cat and a dog"] * 5


def _bert(folder: Path, truncated: bool = False) -> Path:
    """A small tokenizer in the form of bert-base-uncased, as transformers writes it."""
    tokens = ["[PAD]", *(f"[unused{i}]" for i in range(30)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokens += ["the", "cat", "##s", "sat"]
    vocab = {token: i for i, token in enumerate(tokens)}
    backend = Backend(models.WordPiece(vocab, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [("[CLS]", vocab["[CLS]"]), ("[SEP]", vocab["[SEP]"])]
    backend.post_processor = processors.BertProcessing(ends[1], ends[0])
    backend.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    if truncated:
        backend.enable_truncation(3)
        backend.enable_padding(length=3)
    folder.mkdir(parents=True)
    backend.save(str(folder / "tokenizer.json"))
    names = {f"{r}_token": f"[{r.upper()}]" for r in ("pad", "unk", "cls", "sep", "mask")}
    config = {"tokenizer_class": "PreTrainedTokenizerFast", **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def test_words_keep_the_ids_of_their_order() -> None:
    made = words(["0", "1", "2"], ALL)
    assert made.encode("2 0 1") == [2, 0, 1]
    assert made.decode([2, 0, 1]) == "2 0 1"
    assert sorted(made.vocabulary.specials.values()) == [3, 4, 5, 6, 7]
    assert made.vocabulary.size == 8


@pytest.mark.parametrize("text", ["0 7", "0 <mask>", "0 mask"])
def test_an_unknown_word_is_refused_with_the_words_there_are(text: str) -> None:
    with pytest.raises(UsageError, match=f"unknown: '{text.split()[1]}'; the words are 0, 1, 2"):
        words(["0", "1", "2"], ALL).encode(text)


def test_bpe_spells_anything_and_leaves_specials_out_of_texts() -> None:
    made = bpe(TEXTS, 300, ALL)
    strange = "mixed <mask> text\n\t ünïcödé \U0001f600 <pad> \x07"
    ids = made.encode(strange)
    assert made.decode(ids) == strange
    assert not set(ids) & set(made.vocabulary.specials.values())
    assert made.encode_all([strange, "the cat"]) == [ids, made.encode("the cat")]


def test_bpe_is_the_same_every_time_and_specials_do_not_move_its_ids() -> None:
    one, two = bpe(TEXTS, 300, ALL), bpe(TEXTS, 300, ALL)
    bare = bpe(TEXTS, 300, ())
    assert one.fingerprint == two.fingerprint != bare.fingerprint
    assert one.encode(TEXTS[0]) == bare.encode(TEXTS[0])
    assert min(one.vocabulary.specials.values()) == bare.vocabulary.size


def test_bpe_needs_room_for_the_bytes() -> None:
    with pytest.raises(UsageError, match="at least 256 ids, not 100"):
        bpe(TEXTS, 100, ())


def test_specials_are_left_out_of_decoded_text() -> None:
    made = bpe(TEXTS, 300, ALL)
    specials = made.vocabulary.specials
    ids = [specials["bos"], *made.encode("the cat"), specials["eos"], specials["pad"]]
    assert made.decode(ids) == "the cat"


def test_body_ends_at_the_first_end_and_keeps_masks() -> None:
    made = words(["a", "b"], ALL)
    eos, pad, mask = (made.vocabulary[name] for name in ("eos", "pad", "mask"))
    assert made.body([0, 1, eos, 0, pad]) == [0, 1]
    assert made.body([0, 1, pad, pad]) == [0, 1]
    assert made.body([0, mask, 1]) == [0, mask, 1]  # unfilled: must not look like "a b"
    assert words(["a", "b"], ()).body([0, 1]) == [0, 1]


@pytest.mark.parametrize("make", [lambda: words(["a", "b"], ALL), lambda: bpe(TEXTS, 300, ALL)])
def test_save_load_and_pickle_give_the_same_tokenizer(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    made: Tokenizer = make()
    made.save(tmp_path)
    for copy in (load(tmp_path), pickle.loads(pickle.dumps(made))):
        assert copy.fingerprint == made.fingerprint
        assert copy.vocabulary == made.vocabulary
        assert copy.encode("a b") == made.encode("a b")
    spelled = pickle.loads(pickle.dumps(bpe(TEXTS, 300, ALL))).encode("<mask>")
    assert len(spelled) > 1  # still text


def test_what_is_saved_can_be_read_by_transformers(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    made = bpe(TEXTS, 300, ALL)
    made.save(tmp_path)
    theirs = AutoTokenizer.from_pretrained(str(tmp_path))
    assert theirs.encode("the cat sat", add_special_tokens=False) == made.encode("the cat sat")
    assert theirs.mask_token_id == made.vocabulary["mask"]
    assert len(theirs) == made.vocabulary.size


def test_load_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="contains no tokenizer of a run"):
        load(tmp_path)


@pytest.mark.parametrize("form", ["folder", "file"])
def test_declared_specials_are_used(form: str, tmp_path: Path) -> None:
    folder = _bert(tmp_path / "bert")
    made = pretrained(str(folder if form == "folder" else folder / "tokenizer.json"), ALL)
    specials = made.vocabulary.specials
    assert (specials["pad"], specials["cls"], specials["mask"]) == (0, 32, 34)
    assert specials["eos"] == 33  # [SEP]
    assert specials["bos"] == 39  # [CLS] is taken: a new one, at the end
    assert made.unknown == 31
    assert made.encode("the CATS sat") == [35, 36, 37, 38]  # no [CLS], no [SEP]
    assert 31 in made.encode("zebra")


def test_without_a_cls_of_its_own_a_family_begins_with_bert_s(tmp_path: Path) -> None:
    made = pretrained(str(_bert(tmp_path / "bert")), ("bos", "eos", "mask", "pad"))
    assert dict(made.vocabulary.specials) == {"bos": 32, "eos": 33, "mask": 34, "pad": 0}
    assert made.vocabulary.size == 39  # nothing added


def test_unwanted_specials_are_no_body_tokens(tmp_path: Path) -> None:
    made = pretrained(str(_bert(tmp_path / "bert")), ("mask",))
    assert set(made.vocabulary.specials) == {"mask", "pad", "cls", "sep"}
    allowed = made.vocabulary.allowed(())
    assert not allowed[[0, 32, 33, 34]].any()
    assert allowed[31]  # the unknown one does occur in texts


def test_one_token_never_plays_two_roles(tmp_path: Path) -> None:
    """In GPT-2 the same token is declared as bos, eos and unknown."""
    backend = Backend(models.BPE({chr(97 + i): i for i in range(26)} | {"<|endoftext|>": 26}, []))
    backend.add_special_tokens(["<|endoftext|>", *(f"[unused{i}]" for i in range(10))])
    backend.save(str(tmp_path / "tokenizer.json"))
    names = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")
    config = {"tokenizer_class": "PreTrainedTokenizerFast", **names}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    specials = pretrained(str(tmp_path), ("bos", "eos", "pad")).vocabulary.specials
    assert specials["eos"] == 26
    assert len(set(specials.values())) == len(specials) == 3


def test_truncation_and_padding_of_the_file_are_off(tmp_path: Path) -> None:
    made = pretrained(str(_bert(tmp_path / "bert", truncated=True) / "tokenizer.json"), ALL)
    assert len(made.encode("the cat sat the cat sat")) == 6
    assert len(made.encode("the")) == 1


def test_a_special_in_a_text_is_text(tmp_path: Path) -> None:
    made = pretrained(str(_bert(tmp_path / "bert")), ALL)
    assert not set(made.encode("the [MASK] [PAD]")) & set(made.vocabulary.specials.values())


def test_a_tokenizer_that_came_as_a_stump_is_refused(tmp_path: Path) -> None:
    """Loaders of transformers 5 give a handful of ids where they do not find the vocabulary."""
    words(["a", "b"], ALL).backend.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(RunError, match="came with 7 ids: its files are incomplete"):
        pretrained(str(tmp_path / "tokenizer.json"), ())


def test_a_published_tokenizer_has_its_published_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = Backend.from_file(str(_bert(tmp_path / "bert") / "tokenizer.json"))
    stump = SimpleNamespace(backend_tokenizer=backend)
    import transformers

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", lambda *_, **__: stump)
    with pytest.raises(RunError, match="bert-base-uncased came with 39 ids instead of 30522"):
        pretrained("bert-base-uncased", ())


@pytest.mark.parametrize("text", ["", "\x89PNG", "{}", '{"model": {"type": "Magic"}}', "[1]"])
def test_a_file_that_is_no_tokenizer_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"data\.tokenizer="):
        pretrained(str(file), ())


def test_without_the_hub_there_is_one_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hub, "_reachable", lambda: False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(RunError) as raised:
        tokenizers.pretrained("no-one/has-this", (), "take a local one")
    assert str(raised.value).splitlines() == [
        "the tokenizer no-one/has-this is not on this machine, and the Hub cannot be reached",
        "take a local one",
    ]
    assert not caplog.records
