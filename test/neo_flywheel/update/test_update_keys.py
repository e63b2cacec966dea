"""Key files: private, encrypted on request, refused when others may read them."""

import pytest

from neo_description.errors import NeoError
from neo_flywheel.update import clock, keys


def test_a_private_key_is_for_its_owner_only_and_signs(tmp_path):
    key = keys.create(tmp_path, "root", clock.utc_now())
    assert key.private.stat().st_mode & 0o777 == 0o600
    assert key.state == "plain"
    signature = key.signer().sign(b"what is signed")
    key.public.verify_signature(signature, b"what is signed")
    assert keys.find([tmp_path])[key.keyid].role == "root"


def test_a_passphrase_encrypts_and_is_needed(tmp_path, monkeypatch):
    monkeypatch.setenv(keys.PASSPHRASE, "correct horse")
    key = keys.create(tmp_path, "targets", clock.utc_now())
    assert key.state == "encrypted"
    key.signer()
    for wrong in ("", "battery"):
        monkeypatch.setenv(keys.PASSPHRASE, wrong)
        with pytest.raises(NeoError, match=keys.PASSPHRASE):
            key.signer()


def test_a_key_that_others_may_read_does_not_sign(tmp_path):
    key = keys.create(tmp_path, "root", clock.utc_now())
    key.private.chmod(0o644)
    with pytest.raises(NeoError, match="may be read by others"):
        key.signer()


def test_only_the_public_half_is_needed_to_list(tmp_path):
    key = keys.create(tmp_path, "root", clock.utc_now())
    key.private.unlink()
    assert keys.find([tmp_path])[key.keyid].state == "public half only"
    assert keys.signers([tmp_path]) == {}


def test_a_folder_that_is_not_there_says_how_to_make_one(tmp_path):
    with pytest.raises(NeoError, match="neo keys create"):
        keys.find([tmp_path / "none"])
