"""Bugs planted in generated packages, one at a time: the law that they break must say so."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from laws import (
    examples,
    test_collation,
    test_corruption,
    test_decoders,
    test_losses,
    test_schedules,
)


@dataclass(frozen=True)
class Mutant:
    """A piece of text of a package's file, what replaces it, and the law that must fail.

    `told` are the law's parameters beside the package.
    """

    bug: str
    package: str
    file: str
    old: str
    new: str
    law: Any
    told: dict[str, Any] = field(default_factory=dict)


C = test_corruption
D = test_decoders
K = test_collation
L = test_losses
S = test_schedules

MUTANTS = [
    # schedules
    Mutant("a wrong constant", "mask_cosine", "schedule.py", "math.pi / (2 *", "math.pi / (3 *",
           S.test_s3_weights_in_closed_form),
    Mutant("a derivative of the wrong sign", "mask_cubic", "schedule.py", "6 * t - 2 - 6 * t**2",
           "6 * t - 2 + 6 * t**2",
           S.test_s1_rates_are_derivatives_of_totals),
    Mutant("no shared shift", "mask_square", "noise.py", " + noise.shared(\"amount\")", "",
           S.test_s5_times_of_one_row_are_uniform),
    Mutant("two rows in one stratum", "mask_square", "noise.py", "rows / len(rows)",
           "rows.clamp(min=1) / len(rows)", S.test_s5_spread_times_fall_one_into_each_stratum,
           {"rows": 5}),
    Mutant("draws around the stratum", "gone_t", "noise.py", "rows + noise", "rows + 2 * noise",
           S.test_s5_spread_times_fall_one_into_each_stratum, {"rows": 64}),
    Mutant("a guard at the wrong end", "mask_leftover", "noise.py", "0.001 + ", "0.0 + ",
           S.test_s6_a_guard_bounds_the_weight_and_leaves_the_other_end),
    Mutant("a grid of S + 1 intervals", "mdlm", "decoder.py", "index / self.steps",
           "index / (self.steps + 1)", D.test_d1_two_tokens_revealed_together_are_drawn_apart,
           {"steps": 4}),
    # corruption
    Mutant("counts from 0", "mdlm", "noise.py", "1 + (u * length).long()", "(u * length).long()",
           C.test_c2_counts_and_sets),
    Mutant("one token fewer", "mask_mlm", "noise.py", "subset(u, batch.free, count)",
           "subset(u, batch.free, count - 1)", C.test_c2_counts_and_sets),
    Mutant("the leftmost set", "mdlm", "places.py", "first(-u,", "first(0 * u,",
           C.test_c2_counts_and_sets),
    Mutant("time for chance", "mask_square", "noise.py", "u < corrupted(t)", "u < t",
           C.test_c2_counts_and_sets),
    Mutant("one draw for all places", "mask_t", "noise.py", "(u < corrupted",
           "(u[:, :1] < corrupted",
           C.test_c2_the_chance_of_each_token_is_that_of_the_clock),
    Mutant("a masked prompt", "mask_t", "noise.py", "batch.free & (u", "(u",
           C.test_c3_fixed_tokens_stay),
    Mutant("a dropped prompt", "ilm", "noise.py", "subset(u, batch.free, count)",
           "subset(u, batch.free | batch.open, count)", C.test_c3_fixed_tokens_stay),
    Mutant("a gap off by one", "ilm", "noise.py", "(~gone).cumsum(1) - 1", "(~gone).cumsum(1) - 2",
           C.test_c4_reinserting_what_is_missing_restores_the_row),
    Mutant("gaps of padding", "ilm", "noise.py", "open=stays & batch.open.gather(1, order)",
           "open=batch.open.gather(1, order)",
           C.test_c4_the_open_gaps_are_those_between_the_brackets),
    Mutant("the share of a count for its time", "mask_counted", "noise.py", "inverse(1 - level)",
           "inverse(1 - masked.sum(1) / batch.free.sum(1))",
           C.test_c2_the_time_of_a_count_is_its_order_statistic),
    # losses
    Mutant("no weight", "mdlm", "loss.py", "weight[row] * nll", "nll",
           L.test_l1_expected_loss, {"wrong": False}),
    Mutant("a mean before the weight", "mdlm", "loss.py", "(weight[row] * nll).sum()",
           "weight[row].mean() * nll.sum()", L.test_l24_a_batch_is_the_weighted_mean_of_its_rows),
    Mutant("a weight of another range", "mdlm", "loss.py", "length / count", "(length + 1) / count",
           L.test_l1_expected_loss, {"wrong": True}),
    Mutant("the rate of the other end", "mask_t", "loss.py", "hazard(t)", "hazard(1 - t)",
           L.test_l1_expected_loss, {"wrong": False}),
    Mutant("another denominator", "mdlm", "loss.py", "over = batch.free.sum()",
           "over = noised.masked.sum()", L.test_l24_a_batch_is_the_weighted_mean_of_its_rows),
    Mutant("a sum for a mean", "gone_bound", "loss.py", "over = len(batch.x0)", "over = 1",
           L.test_l24_a_batch_is_the_weighted_mean_of_its_rows),
    Mutant("no weight of the bound", "mdlm", "likelihood.py", "nll * length[row]", "nll",
           L.test_l1_nelbo_of_exact_conditionals_is_minus_log_p),
    Mutant("counts of the bound from 0", "mdlm", "likelihood.py",
           "(1 + (noise.uniform(\"amount\")[:, 0] * length).long())",
           "(noise.uniform(\"amount\")[:, 0] * (length + 1)).long()",
           L.test_l1_nelbo_of_exact_conditionals_is_minus_log_p),
    Mutant("a bound that is told half the time", "mask_counted", "likelihood.py",
           "inverse(1 - level)", "inverse(1 - level) / 2",
           L.test_l1_nelbo_of_answers_that_depend_on_time),
    Mutant("no log L!", "ilm", "likelihood.py", " - torch.lgamma(length.double() + 1)", "",
           L.test_l1_nelbo_of_exact_insertions_is_minus_log_p, {"law": examples.MIXED}),
    Mutant("L for L + 1", "ilm", "likelihood.py", "(length + 1) * step", "length * step",
           L.test_l1_nelbo_of_exact_insertions_is_minus_log_p, {"law": examples.REPEATS}),
    Mutant("a sum over what is missing", "ilm", "likelihood.py", "insertion / count[row]",
           "insertion",
           L.test_l1_nelbo_of_exact_insertions_is_minus_log_p, {"law": examples.REPEATS}),
    Mutant("a softmax for each gap", "ilm", "gaps.py", "evidence.logsumexp(1)[row]",
           "evidence[row, gap]", L.test_l13_one_missing_token_is_one_flat_cross_entropy),
    Mutant("no mean over what is missing", "ilm", "loss.py", "nll / noised.count[row]", "nll",
           L.test_l13_one_missing_token_is_one_flat_cross_entropy),
    Mutant("a stop that means go", "ilm", "loss.py", "noised.count == 0", "noised.count != 0",
           L.test_l1_expected_loss_of_insertions, {"wrong": True}),
    Mutant("a scale of everything", "ilm", "loss.py", "(nll / noised.count[row]).sum()",
           "(nll / noised.count[row]).sum() * 2.0", L.test_l1_expected_loss_of_insertions,
           {"wrong": False}),
    Mutant("a weight of one term only", "gone_bound", "loss.py", "stop_scale * (length + 1)",
           "stop_scale * (0 * length + 1)",
           L.test_d17_training_finds_the_heads_that_the_claim_says),
    Mutant("a claim too much", "ilm", "family.py", "\"bound\",", "\"tight\",",
           L.test_d17_training_finds_the_heads_that_the_claim_says),
    Mutant("nothing over nothing", "mask_orders", "loss.py", ".clamp(min=1)", "",
           L.test_l23_finite_whatever_is_corrupted),
    # decoders
    Mutant("the likeliest token", "mdlm", "decoder.py", "return categorical(logits, u)",
           "return logits.argmax(-1)", D.test_d1_two_tokens_revealed_together_are_drawn_apart,
           {"steps": 4}),
    Mutant("the same noise at every step", "mdlm", "decoder.py", "noise.at(i)", "noise.at(0)",
           D.test_d1_two_tokens_revealed_together_are_drawn_apart, {"steps": 4}),
    Mutant("one draw for place and token", "mdlm", "decoder.py", "noise.uniform(\"token\"",
           "noise.uniform(\"unmask\"", D.test_d1_two_tokens_revealed_together_are_drawn_apart,
           {"steps": 4}),
    Mutant("a linear chance", "mask_square", "decoder.py", "reveal(s, t)", "(t - s) / t",
           D.test_d1_two_tokens_revealed_together_are_drawn_apart, {"steps": 4}),
    Mutant("calls for nothing", "mdlm", "decoder.py", "rows = places.any(1)",
           "rows = masked.any(1)",
           D.test_d5_calls_of_the_network),
    Mutant("a greedy finish that draws", "mask_orders", "decoder.py", "token = logits.argmax(-1)",
           "token = self.draw(logits, noise.uniform(\"token\", batch.position)[masked])",
           D.test_d6_a_greedy_finish_takes_the_likeliest),
    Mutant("quotas rounded up", "mask_orders", "decoder.py", "1e-9).floor()", "1e-9).ceil()",
           D.test_d7_quotas_add_up, {"name": "default", "steps": 4}),
    Mutant("confidence of the likeliest", "mask_orders", "decoder.py", "self.score(logits, token)",
           "self.score(logits, logits.argmax(-1))",
           D.test_d4_confidence_of_the_sampled_token_is_biased),
    Mutant("two tokens at once", "mask_t", "decoder.py", "masked.any(1).long()",
           "2 * masked.any(1).long()", D.test_d8_first_hitting_calls_once_a_token),
    Mutant("a clock for each row", "mask_cosine", "decoder.py",
           "u ** (1 / left.sum(1).clamp(min=1))", "u", D.test_d8_the_times_of_first_hitting),
    Mutant("the time of the next state", "mask_leftover", "decoder.py", "told = sigma(t)",
           "told = sigma(t / 2)", D.test_s9_the_network_is_told_the_time_of_the_state,
           {"steps": 4}),
    Mutant("a threshold from below", "mask_orders", "decoder.py", "score > self.tau",
           "score < self.tau", D.test_d11_a_threshold_reveals_what_is_above_it_and_the_best,
           {"tau": 0.6}),
    Mutant("temperature upside down", "mdlm", "sampling.py", "logits / temperature",
           "logits * temperature", D.test_d12_temperature_and_truncation,
           {"name": "default", "cuts": ("temperature",)}),
    Mutant("one token too many", "mdlm", "sampling.py", "order[:, k:]", "order[:, k + 1 :]",
           D.test_d12_temperature_and_truncation, {"name": "default", "cuts": ("top_k",)}),
    Mutant("a nucleus without what crosses p", "mdlm", "sampling.py", "before >= p",
           "before + chance > p", D.test_d13_nucleus,
           {"dtype": test_decoders.torch.float64, "order": (2, 0, 1)}),
    Mutant("an impossible token at u = 0", "mdlm", "sampling.py", "right=True", "right=False",
           D.test_d12_draws_invert_the_law),
    Mutant("an edited prompt", "mdlm", "decoder.py", "batch.x0.masked_fill(batch.free",
           "batch.x0.masked_fill(batch.open", D.test_d14_a_canvas_changes_only_from_mask_to_token,
           {"name": "default"}),
    Mutant("tokens drawn again", "mdlm", "decoder.py",
           "batch.free & (x == network.vocab[\"mask\"])",
           "batch.free & (x == x)", D.test_d14_a_canvas_changes_only_from_mask_to_token,
           {"name": "default"}),
    Mutant("specials that may be said", "mdlm", "network.py",
           "logits.masked_fill(self.forbidden, -torch.inf)", "logits",
           D.test_d15_samples_hold_body_tokens_and_predicted_specials, {"name": "default"}),
    Mutant("insertion into the prompt", "ilm", "noise.py",
           "open=stays & batch.open.gather(1, order)", "open=attend.clone()",
           D.test_d14_an_insertion_leaves_the_rest_in_place, {"name": "sampled"}),
    Mutant("insertion before the gap", "ilm", "gaps.py", "place == gap[:, None] + 1",
           "place == gap[:, None]", D.test_d14_an_insertion_leaves_the_rest_in_place,
           {"name": "sampled"}),
    Mutant("one token beyond the limit", "ilm", "decoder.py", "<= limit", "<= limit + 1",
           D.test_d16_no_more_tokens_than_the_limit, {"name": "sampled", "limit": 1}),
    Mutant("a sampled stop by threshold", "gone_bound", "decoder.py",
           "noise.uniform(\"done\")[:, 0] < done", "done > 0.5",
           D.test_d17_insertions_generate_p_over_l_plus_1,
           {"name": "default", "law": examples.MIXED, "weighted": True}),
    Mutant("the same noise at every insertion", "gone_bound", "decoder.py",
           ".at(len(history) - 1)", ".at(0)", D.test_d17_insertions_generate_p_over_l_plus_1,
           {"name": "default", "law": examples.MIXED, "weighted": True}),
    Mutant("one draw for stop and token", "gone_bound", "decoder.py", "noise.uniform(\"token\")",
           "noise.uniform(\"done\")", D.test_d17_insertions_generate_p_over_l_plus_1,
           {"name": "default", "law": examples.MIXED, "weighted": True}),
    Mutant("a token from another gap", "gone_bound", "decoder.py", "return gap, categorical",
           "return gap.flip(0), categorical", D.test_d17_a_gap_first_and_then_its_token,
           {"name": "staged"}),
    Mutant("noise by column", "mdlm", "decoder.py", "batch.position", "x.shape[1]",
           D.test_d21_a_row_does_not_depend_on_its_companions, {"name": "default"}),
    Mutant("noise by the rows that are left", "ilm", "decoder.py", "noise.rows(rows)",
           "noise.rows(rows - rows[0])", D.test_d21_a_row_does_not_depend_on_its_companions,
           {"name": "sampled"}),
    # collation and the backbone
    Mutant("positions by column", "ilm", "backbone.py", "x = self.embed(xt)\n",
           "x = self.embed(xt) + self.embed.weight[: xt.shape[1]]\n",
           K.test_k2_padding_on_the_left_shifts_nothing),
    Mutant("attention to padding", "mdlm", "backbone.py",
           "attn_mask=None if attend is None else attend[:, None, None, :]", "attn_mask=None",
           K.test_k1_padding_changes_no_row),
    Mutant("a free special", "mdlm", "collate.py", "start=len(before)", "start=len(before) - 1",
           K.test_k6_a_layout_is_what_the_spec_says),
    Mutant("an eos that is fixed", "mdlm", "collate.py", "(\"eos\", \"pad\")", "(\"pad\",)",
           K.test_k6_a_layout_is_what_the_spec_says),
    Mutant("a prompt padded on the right", "ilm", "collate.py", "left=len(before)", "left=0",
           K.test_k4_a_prompt_is_only_looked_at),
    Mutant("masks that may be said", "mask_t", "network.py",
           "logits.masked_fill(self.forbidden, -torch.inf)", "logits",
           K.test_k9_only_body_tokens_and_predicted_specials_can_be_said),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.bug.replace(" ", "_"))
def test_a_planted_bug_breaks_its_law(workshop, mutant):
    broken = workshop.mutant(mutant.package, mutant.file, mutant.old, mutant.new)
    with pytest.raises(AssertionError):
        mutant.law(broken, **mutant.told)
