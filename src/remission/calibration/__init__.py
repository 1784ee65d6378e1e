"""What published trials teach about the model's values, and how well: the fit that is registered in the library.

``plan`` reads what was registered, ``wave`` simulates it over the prior, ``emulator`` stands in for the simulator,
``fit`` samples the posterior, ``judge`` holds it against the exact simulator and against trials left out.
"""
