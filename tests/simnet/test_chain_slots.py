"""Slots, commitment, expiry, duplicates and forks of the stand-in chain."""

from collections.abc import Callable

import pytest
from chain_stand import NOW, OTHER, SOL, WALLET, Stand
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from utb.domain.chain import Commitment
from utb.errors import UsageError
from utb.simnet.chain.settings import ChainSettings
from utb.simnet.chain.types import ChainError
from utb.simnet.chain.world import Chain

CONFIRMED, FINALIZED = Commitment.CONFIRMED, Commitment.FINALIZED
FRIEND = OTHER.pubkey()


@pytest.fixture
def stand() -> Stand:
    return Stand()


def pay(lamports: int = SOL, to: Pubkey = FRIEND) -> Instruction:
    return transfer(TransferParams(from_pubkey=WALLET.pubkey(), to_pubkey=to, lamports=lamports))


def test_transfer_moves_lamports_and_burns_the_fee(stand: Stand) -> None:
    """5,000 for one signature and ceil(price x 600,000 / 1e6) of priority."""
    before = stand.lamports(stand.wallet)
    landed = stand.land(pay())
    assert landed.meta.err is None
    assert landed.meta.fee_lamports == 5_000 + 1
    assert stand.lamports(FRIEND) == SOL
    assert stand.lamports(stand.wallet) == before - SOL - 5_001
    assert landed.meta.pre_balances[0] - landed.meta.post_balances[0] == SOL + 5_001


def test_commitment_goes_through_its_stages(stand: Stand) -> None:
    signature = stand.chain.submit(stand.sign(pay()))
    assert stand.chain.status(signature) is None
    stages = []
    for _ in range(34):
        stand.chain.tick()
        status = stand.chain.status(signature)
        assert status is not None
        stages.append((status.commitment, status.confirmations))
    assert stages[0] == (NOW, 0)
    assert stages[2] == (CONFIRMED, 2)
    assert stages[31] == (CONFIRMED, 31)
    assert stages[32] == (FINALIZED, None)


def test_reads_tell_the_state_at_their_commitment(stand: Stand) -> None:
    stand.land(pay())
    key = str(FRIEND)
    assert stand.chain.account(key, NOW) is not None
    assert stand.chain.account(key, CONFIRMED) is None
    for _ in range(2):
        stand.chain.tick()
    assert stand.chain.account(key, CONFIRMED) is not None
    assert stand.chain.account(key, FINALIZED) is None
    for _ in range(30):
        stand.chain.tick()
    assert stand.chain.account(key, FINALIZED) is not None


def test_transaction_is_told_from_its_commitment_on(stand: Stand) -> None:
    landed = stand.land(pay())
    assert stand.chain.transaction(landed.signature, CONFIRMED) is None
    stand.chain.tick()
    events = stand.chain.tick()
    assert events.confirmed == (landed.slot,)
    assert stand.chain.transaction(landed.signature, CONFIRMED) == landed


def test_held_commitment_stands_still(stand: Stand) -> None:
    """Finality comes from the commitment, never from a count of slots."""
    landed = stand.land(pay())
    stand.chain.hold_commitment(finalized=True)
    for _ in range(60):
        assert stand.chain.tick().finalized == ()
    status = stand.chain.status(landed.signature)
    assert status is not None
    assert (status.commitment, status.confirmations) == (CONFIRMED, 60)
    stand.chain.hold_commitment()
    assert landed.slot in stand.chain.tick().finalized


def test_skipped_slot_has_no_block_and_no_height(stand: Stand) -> None:
    slot, height = stand.chain.slot, stand.chain.block_height
    signature = stand.chain.submit(stand.sign(pay()))
    events = stand.chain.tick(skip=True)
    assert (events.block, events.landed) == (None, ())
    assert (stand.chain.slot, stand.chain.block_height) == (slot + 1, height)
    assert stand.chain.block(slot + 1) is None
    events = stand.chain.tick()
    assert (events.landed, events.parent) == ((signature,), slot)
    assert stand.chain.block_height == height + 1


def test_blockhash_is_valid_for_150_blocks_and_not_one_more(stand: Stand) -> None:
    newest = stand.chain.latest_blockhash(NOW)
    assert newest.last_valid_block_height == stand.chain.block_height + 150
    early = stand.chain.submit(stand.sign(pay(), blockhash=newest.blockhash), delay_slots=149)
    late = stand.chain.submit(stand.sign(pay(), blockhash=newest.blockhash), delay_slots=150)
    for _ in range(149):
        assert stand.chain.tick().landed == ()
    assert stand.chain.tick().landed == (early,)
    assert stand.chain.block_height == newest.last_valid_block_height
    assert stand.chain.is_blockhash_valid(newest.blockhash, NOW)
    assert stand.chain.tick().expired == (late,)
    assert not stand.chain.is_blockhash_valid(newest.blockhash, NOW)
    assert stand.chain.status(late) is None
    fee_only = stand.lamports(FRIEND)
    assert fee_only == SOL


def test_skipped_slots_do_not_age_a_blockhash(stand: Stand) -> None:
    newest = stand.chain.latest_blockhash(NOW)
    signature = stand.chain.submit(stand.sign(pay(), blockhash=newest.blockhash), delay_slots=300)
    for _ in range(300):
        stand.chain.tick(skip=True)
    assert stand.chain.tick().landed == (signature,)


def test_same_bytes_land_once(stand: Stand) -> None:
    raw = stand.sign(pay())
    assert stand.chain.submit(raw) == stand.chain.submit(raw)
    assert len(stand.chain.tick().landed) == 1
    signature = stand.chain.submit(raw)
    assert stand.chain.tick().landed == ()
    assert stand.lamports(FRIEND) == SOL
    assert stand.chain.status(signature) is not None


def test_failed_transaction_pays_its_fee_and_changes_nothing_else(stand: Stand) -> None:
    before = stand.lamports(stand.wallet)
    landed = stand.land(pay(10**15))
    assert landed.meta.err == {"InstructionError": [2, {"Custom": 1}]}
    assert stand.lamports(stand.wallet) == before - landed.meta.fee_lamports
    assert stand.lamports(FRIEND) == 0


def test_payer_without_money_never_lands() -> None:
    stand = Stand()
    raw = stand.sign(pay())
    stand.chain.plant(str(stand.wallet), None)
    signature = stand.chain.submit(raw)
    for _ in range(151):
        assert stand.chain.tick().landed == ()
    assert stand.chain.status(signature) is None
    assert not stand.chain.is_queued(signature)


def test_single_try_that_is_lost_is_gone() -> None:
    stand = Stand()
    stand.chain.loss_rate = 1.0
    once = stand.chain.submit(stand.sign(pay()), max_retries=0)
    often = stand.chain.submit(stand.sign(pay()))
    assert stand.chain.tick().landed == ()
    assert stand.chain.tick().expired == (once,)
    stand.chain.loss_rate = 0.0
    assert stand.chain.tick().landed == (often,)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda raw: raw + bytes(1233 - len(raw)), -32602),
        (lambda raw: raw + b"\0", -32602),
        (lambda raw: raw[:-1], -32602),
        (lambda raw: raw[:0], -32602),
        (lambda raw: bytes((raw[0], raw[1] ^ 1)) + raw[2:], -32003),
        (lambda raw: raw[:-5] + bytes((raw[-5] ^ 1,)) + raw[-4:], -32003),
        (lambda raw: raw[:65] + b"\x81" + raw[66:], -32015),
        (lambda raw: b"\x81" + raw[1:], -32015),
    ],
)
def test_bytes_that_a_node_refuses(
    stand: Stand, change: Callable[[bytes], bytes], code: int
) -> None:
    """Too large, with a tail, cut, empty; then a signature, an amount, and versions."""
    with pytest.raises(ChainError) as refused:
        stand.chain.submit(change(stand.sign(pay())))
    assert refused.value.code == code
    assert stand.chain.tick().landed == ()


def test_fork_takes_a_confirmed_transaction_away_and_lands_it_again(stand: Stand) -> None:
    landed = stand.land(pay())
    for _ in range(5):
        stand.chain.tick()
    status = stand.chain.status(landed.signature)
    assert status is not None
    assert status.commitment is CONFIRMED
    slot, height = stand.chain.slot, stand.chain.block_height
    rollback = stand.chain.fork(6)
    assert rollback.requeued == (landed.signature,)
    assert str(FRIEND) in rollback.accounts
    assert stand.chain.status(landed.signature) is None
    assert stand.lamports(FRIEND) == 0
    assert (stand.chain.slot, stand.chain.block_height) == (slot, height - 6)
    events = stand.chain.tick()
    assert events.rollbacks == (rollback,)
    assert events.landed == (landed.signature,)
    again = stand.chain.status(landed.signature)
    assert again is not None
    assert again.slot == slot + 1
    assert stand.lamports(FRIEND) == SOL


def test_fork_lets_a_transaction_vanish(stand: Stand) -> None:
    before = stand.lamports(stand.wallet)
    landed = stand.land(pay())
    rollback = stand.chain.fork(1, drop=lambda signature: signature == landed.signature)
    assert rollback.vanished == (landed.signature,)
    for _ in range(3):
        assert stand.chain.tick().landed == ()
    assert stand.lamports(stand.wallet) == before
    stand.chain.submit(landed.raw)
    assert stand.chain.tick().landed == (landed.signature,)


def test_transaction_lands_again_with_another_result(stand: Stand) -> None:
    """It spent what somebody sent in the same block; on the other fork that came to nothing."""
    gift = stand.land(pay(2 * SOL))
    rest = stand.lamports(stand.wallet)
    spend = stand.land(pay(rest - SOL // 2))
    assert spend.meta.err is None
    stand.chain.fork(1, delay_slots=1)
    other = stand.land(pay(SOL))
    assert other.meta.err is None
    assert stand.chain.tick().landed == (spend.signature,)
    again = stand.chain.transaction(spend.signature, NOW)
    assert again is not None
    assert again.meta.err == {"InstructionError": [2, {"Custom": 1}]}
    assert stand.chain.status(gift.signature) is not None


def test_transaction_expires_after_a_fork(stand: Stand) -> None:
    landed = stand.land(pay())
    stand.chain.fork(1, delay_slots=200)
    expired = [one for _ in range(152) for one in stand.chain.tick().expired]
    assert expired == [landed.signature]
    assert stand.lamports(FRIEND) == 0


def test_blockhash_of_a_replaced_block_is_dead(stand: Stand) -> None:
    stand.chain.tick()
    raw = stand.sign(pay())
    stand.chain.fork(1)
    signature = stand.chain.submit(raw)
    gone = [one for _ in range(152) for one in stand.chain.tick().expired]
    assert gone == [signature]


def test_finalized_slots_are_never_replaced(stand: Stand) -> None:
    for _ in range(40):
        stand.chain.tick()
    stand.chain.fork(32)
    with pytest.raises(UsageError, match="depth is 1, expected 1 to 0"):
        stand.chain.fork(1)


def test_state_before_a_fork_is_read_right_after_it(stand: Stand) -> None:
    stand.land(pay())
    stand.chain.tick()
    stand.chain.tick()
    assert stand.chain.account(str(FRIEND), CONFIRMED) is not None
    stand.chain.fork(3)
    assert stand.chain.account(str(FRIEND), CONFIRMED) is None
    stand.chain.tick()
    assert stand.chain.account(str(FRIEND), NOW) is not None


def test_signatures_of_an_address_newest_first(stand: Stand) -> None:
    sent = [stand.land(pay()).signature for _ in range(5)]
    found = stand.chain.signatures_for(str(FRIEND), commitment=NOW)
    assert [one.signature for one in found] == sent[::-1]
    page = stand.chain.signatures_for(
        str(FRIEND), before=sent[4], until=sent[1], limit=2, commitment=NOW
    )
    assert [one.signature for one in page] == [sent[3], sent[2]]
    confirmed = stand.chain.signatures_for(str(FRIEND), commitment=CONFIRMED)
    assert [one.signature for one in confirmed] == sent[2::-1]


def test_time_is_the_callers_and_never_goes_back(stand: Stand) -> None:
    stand.chain.tick(unix_time_s=1_800_000_000)
    assert stand.chain.unix_time_s == 1_800_000_000
    stand.chain.tick(unix_time_s=1_700_000_000)
    assert stand.chain.unix_time_s == 1_800_000_000


def run(seed: int) -> list[object]:
    settings = ChainSettings(seed=seed, skip_rate=0.2, loss_rate=0.3)
    chain = Chain(settings)
    told: list[object] = [chain.genesis_hash]
    for number in range(60):
        chain.airdrop(str(FRIEND), 1_000_000 + number)
        told.append(chain.tick())
        if number == 40:
            told.append(chain.fork(7, drop=lambda one: one < "5"))
    return told


def test_same_seed_same_chain() -> None:
    assert run(3) == run(3)
    assert run(3) != run(4)


def test_old_blocks_are_forgotten_but_not_the_window() -> None:
    chain = Chain()
    for _ in range(2_000):
        chain.tick()
    newest = chain.latest_blockhash(FINALIZED)
    assert newest.slot == chain.slot - 32
    assert chain.is_blockhash_valid(newest.blockhash, NOW)
    assert chain.block(chain.slot - 300) is not None
    assert chain.block(chain.slot - 1_900) is None
