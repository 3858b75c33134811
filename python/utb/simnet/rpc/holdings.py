"""Methods about accounts, balances and tokens."""

from typing import Any, Final

from utb.domain.chain import Commitment
from utb.simnet.chain.types import ChainAccount
from utb.simnet.rpc.accounts import (
    TOKEN_PROGRAMS,
    Encoding,
    encode,
    encode_or_none,
    mint,
    token_account,
    ui_amount,
)
from utb.simnet.rpc.errors import invalid_params
from utb.simnet.rpc.filters import filters_of, matches
from utb.simnet.rpc.node import Method, Node
from utb.simnet.rpc.params import Options, Params, key_of
from utb.simnet.rpc.view import View

KEYS_MAX: Final = 100


def _finder(view: View, commitment: Commitment) -> Any:
    return lambda key: view.account(key, commitment)


def _balance(node: Node, params: Params) -> dict[str, Any]:
    key = params.key(0)
    view, commitment = node.view_at(params.options(1))
    account = view.account(key, commitment)
    return view.context(commitment, 0 if account is None else account.lamports)


def _account(node: Node, params: Params) -> dict[str, Any]:
    key, options = params.key(0), params.options(1)
    view, commitment = node.view_at(options)
    encoding = Encoding.of(options)
    account = view.account(key, commitment)
    told = encode_or_none(account, encoding, _finder(view, commitment))
    return view.context(commitment, told)


def _accounts(node: Node, params: Params) -> dict[str, Any]:
    keys = [key_of(one) for one in params.several(0, KEYS_MAX)]
    options = params.options(1)
    view, commitment = node.view_at(options)
    encoding, find = Encoding.of(options, "base64"), _finder(view, commitment)
    told = [encode_or_none(view.account(key, commitment), encoding, find) for key in keys]
    return view.context(commitment, told)


def _program_accounts(node: Node, params: Params) -> Any:
    program, options = params.key(0), params.options(1)
    view, commitment = node.view_at(options)
    encoding, filters = Encoding.of(options), filters_of(options)
    find = _finder(view, commitment)
    told = [
        {"account": encode(account, encoding, find), "pubkey": key}
        for key, account in _of_program(node, view, program, commitment)
        if matches(account, filters)
    ]
    return view.context(commitment, told) if options.flag("withContext") else told


def _of_program(
    node: Node, view: View, program: str, commitment: Commitment
) -> list[tuple[str, ChainAccount]]:
    """Return the accounts of a program as the view sees them."""
    listed = node.chain.program_accounts(program, commitment)
    seen = [(one.address, view.account(one.address, commitment)) for one in listed]
    return [(key, one) for key, one in seen if one is not None and one.owner == program]


def _by_owner(node: Node, params: Params) -> dict[str, Any]:
    owner, wanted, options = params.key(0), params.options(1), params.options(2)
    view, commitment = node.view_at(options)
    mint_key, program = _wanted(wanted, view, commitment)
    encoding, find = Encoding.of(options), _finder(view, commitment)
    told = []
    for one in node.chain.token_accounts(
        owner, mint=mint_key, program=program, commitment=commitment
    ):
        account = view.account(one.address, commitment)
        held = token_account(account)
        if account is not None and held is not None and held.owner == owner:
            told.append({"account": encode(account, encoding, find), "pubkey": one.address})
    return view.context(commitment, told)


def _wanted(wanted: Options, view: View, commitment: Commitment) -> tuple[str | None, str | None]:
    """Return which token accounts are asked for: of a mint, or of a token program."""
    if wanted.get("mint") is not None:
        key = key_of(wanted.get("mint"))
        if mint(view.account(key, commitment)) is None:
            raise invalid_params("Invalid param: could not find mint")
        return key, None
    program = key_of(wanted.get("programId"))
    if program not in TOKEN_PROGRAMS:
        raise invalid_params("Invalid param: unrecognized Token program id")
    return None, program


def _token_balance(node: Node, params: Params) -> dict[str, Any]:
    key = params.key(0)
    view, commitment = node.view_at(params.options(1))
    account = view.account(key, commitment)
    if account is None:
        raise invalid_params("Invalid param: could not find account")
    held = token_account(account)
    said = None if held is None else mint(view.account(held.mint, commitment))
    if held is None or said is None:
        raise invalid_params("Invalid param: not a Token account")
    return view.context(commitment, ui_amount(held.amount_raw, said.decimals))


def _supply(node: Node, params: Params) -> dict[str, Any]:
    key = params.key(0)
    view, commitment = node.view_at(params.options(1))
    account = view.account(key, commitment)
    if account is None:
        raise invalid_params("Invalid param: could not find account")
    said = mint(account)
    if said is None:
        raise invalid_params("Invalid param: not a Token mint")
    return view.context(commitment, ui_amount(said.supply_raw, said.decimals))


METHODS: Final[dict[str, Method]] = {
    "getBalance": _balance,
    "getAccountInfo": _account,
    "getMultipleAccounts": _accounts,
    "getProgramAccounts": _program_accounts,
    "getTokenAccountsByOwner": _by_owner,
    "getTokenAccountBalance": _token_balance,
    "getTokenSupply": _supply,
}
"""By name."""
