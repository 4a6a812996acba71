"""Numbers and order of RFC 8785, section 3.2."""

import pytest

from kinora.canonical_json import dumps


@pytest.mark.parametrize("value, text", [
    (0.0, "0"), (-0.0, "0"), (1.0, "1"), (-2.5, "-2.5"), (100.0, "100"), (1e21, "1e+21"), (1e20, "100000000000000000000"),
    (1e-6, "0.000001"), (1e-7, "1e-7"), (1.5e-9, "1.5e-9"), (333333333.33333329, "333333333.3333333"),
    (4.5, "4.5"), (2e-3, "0.002"), (9007199254740992, "9007199254740992"), (5e-324, "5e-324"),
    (1.7976931348623157e308, "1.7976931348623157e+308"), (19.69, "19.69"),
])
def test_numbers_print_as_in_ecmascript(value, text):
    assert dumps(value) == text


def test_keys_are_sorted_by_utf16_code_units():
    assert dumps({"\u20ac": 1, "\r": 2, "\U0001f600": 3, "\ufb33": 4, "1": 5}) == (
        '{"\\r":2,"1":5,"\u20ac":1,"\U0001f600":3,"\ufb33":4}')


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53 + 1, {1: 2}, b"x"])
def test_what_json_cannot_hold_is_an_error(value):
    with pytest.raises((TypeError, ValueError)):
        dumps(value)
