"""Two families that stay as they are, whatever becomes of the shipped ones."""

MASK = """family covered "Covered words" {
  paper "Someone et al. 2024" arxiv "2401.00001"

  noise {
    clean -> mask  survival alpha(t) = 1 - t
    amount count ~ uniform(1, length)
  }

  network {
    backbone  dit
    attention full
    head token : logits
  }

  loss {
    token : cross_entropy(x0) on mask  weight bound
    mean over tokens
  }

  decoder {
    start masks
    param steps : Count = 128
    param temperature : Scale = 1.0
    param top_k : Count = 0
    grid uniform(steps)
    step {
      unmask chance reveal(alpha)
      draw token with temperature, top_k
    }
    reuse while unchanged
  }

  decoder first_hitting {
    grid events
    step {
      unmask one by random
      draw token with temperature
    }
  }

  collate {
    text    : bos [body] eos
    seq2seq : prompt bos [body eos pad]
    infill  : bos [body] eos keeping given
    pad body right, prompt left
  }

  recipe lm1b { block 128; batch 512; steps 1_000_000; learning_rate 3e-4; warmup 2500 }
}
"""
GONE = """family torn "Torn-out words" {
  paper "Someone et al. 2025" arxiv "2501.00001"

  noise {
    clean -> gone  survival alpha(t) = 1 - t
    amount count ~ uniform(0, length)
  }

  network {
    backbone  rotary
    attention full
    head slot : logits at gaps
    head done : chance at cls
  }

  loss {
    param stop_scale : Scale = 1.0
    slot : joint_cross_entropy(gone)
    done : binary_cross_entropy(none gone)  weight stop_scale
    mean over sequences
  }

  decoder {
    start empty
    param stop_above : Chance = 0.5
    step {
      insert tokens one
      pick gap with top_k = 2
      draw slot with top_p = 0.9
    }
    stop when done > stop_above or length = limit
  }

  decoder sampled {
    step {
      insert tokens one
      draw slot
    }
    stop chance done or length = limit
  }

  collate {
    text    : cls bos [body]
    seq2seq : cls prompt bos [body]
    infill  : cls bos [body] keeping given
    pad body right, prompt left
  }

  recipe star_easy { batch 64; steps 80_000; learning_rate 1e-4 }
}
"""


def changed(text: str, *pairs: tuple[str, str]) -> str:
    """A spec with some of its text replaced, once each."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


TIED = changed(  # both heads of insertions weigh what the bound says
    GONE,
    ("joint_cross_entropy(gone)", "joint_cross_entropy(gone)  weight bound"),
    ("weight stop_scale", "weight bound"),
    ("    param stop_scale : Scale = 1.0\n", ""),
)
