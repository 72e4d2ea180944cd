"""Specs that start from a draft, and edit it."""

from laws.zoo.spec import Spec

EDITS = """family toy "Toy" {
  noise {
    draft ~ random(1)
    clean -> draft  survival alpha(t) = 1 - t
  }
  network {
    backbone dit(condition = t)
    head missing : count at gaps
    head new     : logits at gaps
    head surplus : count at tokens
    head wrong   : count at tokens
    head right   : logits
  }
  loss {
    missing : poisson(gone)                 weight bound
    new     : cross_entropy(gone)           weight bound
    surplus : poisson(extra)                weight bound
    wrong   : poisson(changed)              weight bound
    right   : cross_entropy(x0) on changed  weight bound
    mean over sequences
  }
  decoder {
    param steps : Count = 4
    grid uniform(steps)
    step {
      insert tokens poisson missing * reveal(alpha); draw new
      delete poisson surplus * reveal(alpha); substitute poisson wrong * reveal(alpha); draw right
    }
  }
  collate { text : bos [body]; seq2seq : prompt bos [body]; infill : bos [body] keeping given }
}
"""

EMPTY = """family toy "Toy" {
  noise {
    draft ~ empty
    clean -> draft  survival alpha(t) = 1 - t
  }
  network { backbone dit(condition = t); head missing : count at gaps; head new : logits at gaps }
  loss {
    missing : poisson(gone)        weight bound
    new     : cross_entropy(gone)  weight bound
    mean over sequences
  }
  decoder {
    param steps : Count = 4
    grid uniform(steps)
    step { insert tokens poisson missing * reveal(alpha); draw new }
  }
  collate { text : bos [body]; seq2seq : prompt bos [body]; infill : bos [body] keeping given }
}
"""

MORE = {  # of a few laws alone
    "edit_random": Spec(EDITS),
    "edit_masks": Spec(EDITS.replace("random(1)", "masks(2)")),
    "edit_size": Spec(
        EDITS.replace("draft ~ random(1)", "param size : Size = 3; draft ~ random(size)")
    ),
    "edit_empty": Spec(EMPTY),
    "edit_copy": Spec(EDITS.replace("random(1)", "copy(0.6)")),
    "edit_rate": Spec(
        EDITS.replace("draft ~ random(1)", "param rate : Chance = 0; draft ~ copy(rate)")
    ),
}
