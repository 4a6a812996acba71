"""Canonical JSON (RFC 8785), the form in which Kinora hashes JSON values."""

import json
import math


def dumps(value) -> str:
    """The canonical text of a JSON value.

    Raises TypeError for what JSON cannot hold and ValueError for numbers that
    are not finite or integers that a double cannot hold exactly.
    """
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(dumps(item) for item in value) + "]"
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"JSON object keys are strings, not {key!r}")
        ordered = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{dumps(k)}:{dumps(value[k])}" for k in ordered) + "}"
    raise TypeError(f"JSON cannot hold a {type(value).__name__}")


def _number(value) -> str:
    """As ECMAScript prints a number."""
    if isinstance(value, int):
        if abs(value) > 2**53:
            raise ValueError(f"{value} is not exact in JSON; send it as text")
        return str(value)
    if not math.isfinite(value):
        raise ValueError(f"JSON cannot hold {value}")
    if value == 0:
        return "0"
    digits, _, exponent = f"{value!r}".replace("-", "", 1 if value < 0 else 0).partition("e")
    whole, _, fraction = digits.partition(".")
    if fraction == "0":
        fraction = ""
    point = len(whole) + int(exponent or 0)
    number = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(number)
    number = number.rstrip("0")
    sign = "-" if value < 0 else ""
    if len(number) <= point <= 21:
        return sign + number + "0" * (point - len(number))
    if 0 < point <= 21:
        return sign + number[:point] + "." + number[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + number
    mantissa = number[0] + ("." + number[1:] if len(number) > 1 else "")
    power = point - 1
    return f"{sign}{mantissa}e{'+' if power > 0 else '-'}{abs(power)}"
