"""From a scan to what a network sees: frames, square pixels, the head cut out and evened."""
