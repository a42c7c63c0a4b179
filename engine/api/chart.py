"""The losses of a job over its steps, drawn as SVG."""

from math import floor, log10

WIDTH, HEIGHT = 360, 150
LEFT, RIGHT, TOP, BOTTOM = 34, 8, 8, 32  # margins for what the axes say
TICKS = 4  # at least, on each axis
CURVES = {"train": ("train_loss", "training loss"), "valid": ("full_valid_loss", "validation loss")}


def chart(steps):
    """`steps`: the data of a job's metric events. No picture as long as there is no loss."""
    curves = {
        name: [(step["step"], step[key]) for step in steps if key in step]
        for name, (key, _) in CURVES.items()
    }
    top = max((loss for points in curves.values() for _, loss in points), default=0)
    if not top:
        return ""
    last = steps[-1]["total_steps"] or 1

    def place(step, loss):
        x = LEFT + (WIDTH - LEFT - RIGHT) * step / last
        y = TOP + (HEIGHT - TOP - BOTTOM) * (1 - loss / top)
        return round(x, 1), round(y, 1)

    drawn = "".join([*_axes(last, top, place), *(_curve(name, curves[name], place) for name in curves)])
    label = f"Losses over {last} steps, from 0 to {top:.2f}"
    svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{drawn}</svg>'
    keys = ", ".join(
        f'<i class="{name}"></i>{words} <b>{curves[name][-1][1]:.3f}</b>'
        for name, (_, words) in CURVES.items()
        if curves[name]
    )
    return f"{svg}<p><small>{keys}</small></p>"


def _axes(last, top, place):
    for loss in ticks(top):
        (left, y), (right, _) = place(0, loss), place(last, loss)
        yield f'<path class="grid" d="M{left} {y}H{right}"/>'
        yield f'<text class="loss" x="{left - 5}" y="{y + 4}">{loss:g}</text>'
    for step in ticks(last, whole=True):
        x, y = place(step, 0)
        yield f'<text class="step" x="{x}" y="{y + 14}">{step:g}</text>'
    yield f'<text class="step" x="{place(last / 2, 0)[0]}" y="{HEIGHT - 3}">step</text>'


def _curve(name, points, place):
    places = [place(*point) for point in points]
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="2.5"/>' for x, y in places) if name == "valid" else ""
    return f'<g class="{name}"><polyline points="{" ".join(f"{x},{y}" for x, y in places)}"/>{dots}</g>'


def ticks(top, whole=False):
    """Round numbers from 0 to `top`: 1, 2 or 5 times a power of ten apart."""
    power = 10 ** floor(log10(top / TICKS))
    # By rounding the power itself may be a trace too large.
    apart = max((factor * power for factor in (2, 5) if factor * power <= top / TICKS), default=power)
    if whole:
        apart = max(1, apart)
    return [round(number * apart, 9) for number in range(int(top / apart + 1e-9) + 1)]
