import cv2
import numpy as np

from amgan.maps.guided import guided


def test_it_brings_a_blurred_mask_to_the_edges_of_each_colour() -> None:
    # Two colours of one light, so that grey would see no edge.
    guide = np.empty((64, 96, 3), np.uint8)
    guide[:, :40], guide[:, 40:] = (200, 60, 60), (60, 131, 60)
    mask = np.zeros((64, 96), np.float32)
    mask[:, 40:] = 1
    coarse = cv2.GaussianBlur(mask, (0, 0), 5)
    found = guided(guide, coarse, 10, 1e-4)
    off = np.abs(found - mask)[:, [38, 39, 40, 41]].max()
    assert off < 0.25 < np.abs(coarse - mask)[:, [38, 39, 40, 41]].max()


def test_where_the_picture_is_flat_the_mask_is_only_blurred() -> None:
    guide = np.full((64, 64, 3), 90, np.uint8)
    mask = np.zeros((64, 64), np.float32)
    mask[:, 32:] = 1
    found = guided(guide, mask, 8, 1e-4)
    assert np.abs(found - cv2.blur(cv2.blur(mask, (17, 17)), (17, 17))).max() < 0.05


def test_the_coarser_the_edge_that_counts_the_less_of_the_picture_is_seen() -> None:
    rng = np.random.default_rng(0)
    guide = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    mask = guide[..., 0].astype(np.float32) / 255
    uneven = [guided(guide, mask, 8, edge).std() for edge in (1e-4, 1e-1, 1e2)]
    assert uneven[0] > 2 * uneven[1] > 4 * uneven[2]
