"""What a recording lacks although its file may be in order, in words."""

from acquire.recorder.streams import StreamSet


def missing_streams(streams: StreamSet) -> list[str]:
    """Return the names of required streams that are not joined."""
    present = {worker.name for worker in streams.workers}
    return [name for name in streams.selection.required if name not in present]


def stream_troubles(streams: StreamSet) -> list[str]:
    """Return what is wrong with the streams: gone, published twice, with losses."""
    gone = [f"{name} is gone" for name in missing_streams(streams)]
    twice = [
        f"two outlets publish the source id {source_id}"
        for source_id in sorted(streams.duplicated)
    ]
    found = [text for worker in streams.workers for text in worker.warnings()]
    return gone + twice + found


def unseen_edges(streams: StreamSet) -> list[str]:
    """Return the trigger edges that a stream did not see, if any stream saw one."""
    edges = [text for worker in streams.workers for text in worker.missing_edges()]
    n_inputs = sum(worker.header.trigger is not None for worker in streams.workers)
    return edges if len(edges) < 2 * n_inputs else []
