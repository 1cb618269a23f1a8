"""Ends well when a process says that it serves: `python health.py HOST:PORT [SERVICE]`.

Run in its container by the compose file; Kubernetes asks the same by itself.
"""

import sys
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

CALL_SECONDS = 3.0


def is_serving(address: str, service: str = "") -> bool:
    """What gRPC health answers within three seconds."""
    with grpc.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            answer = stub.Check(request, timeout=CALL_SECONDS)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


if __name__ == "__main__":
    sys.exit(0 if is_serving(*sys.argv[1:]) else 1)
