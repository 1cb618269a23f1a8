"""Runs in a pod: asks signer or approver for their status, prints `ok` or the status of the call.

python call.py NAME ADDRESS     the certificate /credentials/NAME.pem; no name = no certificate
"""

import sys
from pathlib import Path

import grpc

from cambist.internal.approver.v1 import approver_pb2, approver_pb2_grpc
from cambist.internal.signer.v1 import signer_pb2, signer_pb2_grpc

CALL_SECONDS = 5.0


def read(name: str) -> bytes:
    return Path("/credentials", name).read_bytes()


def open_channel(name: str, address: str) -> grpc.Channel:
    if not name:
        return grpc.insecure_channel(address)
    key, certificate = read(f"{name}.key.pem"), read(f"{name}.pem")
    credentials = grpc.ssl_channel_credentials(read("authority.pem"), key, certificate)
    return grpc.secure_channel(address, credentials)


def main(name: str, address: str) -> None:
    with open_channel(name, address) as channel:
        try:
            if "signer" in address:
                signer = signer_pb2_grpc.SignerServiceStub(channel)
                signer.GetStatus(signer_pb2.GetStatusRequest(), timeout=CALL_SECONDS)
            else:
                approver = approver_pb2_grpc.ApproverServiceStub(channel)
                approver.GetStatus(approver_pb2.GetStatusRequest(), timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            print(error.code().name)
        else:
            print("ok")


if __name__ == "__main__":
    main(*sys.argv[1:])
