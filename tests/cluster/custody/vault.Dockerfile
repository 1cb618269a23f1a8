# A Vault for tests on a cluster; the folder holds the program `bao` (OpenBao).
FROM debian:trixie-slim
COPY bao /usr/local/bin/bao
USER 10001:10001
ENTRYPOINT ["bao", "server", "-dev", "-dev-no-store-token", "-config=/vault/listener.hcl"]
