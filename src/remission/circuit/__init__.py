"""The three brain circuits of the article as latent functions, and the cues that drive them.

Circuit names are labels for functions, not measured tissue. One file a circuit: basal ganglia (habit, reward),
extended amygdala (load, withdrawal, negative affect), prefrontal cortex (skill, commitment, control).
"""
