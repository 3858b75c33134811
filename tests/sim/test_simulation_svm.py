"""Short form of `just sim-svm`: signed bytes and real execution under the same worlds."""

import pytest
from model_defects import DEFECTS
from model_svm import SvmChain
from model_world import ViolationError, World

from run import run_seeds, words

WORLDS = 40
DEFECT_SEEDS_MAX = 150


@pytest.mark.timeout(300)
def test_seeded_worlds_over_real_execution_break_no_rule() -> None:
    counts, broken = run_seeds(range(WORLDS), svm=True)
    print(f"\n{words(counts, broken, WORLDS)}")
    assert broken == []
    assert counts["SETTLED"] > 100
    assert counts["FAILED_ON_CHAIN"] > 20
    assert counts["reverted"] > 5


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "name", ["time_out_requote_resign", "unguarded_resign_of_exit", "first_fill_kept"]
)
def test_planted_defect_is_caught_by_real_execution(name: str) -> None:
    for seed in range(DEFECT_SEEDS_MAX):
        with pytest.MonkeyPatch.context() as patch:
            world = World(seed, SvmChain(seed))
            DEFECTS[name](world, patch)
            try:
                world.run()
            except ViolationError as error:
                print(f"\n{name}: seed {seed}: {error}")
                return
    pytest.fail(f"{name} is not caught in {DEFECT_SEEDS_MAX} worlds")
