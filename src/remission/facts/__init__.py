"""Whether the model reproduces what is known: each registered fact computed, beside its tolerance."""
