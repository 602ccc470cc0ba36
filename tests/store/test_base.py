"""Models and the stage that they are bound to."""

from pynamodb.attributes import UnicodeAttribute

from chalicelib.store.base import Table
from tests.blueprint import PREFIX
from tests.world import World, as_system


def test_a_model_that_is_loaded_after_its_stage_was_bound_belongs_to_it(world: World) -> None:
    """Routes are loaded when they are called, and models with them."""

    class Late(Table):
        TABLE = "lanes"

        class Meta:
            table_name = ""

        owner = UnicodeAttribute(hash_key=True)
        key = UnicodeAttribute(range_key=True)

    with as_system():
        assert list(Late.query("nobody")) == []
    assert Late.Meta.table_name == PREFIX + "lanes"
