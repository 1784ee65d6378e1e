"""A second program of every method of ``remission analyze``, from the written definitions alone.

Nothing here reads or calls the first programs; ``compare`` puts both to the same data.
"""
