"""Figures as SVG, drawn by matplotlib: they need no script, and are as sharp on paper."""

from collections.abc import Sequence
from io import StringIO
from math import ceil, isfinite
from typing import TYPE_CHECKING, Any

from attrs import frozen

from xlm_runtime.run.reports.curves import Curve
from xlm_runtime.system import extras

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb")  # Tol
_SPARSE = 3  # points of a line that would not be seen without marks
_LOOK: Any = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
    "grid.alpha": 0.3,
    "svg.fonttype": "none",
    "svg.hashsalt": "xlmc",  # the same page from the same runs
    "text.parse_math": False,
}


@frozen
class Panel:
    """One pair of axes: lines with the place of their colour."""

    title: str
    x: str
    y: str
    lines: Sequence[tuple[int, Curve]]
    id: str = ""


def check() -> None:
    """Check that matplotlib is installed.  Raises UsageError."""
    extras.needed("matplotlib", "report", "xlmc report")


def svg(panels: Sequence[Panel]) -> str:
    """Draw panels in rows of two, as an SVG element."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    wide = min(2, len(panels))
    with matplotlib.rc_context(_LOOK):
        tall = ceil(len(panels) / wide)
        figure = Figure(figsize=(5.2 * wide, 3.4 * tall), layout="constrained")
        for at, panel in enumerate(panels, 1):
            axes = figure.add_subplot(tall, wide, at)
            _draw(axes, panel)
        file = StringIO()
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(file, metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    return text[text.index("<svg") :]


def _draw(axes: "Axes", panel: Panel) -> None:
    for number, (colour, curve) in enumerate(panel.lines):
        kept = [at for at, pair in enumerate(zip(curve.x, curve.y, strict=True)) if _finite(pair)]
        x, y = ([values[at] for at in kept] for values in (curve.x, curve.y))
        errors = [curve.errors[at] or 0.0 for at in kept] if curve.errors else None
        made = axes.errorbar(
            x,
            y,
            yerr=errors,
            label=curve.label.lstrip("_"),
            color=_COLOURS[colour % len(_COLOURS)],
            linestyle="--" if curve.dashed else "-",
            marker="o" if errors or len(x) < _SPARSE else "",
            markersize=3.5,
            capsize=2,
            linewidth=1.2,
        )
        made[0].set_gid(f"curve-{panel.id}-{number}")
    axes.set_title(panel.title, loc="left", fontsize=9)
    axes.set_xlabel(panel.x)
    axes.set_ylabel(panel.y)
    if any(curve.label for _, curve in panel.lines):
        axes.legend(fontsize=7, frameon=False)


def _finite(pair: tuple[float, float]) -> bool:
    return all(isfinite(value) for value in pair)
