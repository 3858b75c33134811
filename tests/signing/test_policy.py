"""The signer's policy: what it refuses, what it signs, and that every rule is needed."""

import re
from pathlib import Path

import pytest
from hostile_case import Case
from hostile_corpus import CASES
from legal_corpus import LEGAL, Legal
from wallet_world import NOW_S, POLICY, WALLET, WALLET_KEY

from utb.engine.signer import policy_probe, refusal_codes, seeded_signer
from utb.ports.chain import Signed

RULES = [code.name for code in refusal_codes() if code.is_rule]
FORMS = {code.name for code in refusal_codes() if not code.is_rule}
HOSTILE_MIN = 60


def judged(case: Case, *off: str) -> str | None:
    """Return the code of the last message; what comes before it must be signed."""
    *before, last = policy_probe(
        bytes(WALLET), case.policy, case.asked, off=off, halted=case.halted
    )
    assert [it for it in before if it is not None] == []
    return None if last is None else last.code


def test_corpus_has_enough_cases_under_distinct_names() -> None:
    names = {case.name for case in CASES}
    assert len(names) == len(CASES) >= HOSTILE_MIN


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hostile_message_is_refused_with_its_code(case: Case) -> None:
    assert judged(case) == case.code


@pytest.mark.parametrize("rule", RULES)
def test_rule_switched_off_lets_a_hostile_message_through(rule: str) -> None:
    """Without the rule at least one message that it alone refuses would be signed."""
    passed = [case.name for case in CASES if case.code == rule and judged(case, rule) is None]
    assert passed


@pytest.mark.parametrize("legal", LEGAL, ids=lambda legal: legal.name)
def test_legal_message_is_signed(legal: Legal) -> None:
    """The signature is solders' own of the same bytes, and the same a second time."""
    signer = seeded_signer(bytes(range(32)), POLICY)
    signed = [signer.sign(legal.message, legal.claim, NOW_S) for _ in range(2)]
    expected = Signed(bytes(WALLET_KEY.sign_message(legal.message)))
    assert signed == [expected, expected]


def test_table_of_codes_in_the_docs_is_the_enums() -> None:
    page = (Path(__file__).parents[2] / "docs" / "signer.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+) \| (rule|form) \|$", page, re.MULTILINE)
    codes = [(c.name, c.words, "rule" if c.is_rule else "form") for c in refusal_codes()]
    assert rows == codes
