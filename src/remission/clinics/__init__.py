"""Places of care: files of operators and public registers in, a store that the pages read out; nothing is invented."""
