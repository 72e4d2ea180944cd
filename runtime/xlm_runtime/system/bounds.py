"""The bounds of all numbers of a run, with their reasons, in one place.

A bound lies beyond all that anybody has trained or measured, and before values that would fill the
memory, exhaust the machine's processes or leave the range of float32. A model may be within them
and still be too large for a machine: `memory` reports it.
"""

from typing import Annotated, Literal

from xlm_runtime.system.strict import Range

MILLION, BILLION = 10**6, 10**9

# The types of params of losses and decoders
Count = Annotated[int, Range(0, MILLION, why="more steps or tokens than any text has")]
Size = Annotated[int, Range(1, MILLION, why="more steps or tokens than any text has")]
Chance = Annotated[float, Range(1e-9, 1, zero=True, why="rarer events never happen")]
Scale = Annotated[float, Range(1e-9, 1e9, zero=True, why="float32 holds products of a few")]

# The types of params of the noise
_ENDS = "beyond, a clock leaves next to no time for one of its ends"
NoiseCount = Annotated[int, Range(0, 10, why=_ENDS)]
NoiseSize = Annotated[int, Range(1, 10, why=_ENDS)]
NoiseScale = Annotated[float, Range(0.1, 10, why=_ENDS)]

Share = Annotated[float, Range(0, 1)]

# A network
Layers = Annotated[int, Range(1, 1000, why="ten times the deepest language models")]
Width = Annotated[int, Range(1, 2**16, why="four times the widest language models")]
Heads = Annotated[int, Range(1, 2**10, why="eight times those of the widest models")]
Base = Annotated[float, Range(1, 1e12, why="wavelengths of positions, in tokens, grow up to it")]
Kept = Annotated[float, Range(0, 0.99, why="at 1 a layer would output nothing")]

# Training
Batch = Annotated[int, Range(1, 2**20, why="rows that are gathered at once")]
Part = Annotated[int, Range(0, 2**20, why="rows that are gathered at once")]
Devices = Annotated[int, Range(1, 64, why="each is a process, all on one machine")]
Nodes = Annotated[int, Range(1, 4096, why="a large cluster")]
Strategy = Literal["ddp", "fsdp"]
Workers = Annotated[int, Range(0, 128, why="each is a process")]
Steps = Annotated[int, Range(1, BILLION, why="a thousand times the longest recipes")]
Often = Annotated[int, Range(0, BILLION, why="a number of steps")]
Waits = Annotated[int, Range(0, BILLION, why="a number of validations")]
Rank = Annotated[int, Range(0, 2**16, why="of a matrix, whose rank is its width at most")]
Rate = Annotated[float, Range(1e-12, 1e3, why="about how far a step moves each weight")]
Seed = Annotated[int, Range(0, 2**64 - 1, why="the generators of torch take 64 bits")]

# Data, evaluation and generation
Room = Annotated[int, Range(0, 2**20, why="attention looks at pairs of tokens")]
Examples = Annotated[int, Range(0, BILLION, why="a number of examples")]
Some = Annotated[int, Range(1, BILLION, why="a number of examples")]
Draws = Annotated[int, Range(1, MILLION, why="each is a pass of the network over all examples")]

VOCABULARY = Range(1, MILLION, why="each id has a row of weights, used or not")
NAME = 200  # bytes of a run's name: a name of a file has up to 255
LINE = 2**24  # bytes of a row of data, which gets its ids as a whole: three long novels
ARRAY = 2**31  # bytes of a line of a JSON array, which is read into memory as a whole
TEXT = 100_000  # characters of a setting that is a text
