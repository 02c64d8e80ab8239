import numpy as np

from amgan.data.augment import degrade, jitter


def test_degraded_patches_stay_the_picture_they_were(astronaut: np.ndarray) -> None:
    rgb = astronaut[64:192, 160:288]
    for seed in range(5):
        made = degrade(rgb, np.random.default_rng(seed))
        assert made.shape == rgb.shape and made.dtype == np.uint8
        # The mean of each channel: a codec that takes red for blue would swap them.
        assert np.abs(made.mean(axis=(0, 1)) - rgb.mean(axis=(0, 1))).max() < 3
        assert (made != rgb).any()


def test_jitter_changes_colour_and_light_and_not_what_is_shown(astronaut: np.ndarray) -> None:
    rgb = np.ascontiguousarray(astronaut[64:192, 160:288])
    grey, brightness = 0, []
    for seed in range(60):
        made = jitter(rgb, np.random.default_rng(seed))
        assert made.shape == rgb.shape and made.dtype == np.float32 and -1 <= made.min() and made.max() <= 1
        assert np.corrcoef(made.mean(axis=2).ravel(), rgb.mean(axis=2).ravel())[0, 1] > 0.95
        grey += bool(np.ptp(made, axis=2).max() < 1e-5)
        brightness.append(made.mean())
    assert 1 <= grey <= 14 and np.std(brightness) > 0.05
    assert np.array_equal(jitter(rgb, np.random.default_rng(3)), jitter(rgb, np.random.default_rng(3)))


def test_jitter_is_about_the_picture_itself(astronaut: np.ndarray) -> None:
    rgb = np.ascontiguousarray(astronaut[64:192, 160:288])
    made = np.mean([jitter(rgb, np.random.default_rng(seed)) for seed in range(300)], axis=0)
    # Saturation is 0.86 of itself on average.
    luma = (rgb @ np.array([0.299, 0.587, 0.114]))[..., None]
    wanted = (luma + 0.86 * (rgb - luma)) / 127.5 - 1
    assert np.abs(made - wanted).mean() < 0.03
