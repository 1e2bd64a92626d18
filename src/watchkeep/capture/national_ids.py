"""How the ids are written that states give to people.

Names of kinds begin with the code of the country. Where an id has check digits they are checked; what is left to
chance is told in the page on privacy.
"""

from typing import Final

from watchkeep.capture import check_digits as checks
from watchkeep.capture.shapes import LETTER, Shape, shape

_DNI: Final = "[A-HJ-NP-TV-Z]"
_NINO: Final = "[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
_OMOCODE: Final = "[0-9LMNPQRSTUV]"
"""A digit of a codice fiscale, or the letter that stands for it where two people would have the same."""

NATIONAL_IDS: Final[tuple[Shape, ...]] = (
    shape("br-cpf", 3, r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", checks.cpf),
    shape("br-cpf", 11, "[0-9]{11}", checks.cpf),
    shape("de-tax-id", 11, "[1-9][0-9]{10}", checks.tax_id),
    shape("de-tax-id", 2, r"[1-9][0-9]([ /])[0-9]{3}\1[0-9]{3}\1[0-9]{3}", checks.tax_id),
    shape("es-dni", 8, f"[0-9]{{8}}-?{_DNI}", checks.dni),
    shape("es-dni", 2, rf"[0-9]{{2}}\.[0-9]{{3}}\.[0-9]{{3}}-?{_DNI}", checks.dni),
    shape("es-dni", 7, f"[XYZ][0-9]{{7}}-?{_DNI}", checks.dni, after=LETTER, back=1),
    shape("es-dni", 7, f"[XYZ]-[0-9]{{7}}-?{_DNI}", checks.dni, back=2),
    shape("fr-nir", 15, "[1-478][0-9]{14}", checks.nir),
    shape("fr-nir", 13, "[1-478][0-9]{12}[ -][0-9]{2}", checks.nir),
    shape("fr-nir", 6, "[1-478][0-9]{4}2[AB][0-9]{6}[ -]?[0-9]{2}", checks.nir),
    shape(
        "fr-nir",
        1,
        r"[1-478]([ .-])[0-9]{2}\1[0-9]{2}\1(?:[0-9]{2}|2[AB])\1[0-9]{3}\1[0-9]{3}\1[0-9]{2}",
        checks.nir,
    ),
    shape("in-aadhaar", 12, "[2-9][0-9]{11}", checks.aadhaar),
    shape("in-aadhaar", 4, r"[2-9][0-9]{3}([ -])[0-9]{4}\1[0-9]{4}(?![ -][0-9]{4})", checks.aadhaar),
    shape(
        "it-codice-fiscale",
        (1, 2),
        f"[A-Z]{{6}}{_OMOCODE}{{2}}[ABCDEHLMPRST]{_OMOCODE}{{2}}[A-Z]{_OMOCODE}{{3}}[A-Z]",
        checks.codice_fiscale,
        after=LETTER,
        back=6,
    ),
    shape(
        "it-codice-fiscale",
        2,
        f"[A-Z]{{3}} [A-Z]{{3}} [0-9]{{2}}[ABCDEHLMPRST]{_OMOCODE}{{2}} [A-Z]{_OMOCODE}{{3}}[A-Z]",
        checks.codice_fiscale,
        back=8,
    ),
    shape("nl-bsn", 9, "[0-9]{9}", checks.bsn),
    shape("nl-bsn", 4, r"[0-9]{4}\.[0-9]{2}\.[0-9]{3}", checks.bsn),
    shape("pl-pesel", 11, "[0-9]{11}", checks.pesel),
    shape("uk-nino", 6, f"{_NINO}[0-9]{{6}} ?[A-D]", checks.nino, after=LETTER, back=2),
    shape(
        "uk-nino",
        2,
        rf"{_NINO}[0-9]{{2}}([ -])[0-9]{{2}}\1[0-9]{{2}}\1?[A-D]",
        checks.nino,
        after=LETTER,
        back=2,
    ),
    shape("uk-nino", 2, rf"{_NINO}([ -])[0-9]{{2}}\1[0-9]{{2}}\1[0-9]{{2}}\1?[A-D]", checks.nino, back=3),
    shape("uk-nino", 6, f"{_NINO} [0-9]{{6}} ?[A-D]", checks.nino, back=3),
    shape(
        "us-ssn",
        3,
        r"(?<![0-9]-)(?!000|666|9)[0-9]{3}([ -])(?!00)[0-9]{2}\1(?!0000)[0-9]{4}(?!-[0-9])",
    ),
)
