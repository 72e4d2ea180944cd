"""The order of reading: every epoch whole, the same from any start and on any number of devices."""

from collections import Counter
from itertools import chain

from xlm_runtime.train.order import Order


def test_every_epoch_reads_everything_once_in_an_order_of_its_own() -> None:
    read = list(chain(*Order(size=10, seed=1, part=4, parts=10)))
    epochs = [read[i : i + 10] for i in range(0, 40, 10)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_going_on_reads_what_was_left() -> None:
    whole = list(Order(size=10, seed=1, part=3, parts=20))
    for start in (0, 1, 7, 20):
        rest = Order(size=10, seed=1, part=3, parts=20)
        rest.begin(start, 3 * start)
        assert list(rest) == whole[start:]
        assert len(rest) == 20


def test_devices_share_what_one_would_read() -> None:
    one = list(Order(size=50, seed=3, part=8, parts=5))
    two = [list(Order(size=50, seed=3, part=4, parts=5, rank=r, devices=2)) for r in (0, 1)]
    assert [a + b for a, b in zip(*two, strict=True)] == one


def test_seed_changes_the_order() -> None:
    first, second = (list(chain(*Order(size=50, seed=s, part=5, parts=10))) for s in (1, 2))
    assert first != second
    assert Counter(first) == Counter(second)


def test_going_on_in_parts_of_another_size_reads_what_was_left() -> None:
    whole = list(chain(*Order(size=10, seed=1, part=6, parts=10)))
    rest = Order(size=10, seed=1, part=4, parts=20)
    rest.begin(3, 18)
    assert list(chain(*rest))[:40] == whole[18:58]
