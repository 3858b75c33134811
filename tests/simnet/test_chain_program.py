"""The planted-script program: its bytes come from its source, and it runs only what is planted."""

import shutil

import pytest
from chain_stand import NOW, Stand
from solders.instruction import AccountMeta, Instruction

from utb.simnet.chain.amm import keys
from utb.simnet.chain.program import build, elf


@pytest.mark.skipif(
    shutil.which(build.COMPILER) is None, reason=f"{build.COMPILER} is not installed"
)
def test_built_program_is_its_source() -> None:
    assert build.build() == build.program()


def test_program_without_a_script_fails() -> None:
    stand = Stand()
    meta = AccountMeta(stand.wallet, is_signer=True, is_writable=True)
    landed = stand.land(Instruction(keys.PUMP_FEES, b"\x01", [meta]))
    assert landed.meta.err == {"InstructionError": [2, "InvalidSeeds"]}
    assert stand.chain.account(str(keys.PUMP_FEES), NOW) is not None


def test_object_with_more_than_calls_is_refused() -> None:
    with pytest.raises(ValueError, match="0 text and 0 data sections"):
        elf.link(bytes(64))
