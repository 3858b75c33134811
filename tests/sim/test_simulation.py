"""Short forms of `just sim`: no world breaks a rule, and every planted defect is found."""

import pytest
from model_defects import DEFECTS
from model_world import ViolationError, World

from run import run_seeds, words
from utb.errors import InvariantError

WORLDS = 300
DEFECT_SEEDS_MAX = 600


@pytest.mark.timeout(300)
def test_seeded_worlds_land_nothing_twice_and_end_every_order() -> None:
    counts, broken = run_seeds(range(WORLDS))
    print(f"\n{words(counts, broken, WORLDS)}")
    assert broken == []
    assert counts["intents"] > 1_000
    for happened in ("SETTLED", "EXPIRED", "FAILED_ON_CHAIN", "CANCELLED", "UNKNOWN"):
        assert counts[happened] > 10, happened
    for happened in ("crashes", "forks", "reverted"):
        assert counts[happened] > 50, happened


def test_world_is_a_function_of_its_seed() -> None:
    assert World(7).run() == World(7).run()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", DEFECTS)
def test_planted_defect_is_caught(name: str) -> None:
    for seed in range(DEFECT_SEEDS_MAX):
        with pytest.MonkeyPatch.context() as patch:
            world = World(seed)
            DEFECTS[name](world, patch)
            try:
                world.run()
            except (ViolationError, InvariantError) as error:
                print(f"\n{name}: seed {seed}: {error}")
                return
    pytest.fail(f"{name} is not caught in {DEFECT_SEEDS_MAX} worlds")
