"""What the real programs do on the stand-in chain: tokens, rent, guards, lookup tables."""

import struct

import pytest
from chain_stand import NOW, OTHER, SOL, WALLET, Stand, withheld
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM
from solders.system_program import TransferParams, transfer

from utb.domain.chain import USDC_MINT, WRAPPED_SOL_MINT, Commitment
from utb.simnet.chain import tokens
from utb.simnet.chain.amm.keys import MEMO
from utb.simnet.chain.amm.spec import fee_token_spec
from utb.simnet.chain.settings import ChainSettings

LOOKUP_TABLES = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
FRIEND = OTHER.pubkey()
USDC = Pubkey.from_string(USDC_MINT)
WSOL = Pubkey.from_string(WRAPPED_SOL_MINT)


def meta(key: Pubkey, kind: str = "r") -> AccountMeta:
    """Return an account of an instruction: w writable, s signer."""
    return AccountMeta(key, is_signer="s" in kind, is_writable="w" in kind)


def open_account(owner: Pubkey, mint: Pubkey, program: Pubkey = tokens.TOKEN) -> Instruction:
    account = tokens.associated(owner, mint, program)
    metas = [meta(WALLET.pubkey(), "ws"), meta(account, "w"), meta(owner), meta(mint)]
    return Instruction(tokens.ASSOCIATED, b"\x01", [*metas, meta(SYSTEM), meta(program)])


def pay(to: Pubkey, lamports: int) -> Instruction:
    return transfer(TransferParams(from_pubkey=WALLET.pubkey(), to_pubkey=to, lamports=lamports))


def close(account: Pubkey) -> Instruction:
    metas = [meta(account, "w"), meta(WALLET.pubkey(), "w"), meta(WALLET.pubkey(), "s")]
    return Instruction(tokens.TOKEN, b"\x09", metas)


def send_tokens(mint: Pubkey, to: Pubkey, amount: int, decimals: int) -> Instruction:
    program = tokens.TOKEN if mint == USDC else tokens.TOKEN_2022
    source = tokens.associated(WALLET.pubkey(), mint, program)
    metas = [meta(source, "w"), meta(mint), meta(tokens.associated(to, mint, program), "w")]
    data = struct.pack("<BQB", 12, amount, decimals)
    return Instruction(program, data, [*metas, meta(WALLET.pubkey(), "s")])


def guard(seed: str, lamports: int) -> Instruction:
    """Return createAccountWithSeed of an empty account of the System program."""
    key = Pubkey.create_with_seed(WALLET.pubkey(), seed, SYSTEM)
    data = struct.pack("<I", 3) + bytes(WALLET.pubkey()) + struct.pack("<Q", len(seed))
    data += seed.encode() + struct.pack("<QQ", lamports, 0) + bytes(SYSTEM)
    return Instruction(SYSTEM, data, [meta(WALLET.pubkey(), "ws"), meta(key, "w")])


def test_wrap_and_unwrap_give_everything_back() -> None:
    """Closing returns the tokens and 2,039,280 of rent; only the fees are gone."""
    stand = Stand()
    before = stand.lamports(stand.wallet)
    account = tokens.associated(stand.wallet, WSOL, tokens.TOKEN)
    synced = Instruction(tokens.TOKEN, b"\x11", [meta(account, "w")])
    wrapped = stand.land(open_account(stand.wallet, WSOL), pay(account, 4 * SOL), synced)
    assert wrapped.meta.err is None
    assert stand.amount(WRAPPED_SOL_MINT) == 4 * SOL
    assert stand.lamports(account) == 4 * SOL + 2_039_280
    (balance,) = wrapped.meta.post_token_balances
    assert (balance.amount_raw, balance.decimals, balance.mint) == (4 * SOL, 9, WRAPPED_SOL_MINT)
    assert wrapped.keys[balance.account_index] == str(account)
    assert wrapped.meta.pre_token_balances == ()
    closed = stand.land(close(account))
    fees = wrapped.meta.fee_lamports + closed.meta.fee_lamports
    assert stand.lamports(stand.wallet) == before - fees
    assert stand.chain.account(str(account), NOW) is None


@pytest.mark.parametrize(
    ("per_byte", "account", "empty"), [(6_960, 2_039_280, 890_880), (696, 203_928, 89_088)]
)
def test_rent_is_the_chains(per_byte: int, account: int, empty: int) -> None:
    """(165 + 128) and 128 bytes."""
    stand = Stand(settings=ChainSettings(rent_lamports_per_byte=per_byte))
    stand.chain.airdrop_tokens(str(FRIEND), WRAPPED_SOL_MINT, SOL)
    stand.chain.tick()
    landed = stand.land(open_account(stand.wallet, WSOL))
    spent = landed.meta.pre_balances[0] - landed.meta.post_balances[0]
    assert spent == account + landed.meta.fee_lamports
    assert stand.chain.minimum_balance(0) == empty


def test_rent_changes_on_demand() -> None:
    stand = Stand()
    stand.chain.set_rent(696)
    assert stand.chain.minimum_balance(165) == 203_928
    assert stand.land(guard("0123456789abcdef", 89_088)).meta.err is None


def test_guard_account_stops_the_second_attempt() -> None:
    """Another signature for the same intent fails with Custom(0) and moves nothing."""
    stand = Stand()
    seed, rent = "0123456789abcdef", stand.chain.minimum_balance(0)
    assert stand.land(guard(seed, rent), pay(FRIEND, SOL)).meta.err is None
    again = stand.land(guard(seed, rent), pay(FRIEND, SOL))
    assert again.meta.err == {"InstructionError": [2, {"Custom": 0}]}
    assert stand.lamports(FRIEND) == SOL


def test_failed_swap_would_roll_its_guard_back() -> None:
    stand = Stand()
    seed, rent = "0123456789abcdef", stand.chain.minimum_balance(0)
    failed = stand.land(guard(seed, rent), pay(FRIEND, 10**15))
    assert failed.meta.err == {"InstructionError": [3, {"Custom": 1}]}
    assert stand.land(guard(seed, rent)).meta.err is None


def test_transfer_fee_is_withheld_where_tokens_arrive() -> None:
    """1% of 1,000,001 rounded up is 10,001."""
    spec = fee_token_spec(100)
    stand = Stand((spec,))
    mint = Pubkey.from_string(spec.base_mint)
    before = stand.sums()
    landed = stand.land(
        open_account(FRIEND, mint, tokens.TOKEN_2022), send_tokens(mint, FRIEND, 1_000_001, 6)
    )
    assert landed.meta.err is None
    assert stand.amount(spec.base_mint, FRIEND) == 990_000
    (held,) = stand.chain.token_accounts(str(FRIEND), mint=spec.base_mint, commitment=NOW)
    assert withheld(held.account.data) == 10_001
    assert held.account.owner == str(tokens.TOKEN_2022)
    assert stand.sums() == before


def test_token_balances_before_and_after_in_the_meta() -> None:
    stand = Stand((fee_token_spec(),))
    stand.chain.airdrop_tokens(str(FRIEND), USDC_MINT, 5)
    stand.chain.tick()
    landed = stand.land(send_tokens(USDC, FRIEND, 7, 6))
    before = {one.owner: one.amount_raw for one in landed.meta.pre_token_balances}
    after = {one.owner: one.amount_raw for one in landed.meta.post_token_balances}
    me, friend = str(stand.wallet), str(FRIEND)
    assert (before[friend], after[friend]) == (5, 12)
    assert after[me] - before[me] == -7


def test_memo_is_in_the_history() -> None:
    stand = Stand()
    landed = stand.land(Instruction(MEMO, b"0123456789abcdef", []))
    (entry,) = stand.chain.signatures_for(str(MEMO), commitment=NOW)
    assert (entry.signature, entry.memo) == (landed.signature, "[16] 0123456789abcdef")


def make_table(stand: Stand, addresses: list[Pubkey]) -> AddressLookupTableAccount:
    """Create a table by the real program and fill it."""
    slot = stand.chain.slot
    key, bump = Pubkey.find_program_address(
        [bytes(stand.wallet), slot.to_bytes(8, "little")], LOOKUP_TABLES
    )
    owner = [meta(stand.wallet, "s"), meta(stand.wallet, "ws"), meta(SYSTEM)]
    create = Instruction(
        LOOKUP_TABLES, struct.pack("<IQB", 0, slot, bump), [meta(key, "w"), *owner]
    )
    body = struct.pack("<IQ", 2, len(addresses)) + b"".join(map(bytes, addresses))
    extend = Instruction(LOOKUP_TABLES, body, [meta(key, "w"), *owner])
    landed = stand.land(create, extend)
    assert landed.meta.err is None, landed.meta.logs
    return AddressLookupTableAccount(key, addresses)


def test_lookup_table_is_usable_after_its_slot() -> None:
    stand = Stand()
    table = make_table(stand, [FRIEND, Pubkey(bytes([7] * 32))])
    landed = stand.land(pay(FRIEND, SOL), tables=(table,))
    assert landed.meta.err is None
    assert landed.meta.loaded_writable == (str(FRIEND),)
    assert landed.keys[-1] == str(FRIEND)
    assert landed.meta.post_balances[-1] == stand.lamports(FRIEND) == SOL
    assert len(landed.raw) < len(stand.sign(pay(FRIEND, SOL))) + 34


def test_table_that_is_not_there_never_lands() -> None:
    stand = Stand()
    table = AddressLookupTableAccount(Pubkey(bytes([9] * 32)), [FRIEND])
    raw = stand.sign(pay(FRIEND, SOL), tables=(table,))
    assert stand.chain.simulate(raw).err == "AddressLookupTableNotFound"
    stand.chain.submit(raw)
    assert stand.chain.tick().landed == ()


def test_simulation_keeps_nothing() -> None:
    stand = Stand()
    raw = stand.sign(pay(FRIEND, SOL))
    done = stand.chain.simulate(raw, sig_verify=True, accounts=[str(FRIEND), USDC_MINT])
    assert done.err is None
    assert done.units_consumed == 450
    assert done.accounts[0] is not None
    assert done.accounts[0].lamports == SOL
    assert stand.lamports(FRIEND) == 0
    unsigned = raw[:1] + bytes(64) + raw[65:]
    assert stand.chain.simulate(unsigned).err is None
    stand.chain.submit(raw)
    assert len(stand.chain.tick().landed) == 1


def test_simulation_tells_a_dead_blockhash_unless_replaced() -> None:
    stand = Stand()
    raw = stand.sign(pay(FRIEND, SOL))
    for _ in range(152):
        stand.chain.tick()
    assert stand.chain.simulate(raw).err == "BlockhashNotFound"
    replaced = stand.chain.simulate(raw, replace_blockhash=True)
    assert replaced.err is None
    assert replaced.replacement == stand.chain.latest_blockhash(NOW)


def test_planted_account_survives_a_fork() -> None:
    stand = Stand()
    stand.land(pay(FRIEND, SOL))
    held = stand.chain.account(str(FRIEND), NOW)
    assert held is not None
    stand.chain.plant(str(FRIEND), None)
    stand.chain.plant(str(FRIEND), held)
    stand.chain.fork(1, drop=lambda _: True)
    assert stand.chain.account(str(FRIEND), Commitment.PROCESSED) == held
