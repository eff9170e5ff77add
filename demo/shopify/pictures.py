"""Product pictures: small drawings made from the product's number, for a store that has no files."""
from __future__ import annotations

import colorsys

_SHAPES = ('<circle cx="24" cy="24" r="{size}"/>',
           '<rect x="{edge}" y="{edge}" width="{side}" height="{side}" rx="4"/>',
           '<path d="M24 {edge} L{far} {far} L{edge} {far} Z"/>',
           '<path d="M{edge} 24 L24 {edge} L{far} 24 L24 {far} Z"/>')


def svg(number: int) -> str:
    """A picture of 48 × 48: always the same for the same number."""
    mixed = (number * 2_654_435_761) % 2 ** 32
    hue, shape, size = mixed % 360 / 360, _SHAPES[mixed // 360 % len(_SHAPES)], 10 + mixed // 1440 % 6
    back, front = _colour(hue, 0.9, 0.35), _colour(hue, 0.5, 0.45)
    drawn = shape.format(size=size, edge=24 - size, far=24 + size, side=2 * size)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48" width="48" height="48" role="img">'
            f'<rect width="48" height="48" rx="8" fill="{back}"/><g fill="{front}">{drawn}</g></svg>')


def _colour(hue: float, light: float, strength: float) -> str:
    red, green, blue = colorsys.hls_to_rgb(hue, light, strength)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
