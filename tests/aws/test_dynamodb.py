"""Models and the stage that they are bound to."""

from chalicelib.aws.dynamodb import Owned
from tests.support.blueprint import PREFIX
from tests.support.world import World, as_system


def test_a_model_that_is_loaded_after_its_stage_was_bound_belongs_to_it(world: World) -> None:
    """Routes are loaded when they are called, and models with them."""

    class Late(Owned):
        TABLE = "lanes"

    with as_system():
        assert list(Late.query("nobody")) == []
    assert Late.Meta.table_name == PREFIX + "lanes"
