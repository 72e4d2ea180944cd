"""Decoders of specs of masks."""

CHANCE = """decoder {
    param steps : Count = 4
    param temperature : Scale = 1.0
    param top_k : Count = 0
    param top_p : Chance = 1.0
    grid uniform(steps)
    step { unmask chance reveal(alpha); draw token with temperature, top_k, top_p }
  }
"""

REUSED = CHANCE.replace("    step {", "    reuse while unchanged\n    step {")

EVENTS = "  decoder first_hitting { grid events; step { unmask one by random; draw token } }\n"

ORDERS = """decoder {
    param steps : Count = 3
    param order = confidence | margin | entropy | random | left
    grid uniform(steps)
    step { unmask quota masked / steps_left by order; draw token }
  }
  decoder single { drop grid; step { unmask one by order; draw token } }
  decoder hasty { drop grid; step { unmask one by confidence of sampled; draw token } }
  decoder leftmost { drop grid; step { unmask one by left; draw token greedy } }
  decoder cooled {
    param temperature : Scale = 0.2
    param top_p : Chance = 1.0
    drop grid
    step { unmask one by order of tempered; draw token with temperature, top_p }
  }
  decoder loud { step { unmask quota masked / steps_left by order temperature 0.5; draw token } }
  decoder threshold {
    param tau : Chance = 0.7
    drop grid
    step { unmask above tau by confidence; draw token }
  }
  decoder unfinished { step { unmask chance 0.3; draw token }; stop when no mask }
  decoder at_once { drop grid; step { unmask all; draw token } }
  decoder quick { step { unmask quota masked / steps_left; draw token }; reuse while unchanged }
  decoder slow { step { unmask chance 0.3; draw token }; finish { unmask all; draw token greedy } }
"""

RULES = """decoder {
    param steps : Count = 3
    grid uniform(steps)
    step { unmask quota masked / steps_left by confidence; draw token }
  }
  decoder plain { step { unmask quota 2 by confidence } }
  decoder annealed {
    param heat : Scale = 1.0
    step { unmask quota 2 by confidence temperature heat * s }
  }
  decoder heated {
    param heat : Scale = 1.0
    step { unmask quota 2 by confidence temperature heat * masked / 3 }
  }
  decoder patient {
    param tau : Chance = 0.9
    drop grid
    step { unmask above tau else quota 2 by confidence }
  }
  decoder joined {
    param tau : Chance = 0.9
    drop grid
    step { unmask above tau or quota 2 by confidence }
  }
  decoder swapped {
    param tau : Chance = 0.9
    drop grid
    step { unmask quota 2 or above tau by confidence }
  }
  decoder three { drop grid; step { unmask above 0.85 else above 0.7 or quota 2 by confidence } }
  decoder trying { drop grid; step { unmask chance 0.3 else one by left } }
  decoder measured { drop grid; step { unmask quota max(1, masked * confidence) by confidence } }
  decoder bold { let sure = confidence ** 2; step { unmask chance sure } }
  decoder factored {
    param factor : Scale = 1.0
    drop grid
    step { unmask factor factor by confidence }
  }
  decoder planned { step { remask quota 1 by confidence of current; unmask quota 2 by random } }
  decoder shaken {
    param eta : Chance = 0.5
    step { remask chance eta * (1 - confidence); unmask quota 2 by random }
  }
  decoder scattered { step { remask poisson s * 2 by random; unmask quota 2 by random } }
  decoder tepid {
    param heat : Scale = 1.0
    step { remask quota 1 by margin of current temperature heat * s; unmask quota 2 by random }
  }
"""

BOUNDED = """decoder {
    param gamma : Scale = 0.5
    param order = entropy | confidence | margin
    step { unmask within gamma by order; draw token }
  }
  decoder of_sampled { step { unmask within gamma by confidence of sampled; draw token } }
  decoder of_half { step { unmask within masked / 4 by margin; draw token } }
"""

DREAM = """decoder {
    param steps : Count = 4
    param top_p : Chance = 1.0
    param order = confidence | margin | entropy | random
    grid uniform(steps)
    step { unmask quota masked * (1 - s / t) by order of sampled; draw token with top_p }
    stop when no mask or text = stop_strings
  }
  decoder origin { step { unmask chance 1 - s / t; draw token } }
  decoder drawn {
    param order_temperature : Scale = 0.2
    drop grid
    step { unmask one by confidence temperature order_temperature; draw token }
  }
"""

BLOCKS = """decoder {
    param steps : Count = 4
    param size : Count = 2
    grid uniform(steps)
    step { unmask quota masked / steps_left by confidence; draw token }
    blocks size
  }
  decoder whole { drop blocks }
  decoder by_chance { step { unmask chance reveal(alpha); draw token }; reuse while unchanged }
  decoder ancestral {
    drop blocks
    step { unmask chance reveal(alpha); draw token }
    reuse while unchanged
  }
  decoder single { drop grid; step { unmask one by entropy; draw token } }
  decoder leftmost { drop grid; blocks 1; step { unmask one by confidence; draw token greedy } }
  decoder slow { step { unmask chance 0.4 / steps_left; draw token } }
  decoder doubting {
    step { remask quota 1 by confidence; unmask quota 1 + masked / steps_left; draw token }
  }
"""

GUIDED = """decoder {
    param steps : Count = 3
    param w : Scale = 1.5
    grid uniform(steps)
    step { unmask chance reveal(alpha); draw token }
    guide cfg(scale = w, without = prompt)
  }
  decoder unguided { drop guide }
  decoder single { drop grid; step { unmask one by confidence; draw token } }
  decoder half {
    step { unmask chance 0.5; draw token }
    guide cfg(scale = 0.5, without = given)
    finish { unmask all; draw token greedy }
  }
"""

BACK = """decoder {
    param steps : Count = 5
    param eta : Chance = 0.3
    let back = min(eta, (1 - alpha(s)) / max(alpha(t), 1e-9))
    grid uniform(steps)
    step {
      remask chance back
      unmask chance reveal(alpha) + back * alpha(t) / (1 - alpha(t))
      draw token
    }
  }
  decoder doubting {
    param worst : Count = 1
    step {
      remask quota worst by confidence
      unmask quota 1 + masked / steps_left by confidence of sampled
      draw token
    }
    reuse while unchanged
  }
  decoder careless {
    param worst : Count = 1
    step { remask quota worst; unmask chance 0.5; draw token }
    finish { unmask all; draw token greedy }
  }
  decoder revised { step { remask one by confidence; unmask chance 0.5; draw token } }
"""
