"""What ``import remission`` offers, by job; everything that is passed in is read in one place, ``arguments``."""
