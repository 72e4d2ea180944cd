"""A child says what differs; the rest is its parent's."""

from pathlib import Path

import pytest

from xlmc.compiler import checked
from xlmc.diagnostics.diagnostic import SpecErrors
from xlmc.diagnostics.source import Source
from xlmc.diagnostics.syntax_errors import ChainTooLong, NeedsParent, NothingToDrop, UnknownParent
from xlmc.resolve.inherit import flatten, lineage
from xlmc.syntax import ast, printer
from xlmc.syntax.parse import parse

PARENT = """
family parent "Parent" {
  paper "A"
  noise {
    clean -> mask  survival alpha(t) = 1 - t
    amount t ~ uniform(0, 1)
  }
  network {
    backbone  dit
    attention full
    head token : logits
  }
  loss {
    param scale : Scale = 1
    token : cross_entropy(x0) on mask
    mean over tokens
  }
  decoder {
    start masks
    param steps : Count = 8
    let share = 1 / steps
    grid uniform(steps)
    step {
      unmask one
    }
    finish {
      unmask all
    }
    stop when no mask
    reuse while unchanged
  }
  decoder quick {
    grid events
  }
  collate {
    text : bos [body]
    seq2seq : prompt bos [body]
    pad body right, prompt left
  }
  recipe lm1b { batch 64; ema 0.9 }
}
"""


def flat(child: str, **others: str) -> ast.Family:
    texts = {"parent": PARENT, **others}
    family = parse(Source("child.xlm", child))
    return flatten(family, lambda n: Source(f"{n}.xlm", texts[n]) if n in texts else None, texts)


def section(family: ast.Family, kind: str, name: str | None = None) -> list[str]:
    (found,) = (s for s in family.sections if (s.kind, s.name) == (kind, name))
    return [printer.entry(e) for e in found.entries]


def child(body: str) -> str:
    return f"family child extends parent {{\n{body}\n}}"


def test_family_without_parent_stays_as_it_is() -> None:
    family = parse(Source("parent.xlm", PARENT))
    assert flatten(family, lambda _: None) == family


def test_empty_child_is_its_parent_under_another_name() -> None:
    made = flat('family child "Child" extends parent { paper "B" }')
    parent = parse(Source("parent.xlm", PARENT))
    assert made.parent is None
    assert (made.name.id, made.title and made.title.value) == ("child", "Child")
    assert [p.citation.value for p in made.papers] == ["B", "A"]
    assert (made.sections, made.recipes) == (parent.sections, parent.recipes)


@pytest.mark.parametrize(
    ("kind", "entry", "old"),
    [
        ("noise", "random -> mask survival beta(t) = 1", "clean -> mask"),
        ("noise", "amount count ~ uniform(1, length)", "amount t"),
        ("network", "backbone rotary", "backbone dit"),
        ("network", "attention causal", "attention full"),
        ("network", "head token : chance", "head token : logits"),
        ("loss", "token : cross_entropy(x0) weight 2", "token : cross_entropy(x0) on mask"),
        ("loss", "mean over masked per sequence", "mean over tokens"),
        ("loss", "let scale = 2", "param scale"),
        ("decoder", "start empty", "start masks"),
        ("decoder", "param steps = a | b", "param steps :"),
        ("decoder", "let share = 1", "let share = 1 / steps"),
        ("decoder", "grid events", "grid uniform"),
        ("decoder", "stop chance done", "stop when"),
        ("decoder", "reuse while prefix", "reuse while unchanged"),
        ("collate", "text : [body]", "text : bos"),
    ],
)
def test_entry_takes_the_place_of_its_key(kind: str, entry: str, old: str) -> None:
    before = section(parse(Source("parent.xlm", PARENT)), kind)
    after = section(flat(child(f"{kind} {{ {entry} }}")), kind)
    place = next(n for n, text in enumerate(" ".join(b.split()) for b in before) if old in text)
    assert " ".join(after[place].split()) == entry
    assert after[:place] + after[place + 1 :] == before[:place] + before[place + 1 :]


def test_step_and_finish_are_replaced_whole() -> None:
    made = flat(child("decoder { step { draw token }; finish { draw token greedy } }"))
    (decoder, _) = (s for s in made.sections if s.kind == "decoder")
    steps = [e for e in decoder.entries if isinstance(e, ast.Step | ast.Finish)]
    assert [[printer.entry(a) for a in s.actions] for s in steps] == [
        ["draw token"],
        ["draw token greedy"],
    ]


def test_new_entry_stands_last() -> None:
    assert section(flat(child("network { head gap : count }")), "network")[-1].startswith(
        "head gap"
    )


def test_sides_of_padding_are_merged() -> None:
    made = flat(child("collate { pad prompt right, answer left }"))
    assert section(made, "collate")[-1] == "pad body right, prompt right, answer left"


def test_settings_are_merged() -> None:
    made = flat(child("recipe lm1b { ema 0.5; drop batch }\nrecipe star { batch 1 }"))
    assert settings(made) == {"lm1b": ["ema 0.5"], "star": ["batch 1"]}


def settings(family: ast.Family) -> dict[str, list[str]]:
    return {r.title: [printer.entry(s) for s in r.settings] for r in family.recipes}


def test_what_recipes_share_lies_under_each_and_over_what_is_inherited() -> None:
    own = "recipe { ema 0.5; steps 9 }\nrecipe star { steps 2; batch 1 }"
    assert settings(flat(child(own))) == {
        "lm1b": ["batch 64", "ema 0.5", "steps 9"],
        "star": ["ema 0.5", "steps 2", "batch 1"],
    }


def test_what_several_recipes_say_of_a_task_is_put_together() -> None:
    own = "recipe star, cfg { steps 2; batch 1 }\nrecipe lm1b, star { ema 0.5 }"
    assert settings(flat(child(own))) == {
        "lm1b": ["batch 64", "ema 0.5"],
        "star": ["steps 2", "batch 1", "ema 0.5"],
        "cfg": ["steps 2", "batch 1"],
    }


def test_a_step_that_does_not_draw_draws_as_its_parent() -> None:
    middle = "family middle extends parent { decoder { step { unmask one; draw token greedy } } }"
    made = flat("family child extends middle { decoder { step { unmask all } } }", middle=middle)
    (step,) = (
        e for s in made.sections if s.name is None for e in s.entries if isinstance(e, ast.Step)
    )
    assert [printer.entry(action) for action in step.actions] == ["unmask all", "draw token greedy"]


def test_what_recipes_share_may_drop_what_some_inherit() -> None:
    made = flat(child("recipe { drop batch }\nrecipe star { steps 2 }"))
    assert settings(made) == {"lm1b": ["ema 0.9"], "star": ["steps 2"]}


def test_recipes_share_in_each_generation() -> None:
    middle = "family middle extends parent { recipe { steps 3 } }"
    made = flat("family child extends middle { recipe { ema 0.1 } }", middle=middle)
    assert settings(made) == {"lm1b": ["batch 64", "ema 0.1", "steps 3"]}


def test_a_new_recipe_has_what_the_recipes_of_its_parent_share() -> None:
    middle = "family middle extends parent { recipe { steps 3; ema 0.2 }; recipe star { batch 2 } }"
    made = flat("family child extends middle { recipe cfg { ema 0.1 } }", middle=middle)
    assert settings(made) == {
        "lm1b": ["batch 64", "ema 0.2", "steps 3"],
        "star": ["steps 3", "ema 0.2", "batch 2"],
        "cfg": ["steps 3", "ema 0.1"],
    }


def test_replaced_section_keeps_nothing() -> None:
    made = flat(child("replace decoder { start empty }"))
    assert section(made, "decoder") == ["start empty"]
    assert section(made, "decoder", "quick") == ["grid events"]
    assert not any(s.replace for s in made.sections)


@pytest.mark.parametrize("key", ["reuse", "stop", "steps", "share", "finish"])
def test_dropped_entry_is_gone(key: str) -> None:
    before = section(parse(Source("parent.xlm", PARENT)), "decoder")
    after = section(flat(child(f"decoder {{ drop {key} }}")), "decoder")
    assert len(after) == len(before) - 1
    assert not any(key in text.split()[:2] for text in after)


def test_named_decoders_are_merged_by_name_and_stand_together() -> None:
    made = flat(child("decoder slow { grid uniform(99) }\ndecoder quick { start empty }"))
    assert [s.name for s in made.sections if s.kind == "decoder"] == [None, "quick", "slow"]
    assert [s.kind for s in made.sections][-1] == "collate"
    assert section(made, "decoder", "quick") == ["grid events", "start empty"]


def test_named_decoder_keeps_a_drop_of_what_the_default_says() -> None:
    made = flat(child("decoder quick { drop reuse; drop grid }"))
    assert section(made, "decoder", "quick") == ["drop grid", "drop reuse"]
    again = flat(
        child("decoder quick { reuse while prefix }"), parent=printer.text(_as_parent(made))
    )
    assert section(again, "decoder", "quick") == ["drop grid", "reuse while prefix"]


def _as_parent(family: ast.Family) -> ast.Family:
    return parse(Source("x", printer.text(family).replace("family child", "family parent", 1)))


def test_grandchildren() -> None:
    middle = "family middle extends parent { network { backbone rotary }; decoder { drop stop } }"
    made = flat("family child extends middle { network { attention causal } }", middle=middle)
    network = [" ".join(text.split()) for text in section(made, "network")]
    assert network == ["backbone rotary", "attention causal", "head token : logits"]
    assert not any("stop" in text for text in section(made, "decoder"))


def test_lineage_names_every_source() -> None:
    family = parse(Source("child.xlm", child("")))
    chain = lineage(family, lambda name: Source(f"{name}.xlm", PARENT))
    assert [one.span.source.path for one in chain] == ["child.xlm", "parent.xlm"]


def test_unknown_parent_gets_a_suggestion() -> None:
    with pytest.raises(SpecErrors, match="did you mean `parent`") as caught:
        flat("family child extends parnet { }")
    assert [type(d) for d in caught.value.diagnostics] == [UnknownParent]


def test_eight_generations_and_no_more() -> None:
    texts = {f"f{n}": f"family f{n} extends f{n + 1} {{ }}" for n in range(20)}
    texts["f7"] = "family f7 { }"
    assert flat(texts["f0"], **texts).parent is None
    texts |= {"f7": "family f7 extends f8 { }", "f8": "family f8 { }"}
    with pytest.raises(SpecErrors) as caught:
        flat(texts["f0"], **texts)
    assert [type(d) for d in caught.value.diagnostics] == [ChainTooLong]


def test_all_mistakes_are_told_at_once() -> None:
    middle = "family middle extends parent { loss { drop weight }; noise { none; none } }"
    with pytest.raises(SpecErrors) as caught:
        flat("family child extends middle { decoder { drop a; drop b } }", middle=middle)
    names = [type(d).__name__ for d in caught.value.diagnostics]
    assert sorted(names) == ["DuplicateEntry", *["NothingToDrop"] * 3]


def test_a_named_decoder_of_the_parent_can_be_dropped() -> None:
    decoders = "decoder quick { drop reuse }; decoder slow { drop grid }"
    base = f"family middle extends parent {{ {decoders} }}"
    made = flat("family child extends middle { drop decoder quick }", middle=base)
    assert [one.name for one in made.sections if one.kind == "decoder"] == [None, "slow"]


def test_a_decoder_that_the_parent_lacks_cannot_be_dropped() -> None:
    base = "family middle extends parent { decoder quick { drop reuse } }"
    with pytest.raises(SpecErrors) as caught:
        flat("family child extends middle { drop decoder quik }", middle=base)
    (one,) = caught.value.diagnostics
    assert (type(one), one.key, one.hint) == (
        NothingToDrop,
        "decoder quik",
        "did you mean `quick`?",
    )
    with pytest.raises(SpecErrors, match="without a parent"):
        flat("family child { drop decoder quick }")


@pytest.mark.parametrize("kind", ["network", "loss"])
def test_a_head_and_a_term_are_dropped_by_the_name_of_the_head(kind: str) -> None:
    made = flat(child(f"{kind} {{ drop token }}"))
    assert not any({"token", "head"} & {*line.split()} for line in section(made, kind))


@pytest.mark.parametrize("text", ["decoder { drop a }", "replace noise { none }"])
def test_orphans_have_nothing_to_change(text: str) -> None:
    with pytest.raises(SpecErrors) as caught:
        flat(f"family child {{ {text} }}")
    assert [type(d) for d in caught.value.diagnostics] == [NeedsParent]


def test_named_decoder_of_an_orphan_may_drop_from_the_default() -> None:
    made = flat("family child { decoder x { drop reuse }; decoder { reuse while unchanged } }")
    assert section(made, "decoder", "x") == ["drop reuse"]
    with pytest.raises(SpecErrors) as caught:
        flat("family child { decoder x { drop reuse }; decoder { start masks } }")
    assert [type(d) for d in caught.value.diagnostics] == [NothingToDrop]


def test_a_message_about_a_parents_text_names_the_child(tmp_path: Path) -> None:
    (tmp_path / "parent.xlm").write_text(PARENT)
    child = tmp_path / "child.xlm"
    network = "backbone dit; attention full; head tok : logits"
    child.write_text(f'family child "C" extends parent {{ replace network {{ {network} }} }}\n')
    with pytest.raises(SpecErrors) as caught:
        checked(child)
    assert {d.span.source.name for d in caught.value.diagnostics} == {"parent.xlm"}
    for one in caught.value.diagnostics:
        (here,) = one.related
        assert (here.span.source.name, here.text) == ("child.xlm", "inherited by `child`")
