"""One number per person from what was seen of them: diaries, tests, visits and craving, real or simulated."""
