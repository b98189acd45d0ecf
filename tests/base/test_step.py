from cumulet.base.step import Env, Step


def test_the_same_seed_gives_the_same_bytes_in_the_same_order():
    first, second = Env(1, b"seed"), Env(1, b"seed")
    assert [first.entropy(16), first.entropy(4)] == [second.entropy(16), second.entropy(4)]


def test_draws_and_seeds_differ():
    env = Env(1, b"seed")
    assert env.entropy(16) != env.entropy(16)
    assert Env(1, b"a").entropy(16) != Env(1, b"b").entropy(16)


def test_steps_share_nothing():
    Step().events.append({})
    assert Step().events == []
