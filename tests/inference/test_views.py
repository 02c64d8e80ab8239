import numpy as np

from amgan.inference.views import GAIN, difference


def test_a_difference_is_grey_where_nothing_changed() -> None:
    before = np.full((2, 2, 3), 100, np.uint8)
    after = before.copy()
    after[0, 0], after[1, 1] = 103, 0
    assert difference(before, after)[..., 0].tolist() == [[128 + 3 * GAIN, 128], [128, 0]]
