"""Mistakes in deletions of tokens that are inserted anew."""

from laws import test_deleting as X
from laws.mutants.planted import Mutant

MARGINALS = X.test_d43_the_marginals_are_those_of_the_noise
STEP = X.test_d43_tokens_leave_and_come_each_with_its_own_chance
ENDS = X.test_d43_a_row_that_ends_loses_nothing
WORST = X.test_d43_the_least_sure_tokens_leave

MUTANTS = [
    Mutant("nothing comes for what leaves", "gone_again", "decoder.py",
           "+ back * alpha(tick.t) / (1 - alpha(tick.t))", "", MARGINALS, {"eta": 0.3}),
    Mutant("more leave than may", "gone_again", "decoder.py",
           "back = torch.clamp((1 - alpha(tick.s)) / torch.clamp(alpha(tick.t), min=1e-9), "
           "max=self.eta)",
           "back = self.eta + 0 * alpha(tick.s)", MARGINALS, {"eta": 1.0}),
    Mutant("one random number for what leaves and what comes", "gone_again", "decoder.py",
           'noise.uniform("delete", canvas.position)', 'noise.uniform("insert", canvas.position)',
           STEP, {"name": "default", "limit": 8}),
    Mutant("tokens that leave from where they were", "gone_again", "editing.py",
           "place = place + (gaps.cumsum(1) - gaps.long())[row, place]", "place = place + 0",
           STEP, {"name": "default", "limit": 8}),
    Mutant("full rows that end by themselves", "gone_again", "editing.py",
           "return replace(made.remove(moved), room=canvas.room)",
           "return replace(made.remove(moved), room=canvas.room).close_full()",
           STEP, {"name": "default", "limit": 1}),
    Mutant("full rows that never end", "gone_again", "decoder.py", ".close_full()", "",
           STEP, {"name": "full", "limit": 1}),
    Mutant("tokens of rows that end", "gone_again", "decoder.py",
           "gone & ~stops[:, None]", "gone", ENDS),
    Mutant("a row that ends and goes on", "gone_again", "decoder.py", ".close(stops)", "", ENDS),
    Mutant("the surest token leaves", "gone_again", "decoder.py",
           "-sureness(canvas)", "sureness(canvas)", WORST, {"worst": 1}),
    Mutant("a confidence where the token was before others left", "gone_again", "deleting.py",
           "(gaps.cumsum(1) - left.cumsum(1))[row, gap]", "gaps.cumsum(1)[row, gap]",
           WORST, {"worst": 1}),
    Mutant("a confidence that does not move", "gone_again", "rating.py",
           "self.sure.gather(1, source)",
           "self.sure[:, :1].expand_as(source)", WORST, {"worst": 1}),
]  # fmt: skip
