# The images of Cambist: gateway, matching, control, cli, edge (HAProxy), postgres (for evaluation only), and of custody
# wallets-bitcoin, wallets-ethereum, wallets-tron, signer, approver. docs/images.md says what is in each.
#   docker build --target gateway -t cambist-gateway .
# The kernel is built here once, or taken from build/wheels with --build-arg KERNEL=host (after `make kernel`).
# Images run as a user without rights, on a read-only root; nothing is written but /tmp. What pip downloads for one target
# is there for the next, beside the images.
ARG KERNEL=build

FROM rust:1.95-slim-bookworm AS toolchain

FROM python:3.11-slim-bookworm AS kernel-build
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
COPY --from=toolchain /usr/local/cargo /usr/local/cargo
COPY --from=toolchain /usr/local/rustup /usr/local/rustup
ENV PATH=/usr/local/cargo/bin:$PATH CARGO_HOME=/usr/local/cargo RUSTUP_HOME=/usr/local/rustup
WORKDIR /source
COPY requirements/dev.txt requirements/dev.txt
# maturin alone, at the pinned version and hash.
RUN grep --after-context=200 '^maturin==' requirements/dev.txt | awk 'NR > 1 && /^[a-z]/ {exit} {print}' > maturin.txt && \
    pip install --no-cache-dir --require-hashes --no-deps --requirement maturin.txt
COPY kernel kernel
RUN cd kernel/python && maturin build --release --interpreter python3.11 --out /wheels

FROM scratch AS kernel-host
COPY build/wheels/*.whl /wheels/

FROM kernel-${KERNEL} AS kernel

# What every service stands on: the interpreter, a user, the code that all share.
FROM python:3.11-slim-bookworm AS base
RUN groupadd --gid 10001 cambist && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin cambist
# A volume of Docker takes the owner of the folder that it lies over.
RUN install --directory --owner=10001 --group=10001 --mode=0700 /credentials
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/app
WORKDIR /app

FROM base AS gateway-packages
COPY requirements/gateway.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/var/cache/pip pip install --cache-dir /var/cache/pip --require-hashes \
    --target /packages --requirement /tmp/requirements.txt
COPY --from=kernel /wheels /tmp/wheels
RUN pip install --no-cache-dir --no-deps --no-index --target /packages /tmp/wheels/*.whl

FROM base AS matching-packages
COPY requirements/matching.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/var/cache/pip pip install --cache-dir /var/cache/pip --require-hashes \
    --target /packages --requirement /tmp/requirements.txt
COPY --from=kernel /wheels /tmp/wheels
RUN pip install --no-cache-dir --no-deps --no-index --target /packages /tmp/wheels/*.whl

FROM base AS gateway
COPY --from=gateway-packages /packages /packages
COPY cambist cambist
COPY runtime runtime
COPY gateway gateway
ENV PYTHONPATH=/app:/packages
USER 10001:10001
EXPOSE 7400 7403
ENTRYPOINT ["python", "-m", "gateway"]
CMD ["serve"]

FROM base AS matching
COPY --from=matching-packages /packages /packages
COPY cambist cambist
COPY runtime runtime
COPY matching matching
ENV PYTHONPATH=/app:/packages
USER 10001:10001
EXPOSE 7001 7002 7003 7004
ENTRYPOINT ["python", "-m", "matching"]
CMD ["serve"]

FROM base AS control-packages
COPY requirements/control.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/var/cache/pip pip install --cache-dir /var/cache/pip --require-hashes \
    --target /packages --requirement /tmp/requirements.txt

FROM base AS control
COPY --from=control-packages /packages /packages
COPY cambist cambist
COPY runtime runtime
COPY control control
ENV PYTHONPATH=/app:/packages
USER 10001:10001
EXPOSE 7303
ENTRYPOINT ["python", "-m", "control"]

# Libraries of all chains: of the signer, of workers of Bitcoin, and of custody's service, which reads addresses of every
# chain. The only packages with bitcoinlib, which is under the GPL, version 3: who passes such an image on passes that on.
FROM base AS wallets-packages
COPY requirements/wallets.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/var/cache/pip pip install --cache-dir /var/cache/pip --require-hashes \
    --target /packages --requirement /tmp/requirements.txt

FROM base AS wallets-ethereum-packages
COPY requirements/wallets-ethereum.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/var/cache/pip pip install --cache-dir /var/cache/pip --require-hashes \
    --target /packages --requirement /tmp/requirements.txt

FROM base AS wallets-tron-packages
COPY requirements/wallets-tron.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/var/cache/pip pip install --cache-dir /var/cache/pip --require-hashes \
    --target /packages --requirement /tmp/requirements.txt

FROM base AS approver-packages
COPY requirements/approver.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/var/cache/pip pip install --cache-dir /var/cache/pip --require-hashes \
    --target /packages --requirement /tmp/requirements.txt

# The code of custody, the same in all its images; which libraries are beside it decides what it can serve.
FROM base AS custody
COPY cambist cambist
COPY runtime runtime
COPY wallets wallets
ENV PYTHONPATH=/app:/packages
USER 10001:10001
EXPOSE 7301 7302 7303 7304 7305
ENTRYPOINT ["python", "-m", "wallets"]
CMD ["worker"]

FROM custody AS wallets-bitcoin
COPY --from=wallets-packages /packages /packages
LABEL org.opencontainers.image.licenses="Apache-2.0 AND GPL-3.0-only"

FROM custody AS wallets-ethereum
COPY --from=wallets-ethereum-packages /packages /packages

FROM custody AS wallets-tron
COPY --from=wallets-tron-packages /packages /packages

FROM custody AS signer
COPY --from=wallets-packages /packages /packages
LABEL org.opencontainers.image.licenses="Apache-2.0 AND GPL-3.0-only"
ENTRYPOINT ["python", "-m", "wallets.signer"]
CMD ["serve"]

FROM custody AS approver
COPY --from=approver-packages /packages /packages
ENTRYPOINT ["python", "-m", "wallets.approver"]
CMD ["serve"]

FROM base AS cli-packages
COPY requirements/cli.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/var/cache/pip pip install --cache-dir /var/cache/pip --require-hashes \
    --target /packages --requirement /tmp/requirements.txt

# The command line of firms and operators: `docker run cambist-cli status`.
FROM base AS cli
COPY --from=cli-packages /packages /packages
COPY cambist cambist
ENV PYTHONPATH=/app:/packages
USER 10001:10001
ENTRYPOINT ["python", "-m", "cambist.cli"]

# The edge: TLS and limits in front of the gateways. Its configuration is mounted.
FROM debian:trixie-slim AS edge
RUN apt-get update && apt-get install --yes --no-install-recommends haproxy && rm -rf /var/lib/apt/lists/*
USER 10001:10001
EXPOSE 8443 8405
ENTRYPOINT ["haproxy", "-W", "-db", "-f", "/etc/cambist/haproxy.cfg"]

# Postgres for evaluation: one server without replicas or backups. Production names a server instead.
FROM debian:trixie-slim AS postgres
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-17 && \
    rm -rf /var/lib/apt/lists/* /var/lib/postgresql
RUN groupadd --gid 10001 cambist && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin cambist
RUN install --directory --owner=10001 --group=10001 --mode=0700 /data
ENV PATH=/usr/lib/postgresql/17/bin:$PATH LANG=C.UTF-8
USER 10001:10001
EXPOSE 5432
ENTRYPOINT ["postgres"]
