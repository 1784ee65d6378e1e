"""A finished run on disk: a folder that is whole or absent, checked by hashes when it is read."""
