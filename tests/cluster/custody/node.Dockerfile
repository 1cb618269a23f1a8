# A development node of Ethereum for tests on a cluster; the folder holds the program `anvil`.
FROM debian:trixie-slim
COPY anvil /usr/local/bin/anvil
USER 10001:10001
EXPOSE 8545
ENTRYPOINT ["anvil", "--host", "0.0.0.0", "--port", "8545", "--timestamp", "1700000000"]
