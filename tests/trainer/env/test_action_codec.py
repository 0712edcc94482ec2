import numpy as np
import pytest

from qdispatch_trainer.envs.action_codec import ActionCodec


def test_every_action_is_one_pair_or_wait() -> None:
    codec = ActionCodec(drivers=3, slots=4)
    assert codec.size == 13
    assert codec.decode(0) is None
    decoded = [codec.decode(action) for action in range(1, codec.size)]
    assert decoded == [(driver, slot) for driver in range(3) for slot in range(4)]
    driver, slot = np.array(decoded).T
    assert codec.encode(driver, slot).tolist() == list(range(1, codec.size))


@pytest.mark.parametrize(("driver", "slot"), [(3, 0), (0, 4), (-1, 0), (0, -1)])
def test_a_row_outside_is_refused(driver: int, slot: int) -> None:
    with pytest.raises(ValueError, match="driver rows below 3 and booking rows below 4"):
        ActionCodec(3, 4).encode(np.array([driver]), np.array([slot]))


@pytest.mark.parametrize("action", [-1, 13])
def test_a_number_outside_is_refused(action: int) -> None:
    with pytest.raises(ValueError, match="outside 0 to 12"):
        ActionCodec(3, 4).decode(action)


def test_an_empty_codec_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ActionCodec(0, 4)
