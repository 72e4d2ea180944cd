"""Mistakes in logits that are read to the left, where gaps are read as well."""

from laws import test_leftward as LEFTWARD
from laws.mutants.planted import Mutant

MUTANTS = [
    Mutant("tokens that are read at their own places", "both_led_shifted", "decoder.py",
           "left_of(places)", "places",
           LEFTWARD.test_k8_decoders_make_the_rows_of_a_head_that_is_read_in_place),
    Mutant("masks that are read to their right", "both_led_shifted", "places.py",
           "places[:, 1:], (0, 1)", "places[:, :-1], (1, 0)",
           LEFTWARD.test_k8_masks_that_no_gap_gets_are_filled_like_an_autoregressive_model),
    Mutant("a substitution that is read at its own place", "edit_shifted", "decoder.py",
           "left_of(altered)", "altered",
           LEFTWARD.test_k8_decoders_make_the_rows_of_a_head_that_is_read_in_place),
    Mutant("gaps that are read to their right", "both_led_shifted", "decoder.py",
           "canvas.hidden(canvas.open)", "canvas.hidden(canvas.open.roll(1, 1))",
           LEFTWARD.test_k8_decoders_make_the_rows_of_a_head_that_is_read_in_place),
    Mutant("a loss that reads a mask in place", "both_led_shifted", "loss.py",
           "shifted(hidden, noised.attend)", "hidden",
           LEFTWARD.test_k8_loss_and_likelihood_are_those_of_a_head_that_is_read_in_place),
    Mutant("a bound that reads a substitution in place", "edit_shifted", "likelihood.py",
           "shifted(hidden, noised.attend)", "hidden",
           LEFTWARD.test_k8_loss_and_likelihood_are_those_of_a_head_that_is_read_in_place),
]  # fmt: skip
