"""Settlement: what an order's transaction brought, from the chain's own balances."""

from utb.adapters.chain.landed import Landed, Unread, error_text, read_landed
from utb.adapters.rpc import calls
from utb.adapters.rpc.answers import Bad, TransactionValue
from utb.adapters.rpc.pool import RpcPool
from utb.domain.chain import WRAPPED_SOL_MINT, ChainFill, Commitment
from utb.orderlife.events import FillRead

_INSTRUCTION_ERROR = "InstructionError"


def read_fill(
    transaction: TransactionValue,
    wallet: str,
    base_mint: str,
    quote_mint: str,
    *,
    native_sol: bool = False,
) -> ChainFill | Unread:
    """Return the fill of a successful swap, exact to the base unit and the lamport.

    Args:
        transaction: As `getTransaction` answers with the encoding `json`.
        wallet: Address.
        base_mint: Of the instrument.
        quote_mint: Of the instrument.
        native_sol: Count SOL that the wallet itself paid or got as wrapped SOL: of swaps that wrap
            and unwrap on the way. Ours do not: there such a change is an error.
    """
    landed = read_landed(transaction, wallet)
    if isinstance(landed, Unread):
        return landed
    if landed.err is not None:
        return Unread(f"the transaction failed: {landed.err}")
    if landed.compute_units is None:
        return Unread("the endpoint tells no compute units")
    return _fill(landed, base_mint, quote_mint, landed.compute_units, native_sol=native_sol)


def guard_failed(err: object, guard_instruction: int | None) -> bool:
    """Return whether a transaction failed because its guard account exists already.

    Args:
        err: TransactionError as JSON's types.
        guard_instruction: Index of the instruction that creates the guard; None: there is none.

    Source: the System program answers Custom(0), AccountAlreadyInUse.
    """
    if guard_instruction is None or not isinstance(err, dict):
        return False
    return err.get(_INSTRUCTION_ERROR) == [guard_instruction, {"Custom": 0}]


async def read_settlement(
    pool: RpcPool,
    signature: str,
    *,
    finalized: bool,
    wallet: str,
    mints: tuple[str, str],
    guard_instruction: int | None,
) -> FillRead | Unread | Bad | None:
    """Read a landed transaction and what it brought.

    Args:
        pool: Whom to ask.
        signature: Of the transaction.
        finalized: At finalized; else at confirmed.
        wallet: Address.
        mints: Base and quote of the instrument.
        guard_instruction: As in `guard_failed`.

    Returns:
        None: the endpoint does not know it (yet). Unread: it landed, and is not the swap it should
        be: a person has to look.
    """
    commitment = Commitment.FINALIZED if finalized else Commitment.CONFIRMED
    answer = await pool.call(calls.transaction(signature, commitment), urgent=True)
    if isinstance(answer, Bad):
        return answer
    transaction = answer.value
    if transaction is None:
        return None
    if transaction.transaction.signatures[:1] != (signature,):
        return Unread(f"{answer.endpoint} answers with another transaction than {signature}")
    if transaction.meta.err is not None:
        return _failure(transaction, wallet, guard_instruction, finalized=finalized)
    fill = read_fill(transaction, wallet, *mints)
    if isinstance(fill, Unread):
        return fill
    return FillRead(signature=signature, slot=fill.slot, finalized=finalized, fill=fill)


def _failure(
    transaction: TransactionValue, wallet: str, guard_instruction: int | None, *, finalized: bool
) -> FillRead | Unread:
    landed = read_landed(transaction, wallet)
    if isinstance(landed, Unread):
        return landed
    return FillRead(
        signature=landed.signature,
        slot=landed.slot,
        finalized=finalized,
        fill=None,
        err=error_text(transaction.meta.err),
        guard_failed=guard_failed(transaction.meta.err, guard_instruction),
        fee_lamports=landed.fee_lamports,
    )


def _fill(
    landed: Landed, base_mint: str, quote_mint: str, compute_units: int, *, native_sol: bool
) -> ChainFill | Unread:
    tokens = dict(landed.tokens)
    if native_sol and WRAPPED_SOL_MINT in {base_mint, quote_mint}:
        tokens[WRAPPED_SOL_MINT] = tokens.get(WRAPPED_SOL_MINT, 0) + landed.other_lamports
    elif landed.other_lamports:
        return Unread(
            f"{landed.other_lamports} lamports of the wallet are neither fee, tip nor rent"
        )
    base, quote = tokens.pop(base_mint, 0), tokens.pop(quote_mint, 0)
    lost = {mint: change for mint, change in tokens.items() if change < 0}
    if lost:
        told = ", ".join(f"{change} of {mint}" for mint, change in lost.items())
        return Unread(f"beside the swap the wallet lost {told}")
    if base * quote >= 0:
        return Unread(f"no swap: base changed by {base}, quote by {quote}")
    return ChainFill(
        signature=landed.signature,
        slot=landed.slot,
        base_raw=abs(base),
        quote_raw=abs(quote),
        fee_lamports=landed.fee_lamports,
        tip_lamports=landed.tip_lamports,
        rent_lamports=landed.rent_lamports,
        compute_units=compute_units,
    )
