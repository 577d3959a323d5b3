"""The figure of a comparison: differences from the base with their intervals."""

import plotly.graph_objects as go
import polars as pl

from gigatwin.app.figures import INK, QUIET, ROW, label, margin_for, row_axis, styled
from gigatwin.app.wording import kpi_name
from gigatwin.studies.verdicts import BETTER, WORSE

_BETTER = "#3f8f5b"
_WORSE = "#c8453b"


def forest(table: pl.DataFrame) -> go.Figure | None:
    """Draw the differences of all scenarios in percent of the base, grouped by total.

    Parameters
    ----------
    table : polars.DataFrame
        Of a comparison.

    Returns
    -------
    plotly.graph_objects.Figure or None
        None when no difference can be given in percent of a base.
    """
    shown = table.filter(
        (pl.col("base") != 0) & pl.col("base").is_finite() & pl.col("difference").is_finite()
    )
    if shown.is_empty():
        return None
    labels: list[str] = []
    headings: list[int] = []
    entries: list[tuple[int, dict[str, float], str]] = []
    for (kpi,), rows in shown.group_by("kpi", maintain_order=True):
        headings.append(len(labels))
        labels.append(kpi_name(str(kpi)))
        for row in rows.iter_rows(named=True):
            size = abs(row["base"])
            values = {
                key: 100 * row[key] / size
                for key in ("difference", "difference_low", "difference_high")
            }
            entries.append((len(labels), values, row["verdict"]))
            labels.append(row["scenario"])
    figure = go.Figure()
    for verdict, colour in ((BETTER, _BETTER), (WORSE, _WORSE), (None, QUIET)):
        mine = [e for e in entries if (e[2] == verdict if verdict else e[2] not in {BETTER, WORSE})]
        if not mine:
            continue
        figure.add_scatter(
            x=[values["difference"] for _, values, _ in mine],
            y=[row for row, _, _ in mine],
            mode="markers",
            name=verdict or "no clear difference, or neither good nor bad",
            marker={"color": colour, "size": 9},
            error_x={
                "type": "data",
                "symmetric": True,
                "array": [
                    values["difference_high"] - values["difference"] for _, values, _ in mine
                ],
                "color": colour,
                "thickness": 2,
                "width": 4,
            },
            hovertext=[
                f"{label(labels[row])}: {values['difference']:+.2f} % "
                f"[{values['difference_low']:+.2f}, {values['difference_high']:+.2f}], {found}"
                for row, values, found in mine
            ],
            hoverinfo="text",
        )
    styled(figure, 96 + ROW * len(labels))
    figure.add_vline(x=0, line={"color": INK, "width": 1})
    figure.update_xaxes(
        title="difference from the base, with 95 % interval [% of the base]", ticksuffix=""
    )
    row_axis(figure, labels)
    figure.update_layout(margin={"l": 1.15 * margin_for(labels)})  # bold text is wider
    figure.update_yaxes(
        ticktext=[
            f"<b>{label(text)}</b>" if row in headings else label(text)
            for row, text in enumerate(labels)
        ]
    )
    return figure
