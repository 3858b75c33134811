"""Mints by their bytes: what is refused, and what the operator may accept."""

import pytest

from utb.routing.mints import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, Mint, read_mint, refusal

KEY = bytes(range(32))
NONE = bytes(32)


def mint_bytes(*, minter: bool = False, freezer: bool = False, decimals: int = 6) -> bytes:
    return (
        (b"\x01\0\0\0" + KEY if minter else bytes(36))
        + (5_000).to_bytes(8, "little")
        + bytes([decimals, 1])
        + (b"\x01\0\0\0" + KEY if freezer else bytes(36))
    )


def extended(*extensions: tuple[int, bytes], freezer: bool = False) -> bytes:
    body = mint_bytes(freezer=freezer).ljust(165, b"\0") + b"\x01"
    for kind, value in extensions:
        body += kind.to_bytes(2, "little") + len(value).to_bytes(2, "little") + value
    return body


def fee(authority: bytes, older_bps: int, newer_bps: int) -> bytes:
    rates = [bytes(16) + bps.to_bytes(2, "little") for bps in (older_bps, newer_bps)]
    return authority + NONE + bytes(8) + rates[0] + rates[1]


def risks(data: bytes, owner: str = TOKEN_2022_PROGRAM) -> tuple[str, ...]:
    mint = read_mint(owner, data)
    assert isinstance(mint, Mint)
    return mint.risks


def test_plain_mint_has_no_risk() -> None:
    assert read_mint(TOKEN_PROGRAM, mint_bytes()) == Mint(
        token_program=TOKEN_PROGRAM, decimals=6, supply_raw=5_000, risks=()
    )


def test_authorities_of_a_plain_mint_are_risks() -> None:
    both = mint_bytes(minter=True, freezer=True)
    assert risks(both, TOKEN_PROGRAM) == ("mint_authority", "freeze_authority")


@pytest.mark.parametrize(
    ("extension", "found"),
    [
        ((1, fee(NONE, 0, 0)), ()),
        ((1, fee(KEY, 0, 0)), ("transfer_fee_authority",)),
        ((1, fee(NONE, 100, 0)), ("transfer_fee",)),
        ((1, fee(NONE, 0, 100)), ("transfer_fee",)),
        ((1, fee(NONE, 0, 0)[:-1]), ("transfer_fee",)),
        ((3, KEY), ("close_authority",)),
        ((3, NONE), ()),
        ((4, bytes(65)), ("confidential_transfer",)),
        ((6, b"\x01"), ()),
        ((6, b"\x02"), ("default_frozen",)),
        ((6, b""), ("default_frozen",)),
        ((9, b""), ("non_transferable",)),
        ((10, bytes(52)), ("interest",)),
        ((12, KEY), ("permanent_delegate",)),
        ((12, NONE), ()),
        ((14, NONE + KEY), ("transfer_hook",)),
        ((14, KEY + NONE), ("transfer_hook",)),
        ((14, NONE + NONE), ()),
        ((18, KEY + KEY), ()),
        ((19, b"name"), ()),
        ((25, bytes(56)), ("scaled_amount",)),
        ((26, bytes(33)), ("pausable",)),
        ((99, b""), ("unknown_extension",)),
    ],
)
def test_each_extension_is_judged(extension: tuple[int, bytes], found: tuple[str, ...]) -> None:
    assert risks(extended(extension)) == found


def test_extensions_after_each_other_are_all_read() -> None:
    data = extended((18, KEY + KEY), (12, KEY), (3, KEY), (12, KEY), freezer=True)
    assert risks(data) == ("freeze_authority", "permanent_delegate", "close_authority")


def test_extension_cut_short_is_unknown() -> None:
    assert risks(extended((12, KEY))[:-1]) == ("unknown_extension",)


@pytest.mark.parametrize(
    ("owner", "data", "words"),
    [
        ("someone", mint_bytes(), "its owner someone is no token program"),
        (TOKEN_PROGRAM, mint_bytes()[:-1], "it is no mint"),
        (TOKEN_PROGRAM, bytes(82), "it is no mint"),
        (TOKEN_PROGRAM, mint_bytes().ljust(165, b"\0"), "it has 165 bytes, a mint has 82"),
        (TOKEN_2022_PROGRAM, mint_bytes().ljust(165, b"\0"), "it is no mint"),
        (TOKEN_2022_PROGRAM, mint_bytes().ljust(165, b"\0") + b"\x02", "it is no mint"),
    ],
)
def test_what_is_no_mint_is_said(owner: str, data: bytes, words: str) -> None:
    assert read_mint(owner, data) == words


def test_only_named_risks_are_accepted() -> None:
    mint = read_mint(TOKEN_2022_PROGRAM, extended((12, KEY), freezer=True))
    assert isinstance(mint, Mint)
    assert refusal(mint, ["freeze_authority", "permanent_delegate"]) == ""
    assert refusal(mint, ["freeze_authority"]) == (
        "the mint has permanent_delegate, which routing.mint_risks_allowed does not name"
    )
