"""Quantities that data are wrong by: factors between units, offsets between origins, numbers that stand for nothing."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Factor:
    """How many of a small unit make a large one.

    Args:
        times: the number, > 1.
        large, small: the units, for people; the likeliest pair.
    """

    times: float
    large: str
    small: str


FACTORS: Final = (
    Factor(1000.0, "thousands", "ones, or kilograms as grams"),
    Factor(100.0, "fractions", "percentages, or euros as cents"),
    Factor(60.0, "minutes", "seconds, or hours as minutes"),
    Factor(1e6, "millions", "ones, or seconds as microseconds"),
    Factor(10.0, "centimetres", "millimetres"),
    Factor(3600.0, "hours", "seconds"),
    Factor(24.0, "days", "hours"),
    Factor(1024.0, "KiB", "bytes"),
    Factor(86400.0, "days", "seconds"),
    Factor(1440.0, "days", "minutes"),
    Factor(12.0, "feet", "inches, or years as months"),
    Factor(7.0, "weeks", "days"),
    Factor(2.54, "inches", "centimetres"),
    Factor(1.609344, "miles", "kilometres"),
    Factor(1 / 0.45359237, "kilograms", "pounds"),
    Factor(1 / 0.3048, "metres", "feet"),
    Factor(4.184, "calories", "joules"),
    Factor(3.6, "metres per second", "kilometres per hour"),
    Factor(25.4, "inches", "millimetres"),
    Factor(3.785411784, "gallons", "litres"),
    Factor(1.852, "nautical miles", "kilometres"),
    Factor(28.349523125, "ounces", "grams"),
    Factor(1000 / 28.349523125, "kilograms", "ounces"),
    Factor(6.894757293, "psi", "kilopascals"),
    Factor(57.29577951308232, "radians", "degrees"),
    Factor(1e4, "fractions", "basis points"),
    Factor(1e5, "bars", "pascals"),
    Factor(1e9, "billions", "ones, or seconds as nanoseconds"),
    Factor(1024.0**2, "MiB", "bytes"),
    Factor(1024.0**3, "GiB", "bytes"),
    Factor(365.25, "years", "days"),
    Factor(52.1775, "years", "weeks"),
    Factor(33.8639, "inches of mercury", "millibars"),
    Factor(1.3332236842, "millimetres of mercury", "millibars"),
)
"""Known factors, those met most often first."""


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line from one scale to another: `slope * x + start`.

    Args:
        slope, start: of the line.
        low, high: between which numbers of the first scale lie.
        told: what became of what, for people.
    """

    slope: float
    start: float
    low: float
    high: float
    told: str


TEMPERATURES: Final = (
    Line(1.8, 32.0, -100.0, 150.0, "degrees Celsius given in Fahrenheit"),
    Line(1 / 1.8, -32 / 1.8, -150.0, 300.0, "degrees Fahrenheit given in Celsius"),
    Line(1.0, 273.15, -100.0, 150.0, "degrees Celsius given in Kelvin"),
    Line(1.0, -273.15, 170.0, 425.0, "Kelvin given in degrees Celsius"),
    Line(1 / 1.8, 273.15 - 32 / 1.8, -150.0, 300.0, "degrees Fahrenheit given in Kelvin"),
    Line(1.8, 32 - 273.15 * 1.8, 170.0, 425.0, "Kelvin given in degrees Fahrenheit"),
)
"""Scales of temperature."""

_HOURS: Final = {
    3600.0 * hours: f"a time zone {hours} hour{'s' if hours > 1 else ''} away" for hours in range(1, 15)
}
_ORIGINS: Final = {
    1900.0: "years counted from 1900",
    2000.0: "years counted from 2000",
    1970.0: "years counted from 1970",
    543.0: "years of the Buddhist calendar",
    86400.0: "times in seconds a day away",
    25569.0: "days counted from 1900 instead of 1970",
    719163.0: "days counted from year 1 instead of 1970",
    946684800.0: "times counted from 2000 instead of 1970",
    978307200.0: "times counted from 2001 instead of 1970",
    315964800.0: "times counted from 1980, as GPS does, instead of 1970",
    2208988800.0: "times counted from 1900, as NTP does, instead of 1970",
    11644473600.0: "times counted from 1601, as Windows does, instead of 1970",
}
OFFSETS: Final = MappingProxyType(_HOURS | _ORIGINS)
"""Known differences of origin, and what they come from."""

NULL_NUMBERS: Final = frozenset(
    [
        *(sign * float("9" * digits) for digits in range(2, 11) for sign in (1, -1)),
        *(0.0, -1.0, -9.0, -100.0, -1000.0, 99.9, -99.9, 999.9, -999.9, -999.99, 9999.9),
        *(-128.0, 32767.0, -32768.0, 65535.0, 2147483647.0, -2147483648.0, 4294967295.0),
        *(1e20, -1e20),
    ]
)
"""Numbers that programs write where there is no value."""

_TEXTS: Final = """
na n/a nan null none nil missing unknown unk undefined undef empty blank default nat n.a. n.d. k.a. \\n #n/a
(null) (none) (missing) (unknown) <na> <null> <none> <unk> <missing> not_available not_applicable not_set notset
unavailable unspecified not_specified nodata no_data no_value invalid error tbd xxx ? ?? - -- --- . .. * #
0 -1 -9 -99 -999 99 999 9999
"""
NULL_TEXTS: Final = frozenset(_TEXTS.split()) | {""}
"""Texts that programs and people write where there is no value, in small letters, "_" for a space."""


def is_null_text(text: str) -> bool:
    """Whether a text stands for no value.

    >>> is_null_text(" Not available"), is_null_text("EWR")
    (True, False)
    """
    return text.strip().casefold().replace(" ", "_") in NULL_TEXTS
