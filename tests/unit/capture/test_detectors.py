"""What is found and what is not; published examples are the judges of check digits."""

import re
import sys
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.capture import (
    addresses,
    changes,
    columns,
    csv_bodies,
    detectors,
    forms,
    phones,
    privacy,
    searching,
)
from watchkeep.capture.check_digits import IBAN_SIZE, iban, luhn
from watchkeep.capture.detectors import GROUPS, KINDS, Finder, folded, replaced
from watchkeep.core.errors import OptionError

ALL = Finder.of(["all"])

FOUND = {
    "email": (
        "john.smith@example.com",
        "a@b.co",
        "bounce+ann=example.org@lists.example.net",
        "josé@exämple.de",
        "john%40example.com",
        '"john smith"@example.com',
        "o'neil@mail.example.co.uk",
        "x@xn--exmple-cua.xn--p1ai",
    ),
    "phone": (
        *("+49 171 1234567", "+49 (0)30 901820", "+1 (212) 555-1234", "+12125551234", "0049 171 1234567"),
        *("001 212 555 1234", "(212) 555-1234", "212-555-1234", "212.555.1234", "1-212-555-1234"),
        *(
            "020 7946 0958",
            "(0161) 496 0000",
            "06 12 34 56 78",
            "06.12.34.56.78",
            "030/901820",
            "0171-1234567",
        ),
        *("0612345678", "0470/12.34.56", "612 34 56 78", "98765 43210", "(11) 91234-5678", "138 1234 5678"),
        *("8 (912) 345-67-89", "03-1234-5678", "+442079460958", "+353 1 234 5678"),
    ),
    "card": (
        *("4111111111111111", "4111-1111-1111-1111", "4111 1111 1111 1111", "4111 - 1111 - 1111 - 1111"),
        *("378282246310005", "3782 822463 10005", "30569309025904", "3056 930902 5904", "6011111111111117"),
        *("3530111333300000", "5555555555554444", "2223003122003222", "4222222222222", "6304000000000000"),
        *("6212345678901232", "4111.1111.1111.1111", "6304 0000 0000 0000 000"),
    ),
    "iban": (
        *(
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "gb82west12345698765432",
            "NO9386011117947",
        ),
        *(
            "GB82 WEST 1234 5698 7654 32",
            "LC55HEMM000100010012001200023015",
            "FR14 2004 1010 0505 0001 3M02 606",
        ),
        *("NL91-ABNA-0417-1643-00", "MT84MALT011000012345MTLCAST001S"),
    ),
    "ip": (
        *("192.168.1.17", "8.8.8.8", "2001:db8::1", "fe80::1", "::ffff:192.168.1.1"),
        *("2001:0db8:85a3:0000:0000:8a2e:0370:7334", "2001:DB8:0:0:8:800:200C:417A"),
    ),
    "us-ssn": ("123-45-6789", "219 09 9999"),
    "uk-nino": ("AB123456C", "AB 12 34 56 C", "ab123456c", "AB12 34 56 C", "AB 123456 C"),
    "de-tax-id": ("86095742719", "86 095 742 719", "36574261809"),
    "es-dni": ("12345678Z", "12345678-z", "12.345.678-Z", "X1234567L", "X-1234567-L", "Y1234567X"),
    "it-codice-fiscale": ("RSSMRA85T10A562S", "rssmra85t10a562s", "RSS MRA 85T10 A562S", "RSSMRA85T10A56NH"),
    "fr-nir": ("255081416802538", "2 55 08 14 168 025 38", "2550814168025 38"),
    "nl-bsn": ("111222333", "1112.22.333"),
    "pl-pesel": ("44051401359", "02070803628"),
    "br-cpf": ("111.444.777-35", "11144477735"),
    "in-aadhaar": ("234123412346", "2341 2341 2346", "2341-2341-2346"),
}
EXAMPLES = [(kind, text) for kind, texts in FOUND.items() for text in texts]

NOT_FOUND = (
    *("0.123456789", ".123456789", "-0.12345678901234567", "123.456789012", "1.7976931348623157e+308"),
    *("4.111111111111111e15", "1e10 2e-5", "+5.12345678", "-1234567890123", "1234.5678", "1,234,567.89"),
    *("0.1234 0.5678 0.9101 0.1121", "3.14159 2.71828 1.41421", "1 234 567 890", "$1,234.50"),
    *("1700000000", "1700000000000", "1700000000000000", "1700000000000000000", "20240119T182048Z"),
    *("2024-01-19", "2024-01-19T18:20:48Z", "2024-01-19T18:20:48.123456+01:00", "2024-01-19 18:20:48,123"),
    *("18:20:48", "01.02.2024", "01/02/2024 10:30", "01-02-2024 1030", "01 02 2024 1234", "09-15-2024"),
    *("550e8400-e29b-41d4-a716-446655440000", "12345678-1234-1234-1234-123456789012"),
    *("00000000-0000-0000-0000-234123412346", "53edaffa-8151-4426-8633-3ee3bb5995cf"),
    *("ee82893d-af17-458a-aa86-7daeac2a2953", "09463430-6055-4e99-a247-689961c2c846"),
    *("d41d8cd98f00b204e9800998ecf8427e", "00:1B:44:11:3A:B7"),
    *("v1.2.3.4", "1.2.3", "1.2.3-rc.4", "1.2.3.4-beta", "version 1.2.3.4", "10.0.19041.1", "1.2.3.4.5"),
    *("Chrome/120.0.0.0 Safari/537.36", "1.3.6.1.4.1.311", "0.1.2.3", "256.1.1.1"),
    *("user-12345", "u1234567", "C1234567", "order 1234567890", "2125551234", "0000012345", "94105-1234"),
    *("foo@bar", "@mention", "lodash@4.17.21", "image@sha256:abcdef", "name at example dot org"),
    *("std::vector", "a[1::2]", "::1", "a::b", "12:34:56:78", "978-3-16-148410-0"),
    *("4111111111111112", "1234567812345670", "0000000000000000", "9999999999999995"),
    *("DE88370400440532013000", "DE8937040044053201300", "XX89370400440532013000", "QQ123456C", "AB123456E"),
    *("000-12-3456", "666-12-3456", "123-00-4567", "123-45-0000", "900-12-3456", "1-123-45-6789"),
    *(
        "86095742718",
        "12345678A",
        "X1234567A",
        "RSSMRA85T10A562T",
        "255081416802539",
        "111222334",
        "002222222",
    ),
    *("44051401358", "44951401359", "11144477736", "11111111111", "234123412347", "134123412346"),
    *(
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
        "0 0 0 255 254 253 0 0 12 13",
        "+28 1234567",
        "+1 123 456 7890",
    ),
)


@pytest.mark.parametrize(("kind", "text"), EXAMPLES)
def test_what_people_write_is_found(kind: str, text: str) -> None:
    for written in (text, f"({text})", f"it is {text}, they said", f'"{text}"', f"a={text};b", f"{text}."):
        [hit] = ALL.find(written)

        assert (hit.kind, written[hit.start : hit.end].strip("()")) == (kind, text.strip("()"))


@pytest.mark.parametrize("text", NOT_FOUND)
def test_other_numbers_and_names_are_not(text: str) -> None:
    assert ALL.find(text) == []
    assert ALL.find(f"[{text}]") == []


def test_every_kind_has_an_example() -> None:
    assert set(FOUND) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_finder_finds_what_it_was_told_to(kind: str) -> None:
    finder = Finder.of([kind])

    assert all(finder.find(text) for text in FOUND[kind])
    assert {hit.kind for _, text in EXAMPLES for hit in finder.find(text)} == {kind}


def test_a_number_after_another_is_found() -> None:
    assert ALL.find("12 4111111111111111")[0].start == 3
    assert ALL.find("1234 4111 1111 1111 1111")[0].start == 5
    assert ALL.find("4111 1111 1111 1111 123")[0].end == 19


def test_tables_write_whole_numbers_with_zeros_behind() -> None:
    assert [hit.kind for hit in ALL.find("4111111111111111.0, 111222333.00")] == ["card", "nl-bsn"]
    assert ALL.find("4111111111111111.5") == []


@pytest.mark.parametrize(
    "text",
    [
        "４１１１ １１１１ １１１１ １１１１",
        "4111\u00a01111\u00a01111\u00a01111",
        "4111\u20111111\u20111111\u20111111",
        "٤١١١١١١١١١١١١١١١",
    ],
)
def test_digits_spaces_and_dashes_of_other_scripts_count(text: str) -> None:
    [hit] = ALL.find(f"é {text}")

    assert hit == ("card", 2, 2 + len(text))


@given(st.text())
def test_folding_keeps_every_place(text: str) -> None:
    assert len(folded(text)) == len(text)
    assert folded(folded(text)) == folded(text)


@given(st.uuids(version=4))
def test_ids_made_by_chance_are_never_hits(one: UUID) -> None:
    assert ALL.find(f"{one}") == ALL.find(f"id {one}.".upper()) == ALL.find(f'"{one.hex}"') == []


SEPARATORS = st.sampled_from(["", " ", "-"])


@st.composite
def cards(draw: st.DrawFn) -> str:
    start, size = draw(
        st.sampled_from([("4", 16), ("51", 16), ("2221", 16), ("6011", 16), ("3528", 16), ("4", 19)])
    )
    size -= len(start) + 1
    digits = start + draw(st.text("0123456789", min_size=size, max_size=size))
    digits += next(last for last in "0123456789" if luhn(digits + last))
    separator = draw(SEPARATORS)
    return separator.join(re.findall("[0-9]{1,4}", digits))


@given(cards())
def test_every_card_is_found_and_not_with_another_check_digit(card: str) -> None:
    [hit] = ALL.find(card)

    assert hit == ("card", 0, len(card))
    wrong = card[:-1] + str((int(card[-1]) + 1) % 10)
    assert hit not in Finder.of(["card"]).find(wrong)


@given(
    st.sampled_from(sorted(IBAN_SIZE)),
    st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=29, max_size=29),
    SEPARATORS,
)
def test_every_account_is_found_and_not_with_other_check_digits(
    country: str, account: str, separator: str
) -> None:
    account = account[: IBAN_SIZE[country] - 4]
    number = next(text for at in range(2, 99) if iban(text := f"{country}{at:02}{account}"))
    written = separator.join(re.findall(".{1,4}", number))
    [hit] = ALL.find(written)

    assert hit == ("iban", 0, len(written))
    wrong = f"{country}{int(number[2:4]) + 1:02}{account}"
    assert Finder.of(["iban"]).find(wrong) == []


@given(st.lists(st.sampled_from([*(text for _, text in EXAMPLES), *NOT_FOUND, "ab", "€", "\n"]), max_size=8))
def test_hits_come_from_left_to_right_and_nothing_is_left(parts: list[str]) -> None:
    text = " | ".join(parts)
    hits = ALL.find(text)

    ends = [0, *(hit.end for hit in hits)]
    assert all(end <= hit.start < hit.end <= len(text) for end, hit in zip(ends, hits, strict=False))
    assert len(hits) == sum(part in {text for _, text in EXAMPLES} for part in parts)
    assert ALL.find(replaced(text, hits, "<{kind}>")) == []


def test_what_begins_in_another_hit_is_not_told_twice() -> None:
    assert [hit.kind for hit in ALL.find("0612345678@example.org ::ffff:192.168.1.1")] == ["email", "ip"]
    assert ALL.find("4111 1111 1111 1111@example.org") == [("card", 0, 31)]
    assert [hit.kind for hit in ALL.find("+49 171 1234567 2001:db8::17")] == ["phone", "ip"]
    assert [hit.kind for hit in ALL.find("+49 171 1234567 2001@example.org")] == ["phone", "email"]


def test_names_that_are_unknown_are_errors() -> None:
    with pytest.raises(OptionError, match="did you mean 'email'"):
        Finder.of(["e-mail"])
    assert (
        Finder.of(["national-id"]).kinds
        == set(GROUPS["national-id"])
        == {kind for kind in KINDS if kind[2:3] == "-"}
    )


HOSTILE = (
    *("1", "1 ", "1.", "1-", "1((", "1\n", "1234-", "1234 ", "4111 ", "4111111111111111 ", "123456.000 "),
    *("@", "a@", "a", "a.", "a.a@", '"@', "%40", "a%40b.c", "@a.", "é１", "１"),
    *(":", ":a", "a:b:", "::a:", "abcd:", ":1.", "DE12 ", "DE89370400440532013001 ", "AB1", "ABCDEF1 "),
    *("+1 ", "+49", "(01) ", "01 ", "0049 ", "06 12 34 ", "0.0", "1e1", "-", "(", "X1234567", "AB 12 34 "),
)


def steps(call: Callable[[], object]) -> int:
    """How many functions are called."""
    count = 0

    def counted(frame: FrameType, event: str, told: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        call()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("text", HOSTILE)
def test_twice_the_text_takes_twice_the_steps(text: str) -> None:
    once = text * (8192 // len(text))
    few, many = steps(lambda: ALL.find(once)), steps(lambda: ALL.find(once * 2))

    assert many <= 2.1 * few + 50
    assert few <= 25 * len(once) + 50


@pytest.mark.parametrize("text", ["x" * (1 << 20), "lorem ipsum dolor " * 60_000, "é" * (1 << 20)])
def test_a_megabyte_without_digits_takes_a_handful_of_steps(text: str) -> None:
    assert steps(lambda: ALL.find(text)) < 10


@pytest.mark.parametrize("text", [*HOSTILE, "x" * 1000 + "@"])
def test_a_hostile_megabyte_ends(text: str) -> None:
    finder = Finder.of(["email", "iban", "ip"])

    assert len(finder.find(text * ((1 << 20) // len(text)))) <= 1 << 19


def patterns() -> Iterator[str]:
    """Every pattern that is matched against texts."""
    modules: tuple[ModuleType, ...] = (
        addresses,
        changes,
        columns,
        csv_bodies,
        detectors,
        forms,
        phones,
        privacy,
        searching,
    )
    held = [value for module in modules for value in vars(module).values()]
    held += [detectors._account(size) for size in set(IBAN_SIZE.values())]
    for one in detectors._SHAPES:
        held += [cell.cell_contents for cell in getattr(one.make(), "__closure__", None) or ()]
    for value in held:
        pattern = getattr(value, "__self__", value)
        if isinstance(pattern, re.Pattern) and isinstance(pattern.pattern, str):
            yield pattern.pattern


def repeats(parsed: Any) -> Iterator[tuple[str, int]]:
    """The repetitions of a pattern that can be tried again shorter, and how often they repeat at most."""
    for name, told in parsed:
        if str(name) in {"MAX_REPEAT", "MIN_REPEAT"}:
            yield str(name), int(told[1])
        inner = told if isinstance(told, tuple | list) else [told]
        for one in inner:
            if type(one).__name__ == "SubPattern":
                yield from repeats(one)
            elif isinstance(one, list):
                for other in one:
                    if type(other).__name__ == "SubPattern":
                        yield from repeats(other)


def test_no_pattern_tries_again_without_a_bound() -> None:
    import re._parser as parser  # type: ignore[import-not-found, unused-ignore]

    seen = set(patterns())

    assert len(seen) > 60
    assert [one for one in seen for _, most in repeats(parser.parse(one)) if most > 64] == []
    assert list(repeats(parser.parse("(?:a*b|(?:c+))*+"))) == [("MAX_REPEAT", 2**32 - 1)] * 2
