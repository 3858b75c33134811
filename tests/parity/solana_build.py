"""Random instructions twice: by our encoders, and by solders and PyPI `solana` (the oracle).

What neither knows (the fee extension of Token-2022, the four programs that swap) the oracle writes
out by the published layouts, with addresses derived by solders.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from solders import compute_budget, system_program
from solders.instruction import AccountMeta
from solders.instruction import Instruction as Theirs
from solders.pubkey import Pubkey
from spl.token import instructions as spl
from spl.token import models

from utb.engine.chain import Instruction, instruction

TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ATA = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
SYSTEM = Pubkey.default()
U32, U64 = 2**32, 2**64

Pair = tuple[Instruction, Theirs]


class World(NamedTuple):
    """Where a case draws from: a generator, few keys so that they meet, the wallet."""

    draw: np.random.Generator
    keys: list[Pubkey]
    wallet: Pubkey

    def key(self) -> Pubkey:
        """Return one of the keys, the wallet now and then."""
        chosen = int(self.draw.integers(len(self.keys) + 1))
        return self.wallet if chosen == len(self.keys) else self.keys[chosen]

    def number(self, below: int) -> int:
        """Return a number of any magnitude below a limit."""
        bits = int(self.draw.integers(1, below.bit_length()))
        return int.from_bytes(self.draw.bytes(8), "little") % (1 << bits)

    def text(self, most: int) -> bytes:
        """Return letters."""
        return bytes(self.draw.integers(97, 123, int(self.draw.integers(1, most + 1))).tolist())

    def token(self) -> Pubkey:
        """Return one of the two token programs."""
        return TOKEN if self.draw.integers(2) else TOKEN_2022


def ours(name: str, *keys: Pubkey, numbers: tuple[int, ...] = (), data: bytes = b"") -> Instruction:
    """Return our instruction."""
    return instruction(name, tuple(map(bytes, keys)), numbers, data)


def flat(made: Instruction) -> tuple[bytes, list[tuple[bytes, bool, bool]], bytes]:
    """Return our instruction as plain values."""
    return made.program, [(a.key, a.signer, a.writable) for a in made.accounts], made.data


def flat_theirs(made: Theirs) -> tuple[bytes, list[tuple[bytes, bool, bool]], bytes]:
    """Return theirs as plain values."""
    accounts = [(bytes(a.pubkey), a.is_signer, a.is_writable) for a in made.accounts]
    return bytes(made.program_id), accounts, bytes(made.data)


def laid_out(program: Pubkey, marks: str, keys: list[Pubkey], data: bytes) -> Theirs:
    """Return an instruction from a layout: per account `-`, `w`, `s` or `ws`."""
    metas = [
        AccountMeta(key, "s" in mark, "w" in mark)
        for mark, key in zip(marks.split(), keys, strict=True)
    ]
    return Theirs(program, data, metas)


def budget(world: World) -> Pair:
    """Return one of the compute budget's."""
    name, made, below = [
        ("request_heap_frame", compute_budget.request_heap_frame, U32),
        ("set_compute_unit_limit", compute_budget.set_compute_unit_limit, U32),
        ("set_compute_unit_price", compute_budget.set_compute_unit_price, U64),
        (
            "set_loaded_accounts_data_size_limit",
            compute_budget.set_loaded_accounts_data_size_limit,
            U32,
        ),
    ][int(world.draw.integers(4))]
    number = world.number(below)
    return ours(f"compute_budget.{name}", numbers=(number,)), made(number)


def transfer(world: World) -> Pair:
    """Return a System transfer."""
    a, b, lamports = world.key(), world.key(), world.number(U64)
    params = system_program.TransferParams(from_pubkey=a, to_pubkey=b, lamports=lamports)
    return ours("system.transfer", a, b, numbers=(lamports,)), system_program.transfer(params)


def create_account(world: World) -> Pair:
    """Return the opening of an account."""
    a, b, owner = world.key(), world.key(), world.key()
    lamports, space = world.number(U64), world.number(U64)
    params = system_program.CreateAccountParams(
        from_pubkey=a, to_pubkey=b, lamports=lamports, space=space, owner=owner
    )
    made = ours("system.create_account", a, b, owner, numbers=(lamports, space))
    return made, system_program.create_account(params)


def create_account_with_seed(world: World) -> Pair:
    """Return a guard, its base the payer or another."""
    a, base, seed = world.key(), world.key(), world.text(32)
    owner = SYSTEM if world.draw.integers(2) else world.key()
    lamports, space = world.number(U64), world.number(U64)
    made = ours(
        "system.create_account_with_seed", a, base, owner, numbers=(lamports, space), data=seed
    )
    params = system_program.CreateAccountWithSeedParams(
        from_pubkey=a,
        to_pubkey=Pubkey.create_with_seed(base, seed.decode(), owner),
        base=base,
        seed=seed.decode(),
        lamports=lamports,
        space=space,
        owner=owner,
    )
    return made, system_program.create_account_with_seed(params)


def transfer_with_seed(world: World) -> Pair:
    """Return the recovery of a guard's rent."""
    base, to, seed, lamports = world.key(), world.key(), world.text(32), world.number(U64)
    made = ours("system.transfer_with_seed", base, SYSTEM, to, numbers=(lamports,), data=seed)
    params = system_program.TransferWithSeedParams(
        from_pubkey=Pubkey.create_with_seed(base, seed.decode(), SYSTEM),
        from_base=base,
        from_seed=seed.decode(),
        from_owner=SYSTEM,
        to_pubkey=to,
        lamports=lamports,
    )
    return made, system_program.transfer_with_seed(params)


def nonce(world: World) -> Pair:
    """Return one of the nonce's."""
    account, authority, to = world.key(), world.key(), world.key()
    lamports = world.number(U64)
    match int(world.draw.integers(3)):
        case 0:
            advance = system_program.AdvanceNonceAccountParams(
                nonce_pubkey=account, authorized_pubkey=authority
            )
            made = system_program.advance_nonce_account(advance)
            return ours("system.advance_nonce", account, authority), made
        case 1:
            initialize = system_program.InitializeNonceAccountParams(
                nonce_pubkey=account, authority=authority
            )
            made = system_program.initialize_nonce_account(initialize)
            return ours("system.initialize_nonce", account, authority), made
        case _:
            withdraw = system_program.WithdrawNonceAccountParams(
                nonce_pubkey=account, authorized_pubkey=authority, to_pubkey=to, lamports=lamports
            )
            made = system_program.withdraw_nonce_account(withdraw)
            mine = ours("system.withdraw_nonce", account, authority, to, numbers=(lamports,))
            return mine, made


def token_transfer(world: World) -> Pair:
    """Return a transfer, checked or not."""
    program, a, b, c, d = world.token(), world.key(), world.key(), world.key(), world.key()
    amount, decimals = world.number(U64), world.number(256)
    if world.draw.integers(2):
        params = models.TransferParams(program_id=program, source=a, dest=b, owner=c, amount=amount)
        return ours("token.transfer", program, a, b, c, numbers=(amount,)), spl.transfer(params)
    checked = models.TransferCheckedParams(
        program_id=program, source=a, mint=b, dest=c, owner=d, amount=amount, decimals=decimals
    )
    made = ours("token.transfer_checked", program, a, b, c, d, numbers=(amount, decimals))
    return made, spl.transfer_checked(checked)


def token_transfer_with_fee(world: World) -> Pair:
    """Return the checked transfer of the fee extension."""
    keys = [world.key() for _ in range(4)]
    amount, decimals, fee = world.number(U64), world.number(256), world.number(U64)
    data = b"\x1a\x01" + amount.to_bytes(8, "little") + bytes([decimals])
    theirs = laid_out(TOKEN_2022, "w - w s", keys, data + fee.to_bytes(8, "little"))
    name = "token.transfer_checked_with_fee"
    return ours(name, *keys, numbers=(amount, decimals, fee)), theirs


def token_account(world: World) -> Pair:
    """Return one of the account's own instructions."""
    program, a, b, c = world.token(), world.key(), world.key(), world.key()
    amount = world.number(U64)
    match int(world.draw.integers(5)):
        case 0:
            made = spl.approve(
                models.ApproveParams(
                    program_id=program, source=a, delegate=b, owner=c, amount=amount
                )
            )
            return ours("token.approve", program, a, b, c, numbers=(amount,)), made
        case 1:
            made = spl.revoke(models.RevokeParams(program_id=program, account=a, owner=b))
            return ours("token.revoke", program, a, b), made
        case 2:
            made = spl.close_account(
                models.CloseAccountParams(program_id=program, account=a, dest=b, owner=c)
            )
            return ours("token.close_account", program, a, b, c), made
        case 3:
            made = spl.sync_native(models.SyncNativeParams(program_id=program, account=a))
            return ours("token.sync_native", program, a), made
        case _:
            theirs = laid_out(program, "w -", [a, b], b"\x12" + bytes(c))
            return ours("token.initialize_account3", program, a, b, c), theirs


def associated(world: World) -> Pair:
    """Return the opening of an associated account."""
    payer, owner, mint, program = world.key(), world.key(), world.key(), world.token()
    if world.draw.integers(2):
        made = spl.create_idempotent_associated_token_account(payer, owner, mint, program)
        return ours("associated_token.create_idempotent", payer, owner, mint, program), made
    address = spl.get_associated_token_address(owner, mint, program)
    keys = [payer, address, owner, mint, SYSTEM, program]
    theirs = laid_out(ATA, "ws w - - - -", keys, b"\x00")
    return ours("associated_token.create", payer, owner, mint, program), theirs


def memo(world: World) -> Pair:
    """Return a memo, signed by one or by nobody."""
    text = world.text(40)
    if world.draw.integers(2):
        return ours("memo", data=text), Theirs(MEMO, text, [])
    signer = world.key()
    return ours("memo", signer, data=text), laid_out(MEMO, "s", [signer], text)


PLAIN: dict[str, Callable[[World], Pair]] = {
    made.__name__: made
    for made in (
        budget,
        transfer,
        create_account,
        create_account_with_seed,
        transfer_with_seed,
        nonce,
        token_transfer,
        token_transfer_with_fee,
        token_account,
        associated,
        memo,
    )
}
