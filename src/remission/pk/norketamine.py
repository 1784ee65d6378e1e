"""An optional, slower norketamine: what the default would have to be to meet the one data set it misses.

The default under-predicts S-norketamine by 30% in the median and by 60% at 5 h of row V12. Half the clearance removes
that, and lies 13 standard errors away from the source's own estimate; so the two studies disagree, and which is right
is not known. Nothing in the chain reads norketamine; the option is for people who look at its curve.
"""

from remission.library.loader import load_parameter_set
from remission.pk.model import PkModel

__all__ = ["with_slow_norketamine"]


def with_slow_norketamine(model: PkModel) -> PkModel:
    """The model with the library's ``norketamine-slow`` clearance; ketamine is the same.

    Raises
    ------
    LibraryError
        The model has no norketamine.

    Examples
    --------
    >>> from remission.pk.model import load_pk_model
    >>> with_slow_norketamine(load_pk_model()).parameter_set.value("nk_cl_l_per_h")
    29.7
    """
    return model.replace_values(nk_cl_l_per_h=load_parameter_set("norketamine-slow").value("nk_cl_l_per_h"))
