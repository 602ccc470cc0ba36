"""Binding models to a stage."""

from chalicelib.aws.dynamodb import Owned
from tests.support.blueprint import PREFIX
from tests.support.world import World, as_system


def test_model_imported_after_bind_uses_the_stage(world: World) -> None:
    """Routes and their models are imported on the first call."""

    class Late(Owned):
        TABLE = "lanes"

    with as_system():
        assert list(Late.query("nobody")) == []
    assert Late.Meta.table_name == PREFIX + "lanes"
