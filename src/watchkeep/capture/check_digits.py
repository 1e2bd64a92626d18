"""What makes a number the number of a card, an account or a person: check digits, and forms that exclude the rest.

Every function takes the number without separators, in capitals, already of the right length and alphabet.
"""

from typing import Final

_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: str) -> bool:
    """Whether the last digit is that of the Luhn formula (ISO/IEC 7812-1).

    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    values = [ord(digit) - 48 for digit in reversed(digits)]
    return (sum(values[::2]) + sum(_DOUBLED[value] for value in values[1::2])) % 10 == 0


_ISSUERS: Final = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("300", "305", (14, 16, 17, 18, 19)),  # Diners Club
    ("3095", "3095", (14, 16, 17, 18, 19)),
    ("36", "36", (14, 15, 16, 17, 18, 19)),
    ("38", "39", (14, 16, 17, 18, 19)),
    ("3528", "3589", (16, 17, 18, 19)),  # JCB
    ("6011", "6011", (16, 17, 18, 19)),  # Discover
    ("644", "649", (16, 17, 18, 19)),
    ("65", "65", (16, 17, 18, 19)),
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("8100", "8171", (16, 17, 18, 19)),
    ("50", "50", (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    ("56", "58", (13, 14, 15, 16, 17, 18, 19)),
    ("6304", "6304", (13, 14, 15, 16, 17, 18, 19)),
    ("67", "67", (13, 14, 15, 16, 17, 18, 19)),
    ("2200", "2204", (16, 17, 18, 19)),  # Mir
    ("60", "60", (16,)),  # RuPay
    ("82", "82", (16,)),
    ("9792", "9792", (16,)),  # Troy
)
"""First and last prefix of a range of issuers, and how many digits their cards have."""


def card(digits: str) -> bool:
    """Whether these are the digits of a payment card: a known issuer's prefix and length, and the Luhn digit.

    >>> card("5555555555554444"), card("1111111111111117")
    (True, False)
    """
    size = len(digits)
    return (
        any(low <= digits[: len(low)] <= high and size in sizes for low, high, sizes in _ISSUERS)
        and luhn(digits)
        and len(set(digits)) > 1
    )


_IBAN_SIZES: Final = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "AO CV GW LY MZ PT ST",
    26: "DZ IR IS TR",
    27: "BI CF CG CM DJ FR GA GQ GR IT KM MC MG MR SM TD",
    28: "AL AZ BF BJ BY CI CY DO GT HN HU LB MA ML NE NI PL SN SV TG",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
IBAN_SIZE: Final = {country: size for size, countries in _IBAN_SIZES.items() for country in countries.split()}
"""How many characters an account number has by country."""


def iban(text: str) -> bool:
    """Whether the check digits of an account number fit (ISO 13616: mod 97).

    >>> iban("DE89370400440532013000"), iban("DE88370400440532013000")
    (True, False)
    """
    return int("".join([str(int(one, 36)) for one in text[4:] + text[:4]])) % 97 == 1


def nino(text: str) -> bool:
    """Whether a UK National Insurance number has a prefix that is given out. It has no check digit.

    >>> nino("AB123456C"), nino("GB123456C")
    (True, False)
    """
    return text[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def tax_id(digits: str) -> bool:
    """Whether this is a German tax id: ISO 7064 mod 11,10, and of the first ten digits just one comes again.

    >>> tax_id("86095742719"), tax_id("86095742718"), tax_id("11111111111")
    (True, False, False)
    """
    again = [one for one in set(digits[:10]) if digits.count(one, 0, 10) > 1]
    if (
        digits[0] == "0"
        or len(again) != 1
        or digits.count(again[0], 0, 10) > 3
        or again[0] * 3 in digits[:10]
    ):
        return False
    product = 10
    for one in digits[:10]:
        product = ((ord(one) - 48 + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == ord(digits[10]) - 48


def dni(text: str) -> bool:
    """Whether a Spanish DNI or NIE has its letter.

    >>> dni("12345678Z"), dni("X1234567L"), dni("12345678A")
    (True, True, False)
    """
    digits = text[:-1].translate({88: "0", 89: "1", 90: "2"})
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == text[-1]


_ODD: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (
            *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21),
            *(2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        ),
        strict=True,
    )
)


def codice_fiscale(text: str) -> bool:
    """Whether an Italian codice fiscale has its letter.

    >>> codice_fiscale("RSSMRA85T10A562S"), codice_fiscale("RSSMRA85T10A562T")
    (True, False)
    """
    even = sum(int(one) if one <= "9" else ord(one) - 65 for one in text[1:15:2])
    return (sum(_ODD[one] for one in text[0:15:2]) + even) % 26 == ord(text[15]) - 65


def nir(text: str) -> bool:
    """Whether a French NIR has its key, two digits.

    >>> nir("255081416802538"), nir("255081416802539"), nir("295109912611193")
    (True, False, True)
    """
    number = text[:13].replace("2A", "19").replace("2B", "18") if text[6] in "AB" else text[:13]
    month = int(text[3:5])
    return (
        number.isdigit()
        and (1 <= month <= 12 or 20 <= month <= 42 or month >= 50)
        and (97 - int(number) % 97 == int(text[13:]))
    )


def bsn(digits: str) -> bool:
    """Whether a Dutch BSN passes the test of eleven.

    >>> bsn("111222333"), bsn("111222334")
    (True, False)
    """
    total = sum((9 - place) * (ord(one) - 48) for place, one in enumerate(digits[:8]))
    return (total - (ord(digits[8]) - 48)) % 11 == 0 and digits[:2] != "00"


def pesel(digits: str) -> bool:
    """Whether a Polish PESEL begins with a date and has its check digit.

    >>> pesel("44051401359"), pesel("44051401358"), pesel("44951401359")
    (True, False, False)
    """
    month, day = int(digits[2:4]) % 20, int(digits[4:6])
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
    total = sum(weight * (ord(one) - 48) for weight, one in zip(weights, digits, strict=True))
    return 1 <= month <= 12 and 1 <= day <= 31 and total % 10 == 0


def cpf(digits: str) -> bool:
    """Whether a Brazilian CPF has its two check digits.

    >>> cpf("11144477735"), cpf("11144477736"), cpf("11111111111")
    (True, False, False)
    """
    values = [ord(one) - 48 for one in digits]
    for size in (9, 10):
        total = sum((size + 1 - place) * value for place, value in enumerate(values[:size]))
        if total * 10 % 11 % 10 != values[size]:
            return False
    return len(set(digits)) > 1


_TURNS: Final = ("0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901")
_TURNS_ALL: Final = (*_TURNS, "2793806415", "7046913258")
_PRODUCTS: Final = (
    *("0123456789", "1234067895", "2340178956", "3401289567", "4012395678"),
    *("5987604321", "6598710432", "7659821043", "8765932104", "9876543210"),
)


def aadhaar(digits: str) -> bool:
    """Whether an Indian Aadhaar number has its check digit (Verhoeff), and begins with 2 to 9.

    >>> aadhaar("234123412346"), aadhaar("234123412347")
    (True, False)
    """
    state = 0
    for place, one in enumerate(reversed(digits)):
        turned = ord(_TURNS_ALL[place % 8][ord(one) - 48]) - 48
        state = ord(_PRODUCTS[state][turned]) - 48
    return state == 0 and digits[0] >= "2" and digits != digits[::-1]
