"""A Ray cluster on this machine, in a process of its own: says its address, then does what it is told, a word a line.

python -m tests.apps.scale.machines 2      # a first one that takes no work, and two with a CPU each
"""

from __future__ import annotations

import sys
from contextlib import suppress


def main() -> None:
    import ray  # brings its own psutil
    from ray.cluster_utils import Cluster

    import psutil  # isort: skip

    memory = 100 * 2**20
    head = {"num_cpus": 0, "object_store_memory": memory, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=memory) for _ in range(int(sys.argv[1]))]
    print(cluster.address, flush=True)
    paused = []
    for line in sys.stdin:
        match line.strip():
            case "pause":  # whoever works now, works on nothing else until it goes on
                below = psutil.Process().children(recursive=True)
                paused = [process for process in below if "".join(process.cmdline()).startswith("ray::_do")]
                for process in paused:
                    process.suspend()
                if not paused:
                    print("nobody works", flush=True)
                    continue
            case "lose":
                cluster.remove_node(nodes.pop(), allow_graceful=False)
            case "go on":
                for process in paused:
                    with suppress(psutil.NoSuchProcess):
                        process.resume()
            case "notice":  # wait until the first machine knows who is left
                cluster.wait_for_nodes(60)
        print("done", flush=True)
    cluster.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    main()
