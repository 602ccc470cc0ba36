"""A lane's results are written when it is done, whatever the others of the batch still wait for."""

from chalicelib.monitoring.check_job import CheckJob
from chalicelib.worker.check_worker import run_checks
from tests.support.world import World


def test_a_lane_is_written_before_the_next_one_finishes(world: World) -> None:
    people = [world.user(), world.user("bob")]
    paths = [f"/v1/targets/{person.make_target()['id']}/checks" for person in people]
    jobs = [CheckJob.from_json(body) for _, body in world.queue.waiting]
    written: list[list[int]] = []

    def look() -> None:
        pages = [person.get(path).json for person, path in zip(people, paths, strict=True)]
        written.append([len(page["items"]) for page in pages])

    world.checker.before = look
    run_checks(world.runtime, jobs)
    look()
    assert written == [[0, 0], [1, 0], [1, 1]]
