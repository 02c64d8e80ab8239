import cv2
import numpy as np

from amgan.data.grafts.window import mask_part


def test_the_part_of_a_mask_is_that_of_the_whole_brought_to_the_size() -> None:
    mask = np.random.default_rng(0).integers(0, 256, (128, 128)).astype(np.uint8)
    rows, columns = slice(31, 95), slice(200, 256)
    for size in (64, 128, 192, 256):
        whole = cv2.resize(mask, (size, size), interpolation=cv2.INTER_LINEAR).astype(np.float32) / np.float32(255)
        some = slice(rows.start, min(rows.stop, size)), slice(min(columns.start, size - 8), min(columns.stop, size))
        assert np.abs(mask_part(mask, size, *some) - whole[some]).max() <= 1.01 / 255
