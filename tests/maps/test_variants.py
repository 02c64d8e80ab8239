import numpy as np

from amgan.maps.variants import varied, which_pattern


def grid(side: int = 32) -> np.ndarray:
    steps = (np.arange(side, dtype=np.float32) + 0.5) * (2 / side) - 1
    return np.stack(np.meshgrid(steps, steps))


def test_a_number_gives_one_set_of_lines_and_another_number_another() -> None:
    places = grid()
    assert np.array_equal(varied(places, 7, 3), varied(places, 7, 3))
    sets = [varied(places, number, 3) for number in range(0, 30, 3)]
    assert len({one.tobytes() for one in sets}) == len(sets)
    assert {which_pattern(number, 3) for number in range(9)} == {0, 1, 2}


def test_lines_are_moved_a_little_smoothly_and_are_mirrored_on_half_of_the_faces() -> None:
    places = grid()
    mirrored, highest = 0, []
    for number in range(60):
        found = varied(places, number, 3)
        assert found.shape == (3, 32, 32) and found.dtype == np.float32
        # At an angle of a tenth at most, so that a line stays a line.
        slope = np.diff(found[0], axis=1) / np.diff(places[0], axis=1)
        mirrored += bool(slope.mean() < 0)
        assert np.abs(np.abs(slope) - 1).max() < 0.2
        straight = np.abs(found[0]) if slope.mean() > 0 else np.abs(-found[0])
        assert np.abs(straight - np.abs(places[0])).max() <= 0.0181
        moved = np.abs(found[1] - places[1])
        assert moved[places[1] > -0.25].max() <= 0.0181 and moved.max() <= 0.0881
        highest.append(float(moved.max()))
        # Lines on the forehead are moved further, and yet never past each other.
        assert (np.diff(found[1], axis=0) / np.diff(places[1], axis=0)).min() > 0.2
    assert 15 < mirrored < 45 and np.median(highest) > 0.04
