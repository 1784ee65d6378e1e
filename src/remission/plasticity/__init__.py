"""From receptor block to changed synapses: the learning window, glutamate efficacy, serotonin tone.

Latent states: no human measurement of them after ketamine exists that a clinic could read (``addiction.md``: SV2A
PET null at 24 h, glutamate contested, serotonin weak). Each can be switched off by its parameter.
"""
