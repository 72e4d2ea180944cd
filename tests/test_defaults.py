"""What a spec leaves unsaid is what `expand` prints."""

from xlmc.diagnostics.source import Source
from xlmc.resolve.defaults import complete, explicit
from xlmc.syntax import ast, query
from xlmc.syntax.parse import parse
from xlmc.syntax.printer import entry

SPEC = """
family masked "Masked text" {
  noise { clean -> mask  survival alpha(t) = 1 - t }
  network { backbone dit; head token : logits }
  loss { token : cross_entropy(x0) on mask }
  decoder {
    param steps : Count = 8
    param order = confidence | left
    grid uniform(steps)
    step { unmask quota 1 by order; draw token with temperature, top_k = 2, top_p }
    finish { unmask all }
  }
  decoder sure { drop grid; drop finish; step { unmask above 0.9 by confidence } }
  decoder cold { param temperature : Scale = 0.1; step { unmask chance reveal(alpha) } }
  decoder left { drop grid; drop finish; step { unmask one by left; draw token greedy } }
  collate { text : bos [body] eos }
}
"""


def decoder(name: str | None = None) -> tuple[ast.Node, ...]:
    return query.entries(complete(parse(Source("masked.xlm", SPEC))), "decoder", name)


def params(name: str | None = None) -> list[str]:
    entries = decoder(name)
    return [entry(e) for e in entries if isinstance(e, ast.Param | ast.Choice)]


def actions(block: type[ast.Step | ast.Finish], name: str | None = None) -> list[str]:
    return [entry(action) for action in query.the(decoder(name), block).actions]


def test_what_a_draw_is_told_with_is_a_param_that_changes_nothing() -> None:
    assert params() == [
        "param steps : Count = 8",
        "param temperature : Scale = 1.0",
        "param top_p : Chance = 1.0",
        "param order = confidence | left",
    ]


def test_a_param_of_a_draw_that_is_said_stays_as_it_is() -> None:
    assert "param temperature : Scale = 0.1" in params("cold")
    assert "param temperature : Scale = 1.0" not in params("cold")


def test_a_finish_draws_as_the_step_does() -> None:
    assert actions(ast.Finish)[1] == "draw token with temperature, top_k = 2, top_p"


def test_a_step_that_does_not_draw_draws_as_the_one_it_replaces() -> None:
    drawn = "draw token with temperature, top_k = 2, top_p"
    assert actions(ast.Step, "sure") == ["unmask above 0.9 by confidence of likeliest", drawn]
    assert actions(ast.Step, "cold") == ["unmask chance reveal(alpha)", drawn]
    assert actions(ast.Step, "left") == ["unmask one by left", "draw token greedy"]


def test_what_is_written_out_stays_as_it_is() -> None:
    once = complete(parse(Source("masked.xlm", SPEC)))
    assert complete(explicit(once)) == once
