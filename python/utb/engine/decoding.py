"""What transactions say, for people and explanations: instructions and errors by name.

Nothing here decides about money: what may be signed is the signer's matter.
"""

from collections.abc import Mapping, Sequence

import msgspec

from utb import _core
from utb.engine.refusals import usage_error

__all__ = [
    "AccountUse",
    "DecodedInstruction",
    "DecodedTransaction",
    "decode_instruction",
    "decode_message",
    "decode_transaction",
    "error_words",
    "failure_words",
]

_UNKNOWN = "unknown"


class AccountUse(msgspec.Struct, frozen=True):
    """An account as an instruction uses it."""

    key: bytes | None
    """Its address; None for an entry of a lookup table, which the transaction does not hold."""
    table: bytes | None
    """Address of the lookup table it is loaded from."""
    entry: int
    """Place in that table."""
    signer: bool
    writable: bool
    role: str | None
    """What it is to the instruction, where that is known."""


class DecodedInstruction(msgspec.Struct, frozen=True):
    """One instruction by name."""

    program: bytes
    program_name: str
    """`unknown` for a program that is not listed: then `program` says which."""
    name: str
    """`unknown` for an instruction that is not listed."""
    fields: Mapping[str, int | bool | str]
    """What its data say; amounts in base units, addresses as base58."""
    malformed: bool
    """Whether the data do not fit the layout of the name."""
    accounts: tuple[AccountUse, ...] = ()


class DecodedTransaction(msgspec.Struct, frozen=True):
    """A transaction, or a message without signatures."""

    signatures: tuple[bytes, ...]
    version: str
    """`legacy` or `0`."""
    fee_payer: bytes
    blockhash: bytes
    instructions: tuple[DecodedInstruction, ...]


def decode_transaction(data: bytes) -> DecodedTransaction:
    """Read a transaction from the wire.

    Raises:
        UsageError: Not a transaction, above 1232 bytes, or of a version other than legacy and 0.
    """
    return _decoded(data, is_message=False)


def decode_message(data: bytes) -> DecodedTransaction:
    """Read what a transaction's signatures sign.

    Raises:
        UsageError: As `decode_transaction`.
    """
    return _decoded(data, is_message=True)


def decode_instruction(program: bytes, account_count: int, data: bytes) -> DecodedInstruction:
    """Read an instruction apart from its transaction, an inner one for instance.

    Args:
        program: Address of its program.
        account_count: How many accounts it names: forms of the same name differ in it.
        data: Its data.

    Raises:
        UsageError: A program of other than 32 bytes.
    """
    try:
        (program_name, name, malformed, fields), _roles = _core.decode_instruction(
            program, account_count, data
        )
    except ValueError as error:
        raise usage_error(error) from error
    return DecodedInstruction(
        program, program_name or _UNKNOWN, name or _UNKNOWN, dict(fields), malformed
    )


def error_words(program: bytes, code: int) -> str:
    """Return what a program's custom error means: its own name for it, and words.

    Raises:
        UsageError: A program of other than 32 bytes.
    """
    try:
        found = _core.program_error(program, code)
        name = _core.program_name(program) or _core.key_text(program)
    except ValueError as error:
        raise usage_error(error) from error
    if found is None:
        return f"error {code} of {name}, which is not listed"
    return f"{found[0]} ({code} of {name}): {found[1]}"


def failure_words(err: object, programs: Sequence[bytes] = ()) -> str:
    """Return what the `err` of a status or of a transaction's meta means.

    Args:
        err: As decoded from JSON: a name, or an object with one name and its details.
        programs: Programs of the transaction's instructions, in order.

    Raises:
        UsageError: A program of other than 32 bytes.
    """
    match err:
        case {"InstructionError": [int(at), detail]}:
            program = programs[at] if 0 <= at < len(programs) else None
            return f"instruction {at}: {_instruction(detail, program)}"
        case str():
            return _runtime(err, is_instruction=False)
        case {**details} if len(details) == 1:
            (name,) = details
            return f"{_runtime(str(name), is_instruction=False)} ({details[name]})"
        case _:
            return f"an error that is not listed: {err}"


def _instruction(detail: object, program: bytes | None) -> str:
    match detail:
        case {"Custom": int(code)}:
            return f"error {code} of its program" if program is None else error_words(program, code)
        case str():
            return _runtime(detail, is_instruction=True)
        case {**details} if len(details) == 1:
            (name,) = details
            return _runtime(str(name), is_instruction=True)
        case _:
            return f"an error that is not listed: {detail}"


def _runtime(name: str, *, is_instruction: bool) -> str:
    words = _core.runtime_error(name, is_instruction)
    return f"{name}: {words}" if words else f"{name}, which is not listed"


def _decoded(data: bytes, *, is_message: bool) -> DecodedTransaction:
    try:
        signatures, version, fee_payer, blockhash, instructions = _core.decode_transaction(
            data, is_message
        )
    except ValueError as error:
        raise usage_error(error) from error
    return DecodedTransaction(
        tuple(signatures),
        version,
        fee_payer,
        blockhash,
        tuple(
            DecodedInstruction(
                program,
                program_name or _UNKNOWN,
                name or _UNKNOWN,
                dict(fields),
                malformed,
                tuple(AccountUse(*account) for account in accounts),
            )
            for program, (program_name, name, malformed, fields), accounts in instructions
        ),
    )
