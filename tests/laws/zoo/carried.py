"""Specs whose states go from call to call."""

import re

from laws.zoo.spec import Spec, written_out

RELAY = written_out("relay").replace(
    "  collate {",
    """  decoder gridded {
    drop tau
    param steps : Count = 4
    grid uniform(steps)
    step { unmask chance reveal(alpha); draw token with temperature }
  }

  decoder again {
    drop tau
    param steps : Count = 6
    grid uniform(steps)
    step {
      remask quota 1
      unmask quota max(1, masked - length * s) by confidence
      draw token with temperature
    }
  }

  decoder planned {
    drop tau
    param steps : Count = 4
    grid uniform(steps)
    step { keep quota length * (1 - s) by confidence; draw token with temperature }
  }

  collate {""",
)

MORE = {  # of a few laws alone
    "relay": Spec(RELAY),
    "relay_plain": Spec(re.sub(r"\n *(carry|loss\.tau) [^\n]*", "", RELAY)),
    "relay_plain_rotary": Spec(
        re.sub(r"\n *(carry|loss\.tau) [^\n]*", "", RELAY).replace(
            "backbone  dit", "backbone  rotary"
        )
    ),
    "relay_rotary": Spec(RELAY.replace("backbone  dit", "backbone  rotary")),
    "relay_three": Spec(
        RELAY.replace("over 2", "over 3")
        .replace("mean over tokens", "mean over masked")
        .replace("above tau by confidence of likeliest", "quota max(1, length / tau) by margin", 1)
        .replace("param tau : Chance = 0.85", "param tau : Count = 3", 1)
        .replace("weight bound", "")
        .replace("; decoder.tau 0.15", "")
        .replace("    loss.tau 0.15\n", "")
    ),
}
