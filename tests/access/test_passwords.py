"""What a password must be like, how it is kept, and the ones made for people."""

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from rapid_response.access.passphrases import new_passphrase, word_list
from rapid_response.access.passwords import Passwords, WeakPassword, check_policy
from rapid_response.core.ids import SeededIds, SystemIds
from tests.cases import each


@each(
    "password",
    [
        "twelve chars",
        "heron-velvet-teapot-olive",
        "asha likes tall ships",
        "пароль на двенадцать",
        "check-password-1",
        "a" * 8 + "bcde",
    ],
)
def test_will_do(password: str) -> None:
    check_policy(password, "asha")


@each(
    ("password", "says"),
    [
        ("", "too short"),
        ("eleven char", "too short"),
        ("x7!" * 100, "too long"),
        ("asha12345678"[:11], "too short"),
        ("asha-the-handler", "account's name"),
        ("ASHA-THE-HANDLER-1", "account's name"),
        ("Password1234", "among the first"),
        ("p-a-s-s-w-o-r-d-1", "among the first"),
        ("Bromley 2026!!", "among the first"),
        ("RapidResponse1", "among the first"),
        ("aaaaaaaaaaaa", "among the first"),
        ("abababababab", "among the first"),
        ("123456789012", "among the first"),
        ("abcdefghijkl", "among the first"),
        ("987654321098", "among the first"),
    ],
)
def test_will_not_do(password: str, says: str) -> None:
    with pytest.raises(WeakPassword, match=says) as refused:
        check_policy(password, "asha-the-handler")
    assert not password or password not in str(refused.value)


def test_only_the_hash_is_kept(passwords: Passwords) -> None:
    stored = passwords.hash("right password")
    assert stored.startswith("$argon2id$")
    assert len(stored) <= 200
    assert passwords.verify("right password", stored)
    assert not passwords.verify("wrong password", stored)
    assert passwords.hash("right password") != stored


def test_the_costs_in_use_fit_the_column() -> None:
    real = Passwords()
    stored = real.hash("right password")
    real.close()
    assert len(stored) <= 200
    assert "m=65536,t=3,p=4" in stored


def test_no_hash_and_a_spoilt_hash_fit_nothing(passwords: Passwords) -> None:
    assert not passwords.verify("right password", None)
    assert not passwords.verify("right password", "spoilt")


def test_the_same_password_from_another_keyboard(passwords: Passwords) -> None:
    assert passwords.verify("cafe\u0301 au lait", passwords.hash("caf\u00e9 au lait"))


@given(st.text(st.characters(codec=None), max_size=30))
def test_whatever_a_browser_sends_can_be_tried(text: str) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords = Passwords(cheap)
    assert passwords.verify(text, passwords.hash(text))


def test_a_hash_of_other_costs_is_outdated(passwords: Passwords) -> None:
    dearer = Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    assert dearer.is_outdated(passwords.hash("right password"))
    assert not passwords.is_outdated(passwords.hash("right password"))


async def test_beside_the_event_loop(passwords: Passwords) -> None:
    stored = await passwords.hashed("right password")
    assert await passwords.verified("right password", stored)
    assert not await passwords.verified("right password", None)


def test_a_passphrase_can_be_foreseen_in_tests_only() -> None:
    assert new_passphrase(SeededIds(7)) == new_passphrase(SeededIds(7))
    assert new_passphrase(SystemIds()) != new_passphrase(SystemIds())


def test_a_passphrase_is_four_words_and_three_digits_and_good_enough() -> None:
    for seed in range(50):
        phrase = new_passphrase(SeededIds(seed))
        *words, digits = phrase.split("-")
        assert len(words) == 4
        assert set(words) <= set(word_list())
        assert len(digits) == 3
        assert digits.isdigit()
        check_policy(phrase, "duty_officer")


def test_the_words_are_two_hundred_and_fifty_six_different_ones() -> None:
    words = word_list()
    assert len(set(words)) == len(words) == 256
    assert all(word.isascii() and word.islower() and word.isalpha() and 4 <= len(word) <= 9 for word in words)
