"""One person aged through a video: read, follow, smooth, write (docs/video.md)."""
