"""In-silico trials of ketamine with psychotherapy for substance use disorders.

The chain of the program, link by link: a dose becomes concentrations (``dosing``, ``pk``), concentrations become
receptor effects (``receptor``), these open a window of plasticity (``plasticity``), in which circuits change
(``circuit``), and the circuits drive craving and use, day by day (``use``). A ``patient`` is one such course; a
``trial`` is many patients with arms, visits and endpoints.

Research software: nothing here predicts an individual, and none of it is medical advice.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
