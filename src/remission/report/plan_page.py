"""A plan as one self-contained page that prints on one sheet; refused while a contraindication stands."""

from collections.abc import Sequence

from markupsafe import Markup

from remission.planner import PlacedLevel, Plan
from remission.report.clinic_sheet import ClinicSheet
from remission.report.inline import themed_svg
from remission.report.page import fill_template
from remission.report.plan_sheet import LEVELS_NOTE, check_printable, level_rows, plan_sheet
from remission.report.planner_chart import planner_chart


def render_plan(
    plan: Plan, *, version: str, clinic: ClinicSheet | None = None, levels: Sequence[PlacedLevel] = ()
) -> str:
    """The page as text, without scripts and without anything from a network.

    ``clinic``: volumes and a session log on a second sheet, for clinicians who asked for them. ``levels``: measured
    concentrations, drawn and listed. Raises SpecError: a contraindication stands; the message has each with its source.
    """
    check_printable(plan.request)
    return fill_template(
        "plan.html.jinja",
        "report.css",
        "plan.css",
        sheet=plan_sheet(plan),
        svg=Markup(themed_svg(planner_chart(plan, medium="paper", levels=levels))),  # noqa: S704 - drawn here
        clinic=clinic,
        levels=level_rows(levels),
        levels_note=LEVELS_NOTE,
        version=version,
    )
